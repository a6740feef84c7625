#include "nudge/reverse.h"

#include "check.h"
#include "nudge/punctuation.h"
#include "scripted_run.h"

using namespace nudging;

TEST("R26: a sure aligned model decodes alone to its end of text, in its own tokens") {
  Run run;
  run.aligned.says("", {"a", " b", "c", " d", end_of_text});
  CHECK_EQUAL(run.run_in_reverse(), StopReason::end);
  CHECK_EQUAL(run.rounds, "[a bc d||end]");
  CHECK(run.ended_by == Source::nudge);
  CHECK(run.base.questions.empty());
  CHECK_EQUAL(run.aligned.texts, std::vector<std::string>{""});
  CHECK_EQUAL(run.used, 4U);
  CHECK_EQUAL(run.base_tokens, 0U);
}

TEST("R27, R29: where it is unsure of the next word the base writes that, whatever its probability, and each sees the joined text") {
  Run run;
  run.aligned.says("", {"a", " b"}).after("a b", " c", 0.39F).says("a b xyz", {" d", end_of_text});
  run.base.after("a b", " x", 0.1F).after("a b x", "y", 0.9F).after("a b xy", "z", 0.1F).after("a b xyz", " w", 0.9F);
  CHECK_EQUAL(run.run_in_reverse(), StopReason::end);
  CHECK_EQUAL(run.rounds, "[a b| xyz|unsure][ d||end]");
  CHECK_EQUAL(run.base.texts, std::vector<std::string>{"a b"});
  CHECK_EQUAL(run.aligned.texts, std::vector<std::string>{"", "a b xyz"});
  CHECK_EQUAL(run.used, 6U);
  CHECK_EQUAL(run.base_tokens, 3U);
}

TEST("R27: gamma itself is sure enough, and inside a word nobody is asked") {
  Run run;
  run.aligned.says("", {"a"}).after("a", " b", 0.4F).after("a b", "c", 0.1F).after("a bc", end_of_text, 0.1F);
  CHECK_EQUAL(run.run_in_reverse(), StopReason::end);
  CHECK_EQUAL(run.rounds, "[a bc||end]");
  CHECK(run.base.questions.empty());
}

TEST("R27: a word may begin the answer, and stand behind a space that is there already") {
  Run first;
  first.aligned.after("", "a", 0.1F).says("x", {end_of_text});
  first.base.says("", {"x", " y"});
  CHECK_EQUAL(first.run_in_reverse(), StopReason::end);
  CHECK_EQUAL(first.rounds, "[|x|unsure][||end]");

  Run spaced;
  spaced.aligned.says("", {"a", " "}).after("a ", "b", 0.1F).says("a x", {end_of_text});
  spaced.base.says("a ", {"x", " y"});
  CHECK_EQUAL(spaced.run_in_reverse(), StopReason::end);
  CHECK_EQUAL(spaced.rounds, "[a |x|unsure][||end]");
}

TEST("R27: a token without bytes, or in the middle of a character, begins no word") {
  Run run;
  run.aligned.after("", control, 0.1F).after(control, "\xE4\xB8", 0.9F).after(std::string(control) + "\xE4\xB8", "\xAD", 0.1F);
  run.aligned.after(std::string(control) + "\xE4\xB8\xAD", end_of_text);
  CHECK_EQUAL(run.run_in_reverse(), StopReason::end);
  CHECK_EQUAL(run.rounds, "[\xE4\xB8\xAD||end]");
  CHECK(run.base.questions.empty());
}

TEST("R28: punctuation stays with the aligned model: its own without a question, the base's by keeping the word") {
  Run own;
  own.aligned.says("", {"a"}).after("a", " (", 0.1F).says("a (", {"b", end_of_text});
  CHECK_EQUAL(own.run_in_reverse(), StopReason::end);
  CHECK(own.base.questions.empty());

  for (const char* said : {".", "\n\n", " -", ".\n"}) {
    Run bases;
    bases.aligned.says("", {"a"}).after("a", " b", 0.1F).after("a b", end_of_text);
    bases.base.after("a", said, 0.99F);
    CHECK_EQUAL(bases.run_in_reverse(), StopReason::end);
    CHECK_EQUAL(bases.rounds, "[a b||end]");
    CHECK_EQUAL(bases.base.questions.size(), 1U);
  }
}

