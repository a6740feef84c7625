#include "nudge/lead.h"

#include "check.h"
#include "scripted_run.h"

using namespace nudging;

TEST("R25: the aligned model writes the first tokens and completes the word; the base is asked in the rounds behind it only") {
  Run run;
  run.rules.lead = 2;
  run.aligned.says("", {"a", " b", "c", " d", " e", " f", " g"}).says("a bc", {" d", " e", " f", " g"}).says("a bc d x", {end_of_text});
  run.base.after("a bc d", " x", 0.9F).after("a bc d x", "?", 0.1F);
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.rounds, "[a bc||lead][ d| x|confident][||end]");
  CHECK_EQUAL(run.base.questions, std::vector<std::string>{"a bc d", "a bc d x"});
  CHECK_EQUAL(run.aligned.texts, std::vector<std::string>{"", "a bc", "a bc d x"});
  CHECK_EQUAL(run.used, 5U);
  CHECK_EQUAL(run.base_tokens, 1U);
}

TEST("R25: a word that is whole behind the last token of the lead is not gone on with") {
  Run run;
  run.rules.lead = 2;
  run.aligned.says("", {"a", " b", " c", end_of_text});
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.rounds, "[a b||lead][ c||end]");
}

TEST("R25: a token that begins the next word ends the one before it, and is not taken") {
  Run run;
  run.rules.lead = 1;
  run.aligned.says("", {"a", "b c"}).says("ab", {" d", end_of_text});
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.rounds, "[ab||lead][ d||end]");
  // "b" is shown by the second token only.
  CHECK_EQUAL(run.used, 3U);
}

TEST("R25: without a boundary within L tokens the lead is all that was drafted") {
  Run run;
  run.rules.lead = 2;
  run.rules.lookahead = 3;
  run.aligned.says("", {"a", "b", "c", "d", "e", end_of_text});
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.rounds, "[abcde||lead][||end]");
  CHECK_EQUAL(run.used, 5U);
}

TEST("R3, R25: the aligned model's end ends the answer, in the lead and in its last word") {
  for (const std::size_t tokens : {2U, 3U, 9U}) {
    Run run;
    run.rules.lead = tokens;
    run.aligned.says("", {"a", " b", "c", end_of_text});
    CHECK_EQUAL(run.run(), StopReason::end);
    CHECK_EQUAL(run.rounds, "[a bc||lead]");
    CHECK(run.ended_by == Source::nudge);
    CHECK_EQUAL(run.used, 3U);
  }
}

TEST("R23, R25: where the base alone may end, the lead is over there and the base has the word") {
  Run run;
  run.rules.lead = 9;
  run.rules.ends.rule = EndRule::base;
  run.aligned.says("", {"a", end_of_text});
  run.base.after("a", end_of_text, 0.1F);
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.rounds, "[a||lead][||base-end]");
  CHECK(run.ended_by == Source::base);

  Run empty;
  empty.rules.lead = 1;
  empty.rules.ends.rule = EndRule::base;
  empty.aligned.says("", {end_of_text});
  empty.base.after("", " x", 0.1F).after(" x", end_of_text, 0.9F);
  CHECK_EQUAL(empty.run(), StopReason::end);
  CHECK_EQUAL(empty.rounds, "[||lead][| x|end]");
}

TEST("R13, R25: the budget ends the lead, in its tokens and in its last word") {
  Run tokens;
  tokens.limits.max_tokens = 2;
  tokens.rules.lead = 5;
  tokens.aligned.says("", {"a", " b", " c"});
  CHECK_EQUAL(tokens.run(), StopReason::length);
  CHECK_EQUAL(tokens.rounds, "[a b||lead]");
  CHECK_EQUAL(tokens.used, 2U);

  Run word;
  word.limits.max_tokens = 2;
  word.rules.lead = 1;
  word.aligned.says("", {"a", "b", "c", " d"});
  CHECK_EQUAL(word.run(), StopReason::length);
  CHECK_EQUAL(word.rounds, "[ab||lead]");

  // An end that fits exactly.
  Run fits;
  fits.limits.max_tokens = 2;
  fits.rules.lead = 1;
  fits.aligned.says("", {"a", "b", end_of_text});
  CHECK_EQUAL(fits.run(), StopReason::end);
}

TEST("R14, R25: a stop string in the lead, and a lead that shows nothing") {
  Run stopped;
  stopped.rules.lead = 5;
  stopped.limits.stop = {" b"};
  stopped.aligned.says("", {"a", " b"});
  CHECK_EQUAL(stopped.run(), StopReason::stop);
  CHECK_EQUAL(stopped.rounds, "[a||lead]");

  Run silent;
  silent.rules.lead = 1;
  silent.rules.lookahead = 1;
  silent.aligned.says("", {control, control});
  CHECK_EQUAL(silent.run(), StopReason::stalled);
}

TEST("R4, R25: a character that the lead would cut is completed") {
  Run run;
  run.rules.lead = 1;
  run.aligned.says("", {"\xE4\xB8", "\xAD", " b", end_of_text}).says("\xE4\xB8\xAD", {" b", end_of_text});
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.rounds, "[\xE4\xB8\xAD||lead][ b||end]");
}

TEST("R25: the lead is shown token by token, without a probability, and traced as what it is") {
  Run run;
  run.rules.lead = 2;
  run.aligned.says("", {"a", " b", " c", end_of_text});
  run.run();
  std::string seen;
  for (const Piece& piece : run.pieces) seen += piece.text + (piece.top_probability ? "!" : "-");
  CHECK_EQUAL(seen, "a- b- c-");
  seen.clear();
  for (const Decision& decision : run.trace)
    seen += check::shown(static_cast<int>(decision.kind)) + "@" + check::shown(decision.position) + " ";
  CHECK_EQUAL(seen, "3@0 3@1 3@3 2@3 2@5 ");
}

TEST("ties: the lead's tokens count, and what was drafted behind its last word does not") {
  Run run;
  run.rules.lead = 1;
  run.aligned_tolerance = {0.05F, 0.2F};
  run.aligned.after("", "a", 0.9F, 0.1F).after("a", "b", 0.9F, 0.1F).after("ab", " c", 0.9F, 0.1F);
  run.aligned.after("ab c", end_of_text);
  run.run();
  // " c" counts once, where it is drafted again and taken.
  CHECK_EQUAL(run.ties, 3U);
}
