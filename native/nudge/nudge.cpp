#include "nudge/nudge.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "nudge/draft.h"
#include "nudge/first_word.h"
#include "nudge/guard.h"
#include "nudge/judge.h"
#include "nudge/lead.h"
#include "nudge/read_along.h"
#include "nudge/rules/top1_rule.h"
#include "nudge/words.h"

namespace nudging {

namespace {

/// What came of asking the base about a draft.
struct Verdict {
  /// Bytes of the draft to take.
  std::size_t length;
  By by;
  /// The base's own first token, if it takes over (R7b, R7c).
  std::optional<Top1> handover;
  /// The base's probability at each boundary that it was asked about.
  std::vector<float> asked;
  /// Whose end of text ends the answer behind what is taken (R3, R23).
  std::optional<Source> ends;
};

/// R3: the aligned model completes up to `lookahead` tokens. The base reads along where it has nothing else to do. A stop string in the
/// first word (R65, R14) ends the answer there.
Task<Draft> complete(Lane& base, Lane& aligned, const DeferralRule& rule, std::string_view text, std::size_t lookahead, FirstWord& first,
                     const Answer& answer, Record& record) {
  Draft draft;
  ReadAlong reader(base, text, draft, rule);
  aligned.set_text(text);
  for (std::size_t drafted = 0; drafted < lookahead; ++drafted) {
    const Top1 next = co_await aligned.top1();
    record.drafted(text.size() + draft.text().size(), next);
    if (next.ends) {
      draft.end();
      break;
    }
    aligned.push(next.token);
    draft.add(next);
    first.read(draft);
    if (answer.ended()) break;
    reader.go_on();
  }
  co_return std::move(draft);
}

/// R23: where the aligned model has nothing more to say and may not end the answer, the base has the word, however sure it is.
Task<Verdict> ask_on(Lane& base, const DeferralRule& rule, std::string_view text, Record& record) {
  base.set_text(text);
  base.expect({});
  const Top1 next = co_await base.top1();
  record.asked(text.size(), next, std::nullopt, rule);
  Verdict verdict{0, next.silent() ? By::base_end : By::end, std::nullopt, {}, std::nullopt};
  if (next.ends) verdict.ends = Source::base;
  if (!next.silent()) verdict.handover = next;
  co_return std::move(verdict);
}

/// R5-R8: the base is asked at every boundary of the draft until it takes over.
Task<Verdict> ask(Lane& base, Judge& judge, std::string_view text, const Draft& draft, Ends ends, Record& record) {
  Verdict verdict{draft.text().size(), By::end, std::nullopt, {}, Source::nudge};
  if (draft.ended() && ends.accepts_short_drafts()) co_return std::move(verdict);  // R3: the base is not asked about any of it
  if (draft.ended() && draft.text().empty() && !ends.aligned_counts()) co_return co_await ask_on(base, judge.rule(), text, record);

  verdict.ends.reset();
  std::string context(text);
  for (const std::size_t boundary : boundaries(draft.text())) {
    context.append(draft.text().substr(context.size() - text.size(), boundary - (context.size() - text.size())));
    base.set_text(context);
    judge.at_boundary(context);
    Guess guess = draft.rest(boundary);
    base.expect(guess);
    const Top1 next = co_await base.top1();
    const bool agrees = word_at(draft.text(), boundary).starts_with(next.bytes);
    std::optional<Judgement> judged;
    if (!next.silent() && !agrees) judged = co_await judge.of(context, next, guess);
    record.asked(context.size(), next, judged, judge.rule());

    verdict.length = boundary;
    if (next.silent()) {  // R7a
      verdict.by = By::base_end;
      if (ends.base_counts()) record.ended(next, ends.certainty);
      if (ends.ended_by(next)) verdict.ends = Source::base;  // R23
      co_return std::move(verdict);
    }
    if (agrees) {  // R7b
      verdict.by = By::agree;
      verdict.handover = next;
      co_return std::move(verdict);
    }
    if (judged->base) {  // R7c
      verdict.by = By::confident;
      verdict.handover = next;
      co_return std::move(verdict);
    }
    verdict.asked.push_back(next.probability);
  }
  const bool is_last = draft.ended() && ends.aligned_counts();
  if (is_last) verdict.ends = Source::nudge;
  verdict.by = is_last ? By::end : By::none;
  verdict.length = draft.ended() ? draft.text().size() : without_last_word(draft.text());  // R24, R8
  co_return std::move(verdict);
}

/// How many tokens of the draft the answer rests on, if `left` may still be spent: those whose text is taken or agreed with; of a draft
/// that is taken up to its end of text, all and that end.
std::size_t relied_on(const Draft& draft, const Verdict& verdict, std::size_t left) {
  const bool is_whole = draft.ended() && verdict.length == draft.text().size();
  if (is_whole && draft.cost(verdict.length) <= left) return std::numeric_limits<std::size_t>::max();
  const std::size_t agreed = verdict.by == By::agree ? verdict.handover->bytes.size() : 0;
  return std::min(draft.cost(verdict.length + agreed), left);
}

/// Commits what the verdict takes of the draft, word by word, as far as the budget goes (R12, R13): `left` tokens when the round began.
/// `unsure` is the probability at which the base's last run broke off: that of the first word's place. That word may be there already.
void take(const Draft& draft, const Verdict& verdict, std::optional<float> unsure, std::size_t left, const FirstWord& first,
          Answer& answer) {
  const std::size_t cost = draft.cost(verdict.length);
  const bool fits = cost <= left;
  const std::size_t length = fits ? verdict.length : draft.shown(left);
  if (first.length() == 0) answer.open_round(By::none);
  answer.end_asking(fits ? verdict.by : By::limit);

  const std::string_view taken = draft.text().substr(0, length);
  std::size_t from = first.length();
  std::size_t word = 0;
  for (const std::size_t boundary : boundaries(draft.text())) {
    if (boundary >= length || answer.ended()) break;
    if (boundary > from) answer.add_words(taken.substr(from, boundary - from), unsure);
    from = boundary;
    unsure = word < verdict.asked.size() ? std::optional(verdict.asked[word]) : std::nullopt;
    ++word;
    // What an accepted draft goes on with is one piece: the base was not asked where its words stand.
    if (verdict.by == By::end && verdict.asked.empty()) break;
  }
  if (!answer.ended()) answer.add_words(taken.substr(from), unsure);
  // A draft with an end of text that fits exactly ends with `end`: the caller sees to that (R13).
  answer.spend((fits ? cost : left) - first.cost(), Source::nudge);
}

/// What the aligned model would say after `text`: up to `count` tokens, as long as the base is likely to say the same. A guess must not end
/// the answer, so it stays inside the context.
Task<Guess> guess_ahead(const Lane& base, Lane& aligned, std::string_view text, std::size_t count) {
  Draft draft;
  aligned.set_text(text);
  count = std::min(count, aligned.room());
  for (std::size_t guessed = 0; guessed < count; ++guessed) {
    const Top1 next = co_await aligned.top1();
    if (next.ends) break;
    aligned.push(next.token);
    draft.add(next);
    if (!base.trusts(next.probability)) break;
  }
  co_return draft.rest(0);
}

/// R9-R11: the base goes on in its own tokens while it is sure. Returns the probability at which it was not.
Task<std::optional<float>> run(Lane& base, Lane& aligned, Judge& judge, Agreement& agreement, Top1 first, Guess guess, Ends ends,
                               Answer& answer, Record& record) {
  Utf8Stream characters;
  Top1 next = first;
  while (true) {
    std::optional<bool> agreed = agreement.known(next.bytes);
    if (!agreed && agreement.asks() && !characters.pending()) agreed = co_await agreement.ask(answer.text(), next.bytes);
    std::string shown;
    characters.feed(next.bytes, shown);
    answer.add_token(shown, Source::base, next.probability, agreed);
    answer.spend(1, Source::base);
    co_await checked(answer);
    if (answer.ended()) co_return std::nullopt;

    base.push(next.token);
    judge.said(next);
    guess.said(next.bytes);
    if (!judge.foresees()) {
      if (guess.text().empty() && !characters.pending()) {
        if (const std::size_t wanted = base.guesses_wanted(); wanted > 0) {
          guess = co_await guess_ahead(base, aligned, answer.text(), wanted);
        }
      }
      base.expect(guess);
    }
    next = co_await base.top1();
    std::optional<Judgement> judged;
    if (!next.silent()) judged = co_await judge.of(answer.text(), next, guess);
    record.ran(answer.text().size(), next, judged, judge.rule());
    if (ends.base_counts()) record.ended(next, ends.certainty);
    if (ends.ended_by(next)) answer.end(Source::base);  // R23
    if (next.silent()) co_return std::nullopt;          // R10
    if (!judged->base) co_return next.probability;      // R9
  }
}

}  // namespace

Task<StopReason> nudge(Lane& base, Lane& aligned, Rules rules, Answer& answer, Record& record) {
  const Top1Rule top1(rules.gamma);
  const DeferralRule& rule = rules.deferral ? *rules.deferral : top1;
  Judge judge(base, aligned, rule, rules.lookahead);
  Agreement agreement(aligned, rules.signals);
  std::optional<float> unsure;
  std::string last_words;
  std::size_t repeats = 0;
  if (rules.lead > 0) {
    if (const auto over = co_await lead(aligned, rules.lead, rules.lookahead, rules.ends, answer, record)) co_return *over;
  }

  while (true) {  // R1: every round begins with the aligned model
    const std::string text(answer.text());
    const std::size_t left = answer.left();
    FirstWord first(answer, unsure, rules.repeat_limit == 0 || repeats + 1 < rules.repeat_limit);
    const Draft draft = co_await complete(base, aligned, judge.rule(), text, rules.lookahead, first, answer, record);
    if (answer.ended()) {
      record.took(first.cost());
      co_return *answer.ended();
    }
    judge.follow(text, draft);
    const Verdict verdict = co_await ask(base, judge, text, draft, rules.ends, record);

    const std::string_view words = draft.text().substr(0, verdict.length);
    repeats = words == last_words ? repeats + 1 : 1;
    last_words = words;
    const bool goes_on = verdict.ends || (words.empty() && verdict.handover);
    if (rules.repeat_limit > 0 && repeats >= rules.repeat_limit && !goes_on) co_return StopReason::stalled;

    const bool fits = draft.cost(verdict.length) <= left;
    record.took(relied_on(draft, verdict, left));
    take(draft, verdict, unsure, left, first, answer);
    if (verdict.ends && fits) answer.end(*verdict.ends);  // R3, R13, R23
    co_await checked(answer);
    if (answer.ended()) co_return *answer.ended();
    if (words.empty() && !verdict.handover) co_return StopReason::stalled;  // R14

    unsure.reset();
    if (verdict.handover) {
      agreement.follow(draft, verdict.length);
      unsure = co_await run(base, aligned, judge, agreement, *verdict.handover, draft.rest(verdict.length), rules.ends, answer, record);
      if (answer.ended()) co_return *answer.ended();
    }
  }
}

Task<StopReason> decode_alone(Lane& model, Source source, Answer& answer, Record& record) {
  Utf8Stream characters;
  answer.open_round(By::none);
  model.set_text({});
  while (true) {
    const Top1 next = co_await model.top1();
    record.decoded(source, answer.text().size(), next);
    if (next.ends) {
      answer.end(source);
      co_return StopReason::end;
    }
    std::string shown;
    characters.feed(next.bytes, shown);
    answer.add_token(shown, source, next.probability);
    answer.spend(1, source);
    co_await checked(answer);
    if (answer.ended()) co_return *answer.ended();
    model.push(next.token);
  }
}

}  // namespace nudging