TEST("R28, R29: the base's word ends before punctuation; with any punctuation it goes on to the next space") {
  Run kept;
  kept.aligned.says("", {"a"}).after("a", " b", 0.1F).says("a x", {".", end_of_text});
  kept.base.says("a", {" x", ",", " y"});
  CHECK_EQUAL(kept.run_in_reverse(), StopReason::end);
  CHECK_EQUAL(kept.rounds, "[a| x|unsure][.||end]");

  Run any;
  any.rules.keeps_punctuation = false;
  any.aligned.says("", {"a"}).after("a", " (", 0.1F).says("a x,", {" b", end_of_text});
  any.base.says("a", {" x", ",", " y"});
  CHECK_EQUAL(any.run_in_reverse(), StopReason::end);
  CHECK_EQUAL(any.rounds, "[a| x,|unsure][ b||end]");
}

TEST("R29: a base that would end, or shows nothing, leaves the word to the aligned model; neither ever ends the answer") {
  for (const char* said : {end_of_text, control}) {
    Run run;
    run.rules.ends.rule = EndRule::either;
    run.aligned.says("", {"a"}).after("a", " b", 0.1F).after("a b", end_of_text);
    run.base.after("a", said, 1.0F);
    CHECK_EQUAL(run.run_in_reverse(), StopReason::end);
    CHECK_EQUAL(run.rounds, "[a b||end]");
    CHECK(run.ended_by == Source::nudge);
  }
  Run space;
  space.aligned.says("", {"a"}).after("a", " b", 0.1F).after("a b", end_of_text);
  space.base.says("a", {" ", end_of_text});
  CHECK_EQUAL(space.run_in_reverse(), StopReason::end);
  CHECK_EQUAL(space.rounds, "[a b||end]");

  Run word;
  word.aligned.says("", {"a"}).after("a", " b", 0.1F).says("a x", {" c", end_of_text});
  word.base.says("a", {" x", end_of_text});
  CHECK_EQUAL(word.run_in_reverse(), StopReason::end);
  CHECK_EQUAL(word.rounds, "[a| x|unsure][ c||end]");
}

TEST("R29: a word is at most L tokens, and what follows it in its last token is cut off") {
  Run longer;
  longer.rules.lookahead = 2;
  longer.aligned.says("", {"a"}).after("a", " b", 0.1F).says("a xy", {end_of_text});
  longer.base.says("a", {" x", "y", "z"});
  CHECK_EQUAL(longer.run_in_reverse(), StopReason::end);
  CHECK_EQUAL(longer.rounds, "[a| xy|unsure][||end]");

  Run cut;
  cut.aligned.says("", {"a"}).after("a", " b", 0.1F).says("a xy", {end_of_text});
  cut.base.says("a", {" x", "y z"});
  CHECK_EQUAL(cut.run_in_reverse(), StopReason::end);
  CHECK_EQUAL(cut.rounds, "[a| xy|unsure][||end]");
  CHECK_EQUAL(cut.base_tokens, 2U);
}

TEST("R12, R13 in reverse: every token costs one, and the budget ends either's words") {
  Run aligned;
  aligned.limits.max_tokens = 1;
  aligned.aligned.says("", {"a", " b"});
  CHECK_EQUAL(aligned.run_in_reverse(), StopReason::length);
  CHECK_EQUAL(aligned.rounds, "[a||none]");

  Run base;
  base.limits.max_tokens = 2;
  base.aligned.says("", {"a"}).after("a", " b", 0.1F);
  base.base.says("a", {" x", "y", " z"});
  CHECK_EQUAL(base.run_in_reverse(), StopReason::length);
  CHECK_EQUAL(base.rounds, "[a| x|unsure]");
  CHECK_EQUAL(base.used, 2U);
}

