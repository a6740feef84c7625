#include "nudge/guard.h"

#include "check.h"
#include "nudge/mixture.h"
#include "nudge/refusal.h"
#include "scripted_run.h"

using namespace nudging;

namespace {

/// An aligned model that would write letters, with a base that agrees with nothing and is sure of everything.
Run letters() {
  Run run;
  run.guard = GuardRules{.every = 3, .tokens = 2, .phrases = {"sorry"}};
  run.aligned.says("", {"a", " b", " c", " d", " e", " f", " g", end_of_text});
  return run;
}

}  // namespace

TEST("R60: in front of the first token the aligned model is asked behind its prompt; where it refuses, nobody else is") {
  Run run;
  run.guard = GuardRules{.every = 3, .tokens = 3, .phrases = {"sorry"}};
  run.aligned.says("", {"I", " am", " sorry", " but"});
  CHECK_EQUAL(run.run(), StopReason::refused);
  CHECK_EQUAL(run.text, "");
  CHECK_EQUAL(run.refusal.value_or("none"), "I am sorry");
  CHECK_EQUAL(run.aligned.asides, std::vector<std::string>{""});
  CHECK(run.base.questions.empty());
  CHECK_EQUAL(run.used, 0U);
}

TEST("R61: a check is as many tokens as it may have, and what comes behind them is not heard") {
  Run run;
  run.guard = GuardRules{.every = 100, .tokens = 2, .phrases = {"sorry"}};
  run.aligned.says("", {"I", " am", " sorry", end_of_text}).after(std::string("I am sorry") + ScriptedLane::turn, end_of_text);
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.text, "I am sorry");
  CHECK(!run.refusal);
}

TEST("R60, R61: a check is due whenever so many tokens were added, behind the answer so far and the marks of another turn") {
  Run run = letters();
  for (const char* text : {"a b c", "a b c d e f", "a b c d e f g"}) run.aligned.after(std::string(text) + ScriptedLane::turn, end_of_text);
  CHECK_EQUAL(run.run_alone(Source::nudge), StopReason::end);
  CHECK_EQUAL(run.aligned.asides, std::vector<std::string>{"", "a b c<turn>", "a b c d e f<turn>", "a b c d e f g<turn>"});
  CHECK_EQUAL(run.checks, 4U);
  CHECK_EQUAL(run.text, "a b c d e f g");
  CHECK(run.ended_by == Source::nudge);
}

TEST("R60: words that come together are checked together, and the count begins anew behind them") {
  Run run = letters();
  run.rules.gamma = 2;
  run.rules.lookahead = 5;
  // A draft of five tokens is four words: more than three.
  run.aligned.says("a b c d", {" e", " f", " g", end_of_text});
  run.base.after("a", "?").after("a b", "?").after("a b c", "?").after("a b c d", "?");
  for (const char* text : {"a b c d", "a b c d e f g"}) run.aligned.after(std::string(text) + ScriptedLane::turn, end_of_text);
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.aligned.asides, std::vector<std::string>{"", "a b c d<turn>", "a b c d e f g<turn>"});
}

TEST("R60: in the base's run it is looked in the middle, and the run goes on where it was") {
  Run run;
  run.guard = GuardRules{.every = 2, .tokens = 1, .phrases = {"sorry"}};
  run.aligned.says("", {"a", " z", " z", " z"}).says("a b c d e", {end_of_text});
  run.base.says("a", {" b", " c", " d", " e"}, 0.9F).after("a b c d e", " f", 0.1F);
  for (const char* text : {"a b", "a b c d", "a b c d e"}) run.aligned.after(std::string(text) + ScriptedLane::turn, "x");
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.rounds, "[a| b c d e|confident][||end]");
  CHECK_EQUAL(run.aligned.asides, std::vector<std::string>{"", "a b<turn>", "a b c d<turn>", "a b c d e<turn>"});
}

TEST("R63: a refusal ends the answer in front of all that did not pass") {
  Run run;
  run.guard = GuardRules{.every = 2, .tokens = 3, .phrases = {"i cannot"}};
  run.aligned.says("", {"a", " z", " z", " z"});
  run.base.says("a", {" b", " c", " d", " e"}, 0.9F);
  run.aligned.after(std::string("a b") + ScriptedLane::turn, end_of_text);
  run.aligned.says(std::string("a b c d") + ScriptedLane::turn, {"No.", " I", " cannot", " say"});
  CHECK_EQUAL(run.run(), StopReason::refused);
  CHECK_EQUAL(run.text, "a b");
  CHECK_EQUAL(run.rounds, "[a| b|confident]");
  CHECK_EQUAL(run.refusal.value_or("none"), "No. I cannot");
  CHECK(!run.ended_by);
  // What was written was spent, shown or not.
  CHECK_EQUAL(run.used, 4U);
}

TEST("R63: what is left at the end is checked before it is shown, however the answer ends") {
  const std::string behind = std::string("a b") + ScriptedLane::turn;
  Run by_itself;
  by_itself.guard = GuardRules{.every = 100, .tokens = 1, .phrases = {"sorry"}};
  by_itself.aligned.says("", {"a", " b", end_of_text}).after(behind, "Sorry");
  CHECK_EQUAL(by_itself.run(), StopReason::refused);
  CHECK_EQUAL(by_itself.text, "");
  CHECK(!by_itself.ended_by);

  Run cut;
  cut.guard = by_itself.guard;
  cut.limits.max_tokens = 2;
  cut.aligned.says("", {"a", " b", " c", " d"}).after(behind, "Sorry");
  CHECK_EQUAL(cut.run_alone(Source::nudge), StopReason::refused);
  CHECK_EQUAL(cut.text, "");

  Run stopped;
  stopped.guard = by_itself.guard;
  stopped.limits.stop = {" c"};
  stopped.aligned.says("", {"a", " b", " c", " d"}).after(behind, "Sorry");
  CHECK_EQUAL(stopped.run_alone(Source::nudge), StopReason::refused);
  CHECK_EQUAL(stopped.text, "");
}

