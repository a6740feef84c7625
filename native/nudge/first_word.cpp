#include "nudge/first_word.h"

#include <vector>

#include "nudge/words.h"

namespace nudging {

void FirstWord::read(const Draft& draft) {
  if (waits_ || length_ > 0) return;
  const std::vector<std::size_t> found = boundaries(draft.text());
  if (found.empty()) return;
  // Where it takes the last of the budget, an end of text behind it still says how the answer ends (R13).
  const std::size_t cost = draft.cost(found.front());
  waits_ = cost >= answer_.left();
  if (waits_) return;
  length_ = found.front();
  cost_ = cost;
  answer_.open_round(By::none);
  answer_.add_words(draft.text().substr(0, length_), unsure_);
  answer_.spend(cost_, Source::nudge);
}

}  // namespace nudging
