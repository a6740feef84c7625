#include "nudge/aligned_words.h"

#include <algorithm>

#include "nudge/words.h"

namespace nudging {

Task<float> AlignedWords::next_word(std::string_view text) {
  if (!covers(text)) follow(text, Draft());
  const std::size_t at = text.size() - start_;
  if (!is_whole(at)) {
    // Others may have asked the model since: its context is made again. What it has said is remembered there.
    aligned_.set_text(text.substr(0, start_));
    for (const Token token : draft_.tokens()) aligned_.push(token);
    do {
      const Top1 next = co_await aligned_.top1();
      if (next.ends) {
        draft_.end();
        end_ = next.probability;
      } else {
        aligned_.push(next.token);
        draft_.add(next);
      }
    } while (!is_whole(at));
  }
  const std::string_view rest = draft_.text().substr(at);
  const float product = draft_.probability(at, at + std::min(word_end(rest), rest.size() + 1), limit_);
  const bool says_nothing = rest.find_first_not_of(' ') == std::string_view::npos;
  co_return draft_.ended() && says_nothing ? product * end_ : product;
}

Guess AlignedWords::rest(std::string_view text) const { return covers(text) ? draft_.rest(text.size() - start_) : Guess(); }

bool AlignedWords::covers(std::string_view text) const { return text.size() >= start_ && draft_.text().starts_with(text.substr(start_)); }

bool AlignedWords::is_whole(std::size_t at) const {
  return draft_.ended() || draft_.begun(at) >= limit_ || word_end(draft_.text().substr(at)) != std::string_view::npos;
}

}  // namespace nudging