TEST("R63: an answer that passes ends as it would without a guard") {
  Run run = letters();
  run.limits.max_tokens = 3;
  run.aligned.after(std::string("a b c") + ScriptedLane::turn, end_of_text);
  CHECK_EQUAL(run.run_alone(Source::nudge), StopReason::length);
  CHECK_EQUAL(run.text, "a b c");
  // The check that is due there and the one at the end are one.
  CHECK_EQUAL(run.checks, 2U);
}

TEST("R60: nothing that no check has passed may be shown, and what is aborted is dropped") {
  ScriptedLane aligned;
  Answer answer({.max_tokens = 10, .stop = {}, .thinking = {}});
  Guard guard(aligned, {.every = 2, .tokens = 1, .phrases = {"sorry"}}, answer);
  answer.open_round(By::none);
  answer.add_token("a", Source::base, 0.9F);
  answer.spend(1, Source::base);
  CHECK_EQUAL(answer.reportable(), 0U);
  CHECK(!guard.is_due());
  answer.add_token(" b", Source::base, 0.9F);
  answer.spend(1, Source::base);
  CHECK(guard.is_due());
  aligned.after(std::string("a b") + ScriptedLane::turn, end_of_text);
  auto look = guard.look();
  look.start();
  CHECK(!look.take());
  CHECK_EQUAL(answer.reportable(), 2U);
  CHECK(!guard.is_due());
  answer.add_token(" c", Source::base, 0.9F);
  CHECK_EQUAL(answer.reportable(), 2U);
  answer.finish();
  CHECK_EQUAL(answer.text(), "a b");
  CHECK_EQUAL(answer.reportable(), 2U);
}

TEST("R60: a stop string that may have begun is held back behind what has passed, too") {
  ScriptedLane aligned;
  Answer answer({.max_tokens = 10, .stop = {" bc"}, .thinking = {}});
  Guard guard(aligned, {.every = 1, .tokens = 1, .phrases = {"sorry"}}, answer);
  answer.open_round(By::none);
  answer.add_token("a", Source::base, 0.9F);
  answer.add_token(" b", Source::base, 0.9F);
  answer.pass();
  CHECK_EQUAL(answer.reportable(), 1U);
  answer.add_token("c", Source::base, 0.9F);
  CHECK_EQUAL(answer.text(), "a");
  CHECK(!answer.unchecked());
}

TEST("R61: a check does not end because there is no room for more, but where what was said is a refusal") {
  Run run = letters();
  run.aligned.room_left = 0;
  run.guard = GuardRules{.every = 100, .tokens = 5, .phrases = {"sorry"}};
  run.aligned.says(std::string("a b c d e f g") + ScriptedLane::turn, {"I", " am", " sorry", " but"});
  CHECK_EQUAL(run.run_alone(Source::nudge), StopReason::refused);
  CHECK_EQUAL(run.refusal.value_or("none"), "I am sorry");
}

TEST("R60: the lead is watched token by token, and in reverse both models are") {
  Run lead = letters();
  lead.rules.lead = 5;
  lead.aligned.says(std::string("a b c") + ScriptedLane::turn, {"Sorry", end_of_text});
  CHECK_EQUAL(lead.run(), StopReason::refused);
  CHECK_EQUAL(lead.used, 3U);

  Run reverse;
  reverse.guard = GuardRules{.every = 2, .tokens = 1, .phrases = {"sorry"}};
  reverse.rules.keeps_punctuation = false;
  reverse.aligned.says("", {"a", " b"}, 0.9F).after("a b", " c", 0.1F).after("a b x", " d", 0.9F);
  reverse.base.after("a b", " x y");
  reverse.aligned.after(std::string("a b") + ScriptedLane::turn, end_of_text);
  reverse.aligned.after(std::string("a b x d") + ScriptedLane::turn, "Sorry");
  CHECK_EQUAL(reverse.run_in_reverse(), StopReason::refused);
  CHECK_EQUAL(reverse.text, "a b");

  Run word;
  word.guard = GuardRules{.every = 2, .tokens = 1, .phrases = {"sorry"}};
  word.rules.keeps_punctuation = false;
  word.aligned.says("", {"a", " b"}, 0.9F).after("a b", " c", 0.1F);
  word.base.says("a b", {" x", "y", " z"});
  word.aligned.after(std::string("a b") + ScriptedLane::turn, end_of_text);
  // Behind the base's word it is looked at once.
  word.aligned.after(std::string("a b xy") + ScriptedLane::turn, "Sorry");
  CHECK_EQUAL(word.run_in_reverse(), StopReason::refused);
  CHECK_EQUAL(word.text, "a b");
}

TEST("R62: phrases count in any case, with either apostrophe and any white space, where a word begins") {
  const RefusalPhrases phrases({"I can't", "Sorry, but", "\xC3\xA4h"});
  for (const char* text : {"I can't", "Well, i CAN\xE2\x80\x99T do", "\"I  can't", "I\ncan't", "sorry, BUT no", "so \xC3\xA4h"})
    CHECK(phrases.in(text));
  for (const char* text : {"", "I can", "Hawaii can't", "Sorry", "I cant", "\xC3\xA9I can't", "sorry,but"}) CHECK(!phrases.in(text));
  CHECK(!RefusalPhrases({}).in("anything"));
  CHECK(!RefusalPhrases({""}).in("anything"));
}
