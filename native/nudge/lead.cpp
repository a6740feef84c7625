#include "nudge/lead.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string_view>
#include <vector>

#include "nudge/draft.h"
#include "nudge/guard.h"
#include "nudge/words.h"

namespace nudging {

namespace {

/// Where the word that stands at byte `from` ends: at the next boundary from there on; empty if there is none yet.
std::optional<std::size_t> end_of_word(std::string_view text, std::size_t from) {
  const std::vector<std::size_t> found = boundaries(text);
  const auto end = std::find_if(found.begin(), found.end(), [from](std::size_t at) { return at >= from; });
  return end == found.end() ? std::nullopt : std::optional(*end);
}

}  // namespace

Task<std::optional<StopReason>> lead(Lane& aligned, std::size_t tokens, std::size_t lookahead, Ends ends, Answer& answer, Record& record) {
  Draft draft;
  std::size_t taken = 0;
  std::optional<std::size_t> end;
  answer.open_round(By::lead);
  aligned.set_text({});
  for (std::size_t drafted = 0; drafted < tokens + lookahead && !end; ++drafted) {
    const Top1 next = co_await aligned.top1();
    record.drafted(draft.text().size(), next, Decision::Kind::lead);
    if (next.ends) {
      draft.end();
      break;
    }
    aligned.push(next.token);
    draft.add(next);
    if (drafted >= tokens) {
      end = end_of_word(draft.text(), taken);
      continue;
    }
    record.took(1);
    answer.add_words(draft.text().substr(taken), std::nullopt);
    answer.spend(1, Source::nudge);
    co_await checked(answer);
    if (answer.ended()) co_return answer.ended();
    taken = draft.text().size();
  }

  // Without a boundary the last word is all that was drafted: it has come to its end, or L tokens were not enough for it.
  const std::size_t cost = draft.cost(end.value_or(draft.text().size()));
  const std::size_t more = cost - std::min(cost, tokens);
  const bool fits = more <= answer.left();
  const std::size_t length = fits ? end.value_or(draft.text().size()) : draft.shown(tokens + answer.left());
  record.took(draft.ended() && fits ? std::numeric_limits<std::size_t>::max() : std::min(more, answer.left()));
  answer.add_words(draft.text().substr(taken, length - taken), std::nullopt);
  answer.spend(std::min(more, answer.left()), Source::nudge);
  if (draft.ended() && fits && ends.aligned_counts()) answer.end(Source::nudge);  // R3, R13
  co_await checked(answer);
  if (answer.ended()) co_return answer.ended();
  if (draft.text().empty() && !draft.ended()) co_return StopReason::stalled;  // R14
  co_return std::nullopt;
}

}  // namespace nudging
