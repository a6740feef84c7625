#include "nudge/agreement.h"

#include "check.h"
#include "scripted_run.h"

using namespace nudging;

namespace {

/// What is told of each piece.
std::string told(const Run& run) {
  std::string told;
  for (const Piece& piece : run.pieces) told += piece.text + (piece.agreed ? (*piece.agreed ? "+" : "-") : "?");
  return told;
}

/// The base agrees with the draft "a b c d", then turns from it.
Run turning(Signals signals) {
  Run run;
  run.rules.signals = signals;
  run.aligned.says("", {"a", " b", " c", " d"}).says("a b c x y", {end_of_text});
  run.base.says("a", {" b", " c", " x", " y"}).after("a b c x y", " z", 0.1F);
  return run;
}

}  // namespace

TEST("R64: a token of the base agrees as long as the draft goes on with it; behind the first that does not, nothing is known") {
  Run run = turning(Signals::known);
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(told(run), "a? b+ c+ x- y?");
  CHECK_EQUAL(run.aligned.questions.size(), 5U);
}

TEST("R64: without signals nothing is told") {
  Run run = turning(Signals::none);
  run.run();
  CHECK_EQUAL(told(run), "a? b? c? x? y?");
}

TEST("R64: with all, the aligned model is asked where its draft does not tell, and nowhere else") {
  for (const std::string& said : {" y", " q"}) {
    Run run = turning(Signals::all);
    run.aligned.after("a b c x", said);
    CHECK_EQUAL(run.run(), StopReason::end);
    CHECK_EQUAL(told(run), said == " y" ? "a? b+ c+ x- y+" : "a? b+ c+ x- y-");
    CHECK_EQUAL(run.aligned.questions.size(), 6U);
  }
}

TEST("R64: tokens of both need not be alike, and what the aligned model would say behind one of the base's is remembered") {
  Run longer;
  longer.rules.signals = Signals::all;
  longer.rules.lookahead = 2;
  // The draft ends in the middle of the base's token.
  longer.aligned.says("", {"a", " b"}).says("a", {" b", "c", "d"}).says("a bcd", {" e f"}).says("a bcd e f", {end_of_text});
  longer.base.says("a", {" bcd", " e", " f"}).after("a bcd e f", "?", 0.1F);
  CHECK_EQUAL(longer.run(), StopReason::end);
  CHECK_EQUAL(told(longer), "a? bcd+ e+ f+");

  Run known;
  known.rules.signals = Signals::known;
  known.rules.lookahead = 2;
  known.aligned.says("", {"a", " b"}).says("a bcd", {end_of_text});
  known.base.says("a", {" bcd"}).after("a bcd", "?", 0.1F);
  CHECK_EQUAL(known.run(), StopReason::end);
  CHECK_EQUAL(told(known), "a? bcd?");

  Run parting;
  parting.rules.signals = Signals::all;
  parting.rules.lookahead = 2;
  parting.aligned.says("", {"a", " b"}).says("a", {" b", "x"}).says("a bcd", {end_of_text});
  parting.base.says("a", {" bcd"}).after("a bcd", "?", 0.1F);
  CHECK_EQUAL(parting.run(), StopReason::end);
  CHECK_EQUAL(told(parting), "a? bcd-");
}

TEST("R64: where the aligned model would end, or say what shows nothing, it does not agree") {
  for (const char* said : {end_of_text, control}) {
    Run run = turning(Signals::all);
    run.aligned.after("a b c x", said);
    CHECK_EQUAL(run.run(), StopReason::end);
    CHECK_EQUAL(told(run), "a? b+ c+ x- y-");
  }
  // Its draft is over, and it would end.
  Run ended;
  ended.rules.signals = Signals::known;
  ended.rules.ends = {.rule = EndRule::base};
  ended.aligned.says("", {"a", " b", end_of_text}).says("a b c", {end_of_text});
  ended.base.says("a", {" b", " c", end_of_text}).after("a b c", end_of_text);
  CHECK_EQUAL(ended.run(), StopReason::end);
  CHECK_EQUAL(told(ended), "a? b+ c-");
}

TEST("R64: in the middle of a character nobody is asked") {
  Run run;
  run.rules.signals = Signals::all;
  run.aligned.says("", {"a", " z", " z", " z"}).after("a", " z").says("a \xC3\xA4 b", {end_of_text}).after("a \xC3\xA4", " b");
  run.base.after("a", " \xC3").after("a \xC3", "\xA4").after("a \xC3\xA4", " b").after("a \xC3\xA4 b", "?", 0.1F);
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(told(run), "a? -\xC3\xA4? b+");
}
