#include "nudge/reverse.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "nudge/draft.h"
#include "nudge/guard.h"
#include "nudge/lead.h"
#include "nudge/punctuation.h"
#include "nudge/words.h"

namespace nudging {

namespace {

/// R27: whether what begins with `bytes` behind `text` is a new word.
bool begins_word(std::string_view text, std::string_view bytes) {
  return !bytes.empty() && (text.empty() || text.ends_with(' ') || bytes.starts_with(' '));
}

/// R29: the base's next word behind `text`, in its own tokens, and what of them shows that the word has ended.
Task<Draft> write_word(Lane& base, std::string_view text, Rules rules, Record& record) {
  Draft draft;
  base.set_text(text);
  for (std::size_t drafted = 0; drafted < rules.lookahead; ++drafted) {
    const Top1 next = co_await base.top1();
    const auto kind = drafted == 0 ? Decision::Kind::boundary : Decision::Kind::run;
    record.spoke(kind, text.size() + draft.text().size(), next, std::nullopt);
    if (next.silent() || (rules.keeps_punctuation && is_punctuation(next.bytes))) break;
    base.push(next.token);
    draft.add(next);
    if (first_word(draft.text()).size() < draft.text().size()) break;
  }
  co_return std::move(draft);
}

/// Commits the first `length` bytes, token by token, as far as the budget goes (R12, R13).
void take(const Draft& draft, std::size_t length, Answer& answer) {
  const std::size_t cost = draft.cost(length);
  for (std::size_t token = 0; token < cost && !answer.ended(); ++token) {
    const std::size_t from = draft.shown(token);
    answer.add_token(draft.text().substr(from, std::min(draft.shown(token + 1), length) - from), Source::base, draft.probability(token));
    answer.spend(1, Source::base);
  }
}

}  // namespace

Task<StopReason> nudge_in_reverse(Lane& base, Lane& aligned, Rules rules, Answer& answer, Record& record) {
  rules.ends = {};  // R26: the aligned model's end of text is the only one.
  if (rules.lead > 0) {
    if (const auto over = co_await lead(aligned, rules.lead, rules.lookahead, rules.ends, answer, record)) co_return *over;
  }

  while (true) {  // R26: every round begins with the aligned model
    answer.open_round(By::none);
    aligned.set_text(answer.text());
    Utf8Stream characters;
    while (true) {
      const Top1 next = co_await aligned.top1();
      const bool may_give_way = !next.ends && !characters.pending() && begins_word(answer.text(), next.bytes) &&
                                !(rules.keeps_punctuation && is_punctuation(next.bytes));  // R27, R28
      record.spoke(Decision::Kind::draft, answer.text().size(), next, may_give_way ? std::optional(rules.gamma) : std::nullopt);
      if (next.ends) {
        answer.end_asking(By::end);
        answer.end(Source::nudge);
        co_return StopReason::end;
      }
      if (may_give_way && next.probability < rules.gamma) {
        const Draft draft = co_await write_word(base, answer.text(), rules, record);
        const std::string_view word = first_word(draft.text());
        if (word.find_first_not_of(' ') != std::string_view::npos) {
          answer.end_asking(By::unsure);
          take(draft, word.size(), answer);
          co_await checked(answer);
          if (answer.ended()) co_return *answer.ended();
          break;
        }
      }
      std::string shown;
      characters.feed(next.bytes, shown);
      answer.add_token(shown, Source::nudge, next.probability);
      answer.spend(1, Source::nudge);
      co_await checked(answer);
      if (answer.ended()) co_return *answer.ended();
      aligned.push(next.token);
    }
  }
}

}  // namespace nudging