TEST("R14 in reverse: a stop string across both models' words") {
  Run run;
  run.limits.stop = {"b x"};
  run.aligned.says("", {"a", " b"}).after("a b", " c", 0.1F);
  run.base.says("a b", {" x", " y"});
  CHECK_EQUAL(run.run_in_reverse(), StopReason::stop);
  CHECK_EQUAL(run.text, "a ");
}

TEST("R25 in reverse: the lead is the aligned model's however unsure it is") {
  Run run;
  run.rules.lead = 2;
  run.aligned.after("", "a", 0.1F).after("a", " b", 0.1F).after("a b", " c", 0.1F).says("a b x", {end_of_text});
  run.base.says("a b", {" x", " y"});
  CHECK_EQUAL(run.run_in_reverse(), StopReason::end);
  CHECK_EQUAL(run.rounds, "[a b||lead][| x|unsure][||end]");
}

TEST("reverse: pieces carry the probability of their own model, and every question is traced with its place") {
  Run run;
  run.aligned.says("", {"a"}, 0.5F).after("a", " b", 0.25F).after("a x", end_of_text, 0.75F);
  run.base.after("a", " x", 0.125F).after("a x", " y", 0.5F);
  run.run_in_reverse();
  std::string seen;
  for (const Piece& piece : run.pieces)
    seen += piece.text + (piece.source == Source::base ? "!" : "?") + check::shown(*piece.top_probability) + ";";
  CHECK_EQUAL(seen, "a?0.5; x!0.125;");
  seen.clear();
  for (const Decision& decision : run.trace)
    seen += check::shown(static_cast<int>(decision.kind)) + "@" + check::shown(decision.position) + " ";
  CHECK_EQUAL(seen, "2@0 2@1 0@1 1@3 2@3 ");
}

TEST("ties in reverse: each token by its model's margin, and gamma where a word begins") {
  const auto ties = [](float probability, float aligned_margin, float base_margin) {
    Run run;
    run.aligned_tolerance = {0.05F, 0.2F};
    run.base_tolerance = {0.05F, 0.5F};
    run.aligned.says("", {"a"}).after("a", " b", probability, aligned_margin).after("a b", "c", 0.41F).after("a bc", end_of_text);
    run.aligned.after("a x", end_of_text);
    run.base.after("a", " x", 0.41F, base_margin).after("a x", " y", 0.41F);
    run.run_in_reverse();
    return run.ties;
  };
  CHECK_EQUAL(ties(0.1F, 10, 10), 0U);
  CHECK_EQUAL(ties(0.38F, 10, 10), 1U);
  CHECK_EQUAL(ties(0.42F, 10, 10), 1U);
  CHECK_EQUAL(ties(0.42F, 0.1F, 10), 1U);
  CHECK_EQUAL(ties(0.1F, 0.3F, 10), 0U);
  CHECK_EQUAL(ties(0.1F, 10, 0.4F), 1U);
  CHECK_EQUAL(ties(0.9F, 10, 0.4F), 0U);
}

TEST("R28: what punctuation is") {
  for (const char* bytes : {".", ",", "\n", " \n", "\n\n", ".\n", " -", " (\"", "...", "\t", "_", "~", "\xC2\xBF", "\xE2\x80\x94",
                            " \xE2\x80\x9C", "\xE3\x80\x82", "\xEF\xBC\x9F", "\xEF\xBD\xA5", ". "})
    CHECK(is_punctuation(bytes));
  for (const char* bytes : {"", " ", "   ", "a", " a", "'t", ".5", "1", "\xC3\xA9", "\xE4\xB8\xAD", "\xE2\x80", ".\xE2", "\xF0\x9F\x99\x82",
                            "\xC2\xB2", "\xEF\xBC\xA1", "\xE2\x82\xAC"})
    CHECK(!is_punctuation(bytes));
}
