#include "nudge/nudge.h"

#include "check.h"
#include "nudge/answer.h"
#include "scripted_run.h"

using namespace nudging;

TEST("R1: the aligned model begins and the base is not asked at position 0") {
  Run run;
  run.aligned.says("", {"Yes", ",", " it", " is"}).says("Yes, it is", {".", end_of_text});
  run.base.after("Yes,", " it", 0.9F).after("Yes, it", " is", 0.9F).after("Yes, it is", " so", 0.1F);
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.aligned.questions.front(), "");
  CHECK_EQUAL(run.base.questions.front(), "Yes,");
  CHECK_EQUAL(run.rounds, "[Yes,| it is|agree][.||end]");
}

TEST("R2: every draft and every question starts from the joined text") {
  Run run;
  run.aligned.says("", {"a", " b", " c", " d"}).says("a b x", {end_of_text});
  run.base.after("a", "?", 0.1F).after("a b", " x", 0.8F).after("a b x", "?", 0.1F);
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.aligned.texts, std::vector<std::string>{"", "a b x"});
  CHECK_EQUAL(run.base.texts, std::vector<std::string>{"a", "a b"});
}

TEST("R3: an answer that is one short draft never asks the base") {
  Run run;
  run.aligned.says("", {"No", " way", end_of_text});
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.rounds, "[No way||end]");
  CHECK(run.base.questions.empty());
  CHECK_EQUAL(run.used, 2U);
}

TEST("R3: end of text as the L-th token ends, as token L+1 it is not seen") {
  Run last;
  last.aligned.says("", {"a", " b", " c", end_of_text});
  CHECK_EQUAL(last.run(), StopReason::end);
  CHECK_EQUAL(last.text, "a b c");

  Run beyond;
  beyond.aligned.says("", {"a", " b", " c", " d", end_of_text}).says("a b c", {" d", end_of_text});
  beyond.base.after("a", "?", 0.1F).after("a b", "?", 0.1F).after("a b c", "?", 0.1F);
  CHECK_EQUAL(beyond.run(), StopReason::end);
  CHECK_EQUAL(beyond.rounds, "[a b c||none][ d||end]");
}

TEST("R3: end of text as the first token ends with nothing appended") {
  Run run;
  run.aligned.says("", {end_of_text});
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.rounds, "[||end]");
  CHECK_EQUAL(run.used, 0U);
}

TEST("R3: the draft is L tokens long, never more") {
  Run run;
  run.rules.lookahead = 1;
  run.aligned.says("", {"a"}).says("a", {" b"}).says("a b", {end_of_text});
  CHECK_EQUAL(run.run(), StopReason::end);
  // A draft of one word is taken whole and the base is not asked (R8).
  CHECK_EQUAL(run.rounds, "[a||none][ b||none][||end]");
  CHECK(run.base.questions.empty());
}

TEST("R4: a character split between tokens is one character, and half of one at the end of a draft is left out") {
  Run run;
  run.rules.lookahead = 3;
  run.aligned.says("", {"\xE4\xB8", "\xAD", "\xE4\xB8", "\xAE", end_of_text});
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.rounds, "[\xE4\xB8\xAD||none][\xE4\xB8\xAE||end]");
}

TEST("R4: a token's leading space belongs to its text, also first in the draft") {
  Run run;
  run.aligned.says("", {" a", end_of_text});
  run.run();
  CHECK_EQUAL(run.text, " a");
}

TEST("R7: boundaries are asked from left to right, the one before the last word too") {
  Run run;
  run.aligned.says("", {"a", " b", " c", " d", end_of_text});
  run.base.after("a", "?", 0.1F).after("a b", "?", 0.1F).after("a b c", "?", 0.1F);
  run.run();
  CHECK_EQUAL(run.base.questions, std::vector<std::string>{"a", "a b", "a b c"});
  CHECK_EQUAL(run.rounds, "[a b c||none][ d||end]");
}

TEST("R7a: the base's end of text takes the words so far and never ends the generation") {
  Run run;
  run.aligned.says("", {"a", " b", " c", " d", end_of_text});
  run.base.after("a", end_of_text, 0.99F);
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.rounds, "[a||base-end][ b c d||end]");
}

TEST("R7a: a token with no bytes counts as the base's end, not as agreement") {
  Run run;
  run.aligned.says("", {"a", " b", " c", " d", end_of_text});
  run.base.after("a", control, 0.99F);
  run.run();
  CHECK_EQUAL(run.rounds, "[a||base-end][ b c d||end]");
}

TEST("R7a: a base that ends at once everywhere leaves the aligned model's own answer, one word a round") {
  Run run;
  run.aligned.says("", {"a", " b", " c", " d", " e", end_of_text});
  run.base.after("a", end_of_text).after("a b", end_of_text);
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.rounds, "[a||base-end][ b||base-end][ c d e||end]");
}

TEST("R7b: a token that begins the next word hands over even below gamma") {
  Run run;
  run.aligned.says("", {"a", " bcd", " e", " f"}).says("a b", {end_of_text});
  run.base.after("a", " b", 0.01F).after("a b", "x", 0.1F);
  run.run();
  CHECK_EQUAL(run.rounds, "[a| b|agree][||end]");
}

TEST("R7b: a single space always begins the next word") {
  Run run;
  run.aligned.says("", {"a", " b", " c", " d"}).says("a ", {end_of_text});
  run.base.after("a", " ", 0.01F).after("a ", "x", 0.1F);
  run.run();
  CHECK_EQUAL(run.rounds, "[a| |agree][||end]");
}

TEST("R7b: a cut-off word does not start with a longer token") {
  Run run;
  run.aligned.says("", {"the", " a", "n", "s", "wer", end_of_text});
  run.base.after("the", " answer", 0.1F);
  run.run();
  CHECK_EQUAL(run.rounds, "[the||none][ answer||none][||end]");
}

TEST("R7b: bytes are compared, not characters: half a character can agree") {
  Run run;
  run.rules.lookahead = 2;
  run.aligned.says("", {"a", " \xC3\xA9"}).says("a ", {end_of_text});
  run.base.after("a", " \xC3", 0.01F).after("a \xC3", "x", 0.1F);
  run.run();
  CHECK_EQUAL(run.rounds, "[a| |agree][||end]");
}

TEST("R7c: a confident base takes over with another token; gamma itself is confident") {
  for (const float probability : {0.4F, 0.8F}) {
    Run run;
    run.aligned.says("", {"a", " b", " c", " d"}).says("a x", {end_of_text});
    run.base.after("a", " x", probability).after("a x", "?", 0.1F);
    run.run();
    CHECK_EQUAL(run.rounds, "[a| x|confident][||end]");
  }
}

TEST("R8: the last word is thrown away because L may have cut it") {
  Run run;
  run.aligned.says("", {"a", " b", " c", " wor", "ds", end_of_text});
  run.base.after("a", "?", 0.1F).after("a b", "?", 0.1F).after("a b c", "?", 0.1F);
  run.run();
  CHECK_EQUAL(run.text, "a b c words");
}

TEST("R8: of trailing spaces only the last is dropped") {
  Run run;
  run.rules.lookahead = 3;
  run.aligned.says("", {"a", " b", "  "}).says("a b ", {end_of_text});
  run.base.after("a", "?", 0.1F);
  run.run();
  CHECK_EQUAL(run.rounds, "[a b ||none][||end]");
}

TEST("R5, R7: with several spaces the base sees all but the last of them") {
  Run run;
  run.rules.lookahead = 3;
  run.aligned.says("", {"a", "  ", " b"}).says("a   b", {end_of_text});
  run.base.after("a  ", " b", 0.1F).after("a   b", "?", 0.1F);
  run.run();
  CHECK_EQUAL(run.rounds, "[a  | b|agree][||end]");
}

TEST("R9: the first token of a run is accepted unconditionally, the others while p >= gamma") {
  Run run;
  run.aligned.says("", {"a", " b", " c", " d"}).says("a b e", {end_of_text});
  run.base.after("a", " b", 0.01F).after("a b", " e", 0.4F).after("a b e", " f", 0.39F);
  run.run();
  CHECK_EQUAL(run.rounds, "[a| b e|agree][||end]");
  CHECK_EQUAL(run.base_tokens, 2U);
}

TEST("R9: inside a run the base goes on in its own tokens, without tokenising again") {
  Run run;
  run.aligned.says("", {"a", " b", " c", " d"}).says("a xyz", {end_of_text});
  run.base.after("a", " x", 0.9F).after("a x", "y", 0.9F).after("a xy", "z", 0.9F).after("a xyz", "?", 0.1F);
  run.run();
  CHECK_EQUAL(run.base.texts, std::vector<std::string>{"a"});
}

TEST("R10: the base's end of text ends a run whatever its probability, and never the generation") {
  for (const float probability : {0.01F, 0.99F}) {
    for (const char* silent : {end_of_text, control}) {
      Run run;
      run.aligned.says("", {"a", " b", " c", " d"}).says("a x", {" y", end_of_text});
      run.base.after("a", " x", 0.9F).after("a x", silent, probability);
      CHECK_EQUAL(run.run(), StopReason::end);
      CHECK_EQUAL(run.rounds, "[a| x|confident][ y||end]");
    }
  }
}

TEST("R11: half a character at the end of a run is dropped") {
  Run run;
  run.aligned.says("", {"a", " b", " c", " d"}).says("a x", {end_of_text});
  run.base.after("a", " x", 0.9F).after("a x", "\xE4\xB8", 0.9F).after("a x\xE4\xB8", "?", 0.1F);
  run.run();
  CHECK_EQUAL(run.rounds, "[a| x|confident][||end]");
  CHECK_EQUAL(run.base_tokens, 2U);
}

TEST("R11: a character split between tokens of a run is whole") {
  Run run;
  run.aligned.says("", {"a", " b", " c", " d"}).says("a \xE4\xB8\xAD", {end_of_text});
  run.base.after("a", " \xE4", 0.9F).after("a \xE4", "\xB8\xAD", 0.9F).after("a \xE4\xB8\xAD", "?", 0.1F);
  run.run();
  CHECK_EQUAL(run.rounds, "[a| \xE4\xB8\xAD|confident][||end]");
}

TEST("R12: words cost the smallest number of draft tokens that covers them") {
  Run run;
  run.limits.max_tokens = 3;
  run.aligned.says("", {"th", "e c", "at", " s"});
  run.base.after("the", "?", 0.1F).after("the cat", "?", 0.1F);
  CHECK_EQUAL(run.run(), StopReason::length);
  CHECK_EQUAL(run.rounds, "[the cat||none]");

  // "the" is covered only by the token that also shows " c".
  Run one;
  one.aligned.says("", {"th", "e c", "at", " s"}).says("the dog", {end_of_text});
  one.base.after("the", " dog", 0.9F).after("the dog", "?", 0.1F);
  one.run();
  CHECK_EQUAL(one.used, 3U);
  CHECK_EQUAL(one.base_tokens, 1U);
}

TEST("R13: words are cut to what the remaining tokens show") {
  Run run;
  run.limits.max_tokens = 2;
  run.aligned.says("", {"th", "e c", "at", " s"});
  run.base.after("the", "?", 0.1F).after("the cat", "?", 0.1F);
  CHECK_EQUAL(run.run(), StopReason::length);
  CHECK_EQUAL(run.rounds, "[the c||limit]");
  CHECK_EQUAL(run.used, 2U);
}

TEST("R13: the budget ends a base run at once") {
  Run run;
  run.limits.max_tokens = 2;
  run.aligned.says("", {"a", " b", " c", " d"});
  run.base.after("a", " x", 0.9F);
  CHECK_EQUAL(run.run(), StopReason::length);
  CHECK_EQUAL(run.rounds, "[a| x|confident]");
}

TEST("R13: words that fit exactly end with length and no base token") {
  Run run;
  run.limits.max_tokens = 1;
  run.aligned.says("", {"a", " b", " c", " d"});
  run.base.after("a", " x", 0.9F);
  CHECK_EQUAL(run.run(), StopReason::length);
  CHECK_EQUAL(run.rounds, "[a||confident]");
}

TEST("R13: a draft with end of text that fits exactly ends with end, one that does not with length") {
  Run fits;
  fits.limits.max_tokens = 2;
  fits.aligned.says("", {"a", " b", end_of_text});
  CHECK_EQUAL(fits.run(), StopReason::end);
  CHECK_EQUAL(fits.rounds, "[a b||end]");

  Run cut;
  cut.limits.max_tokens = 1;
  cut.aligned.says("", {"a", " b", end_of_text});
  CHECK_EQUAL(cut.run(), StopReason::length);
  CHECK_EQUAL(cut.rounds, "[a||limit]");
}

TEST("R14: a round that adds nothing stalls") {
  Run silent;
  silent.rules.lookahead = 2;
  silent.aligned.says("", {control, control});
  CHECK_EQUAL(silent.run(), StopReason::stalled);
  CHECK_EQUAL(silent.rounds, "[||none]");

  Run half;
  half.rules.lookahead = 1;
  half.aligned.says("", {"\xE4\xB8"});
  CHECK_EQUAL(half.run(), StopReason::stalled);
}

TEST("R14: a stop string ends the text before it, wherever the pieces break") {
  Run run;
  run.limits.stop = {"\n\n"};
  run.aligned.says("", {"a", " b", " c", " d"});
  run.base.after("a", " x", 0.9F).after("a x", "\n", 0.9F).after("a x\n", "\ny", 0.9F);
  CHECK_EQUAL(run.run(), StopReason::stop);
  CHECK_EQUAL(run.text, "a x");
}

TEST("R14: a stop string across words of a draft; the earliest of several wins") {
  Run run;
  run.limits.stop = {"d", "b c"};
  run.aligned.says("", {"a", " b", " c", " d", end_of_text});
  run.base.after("a", "?", 0.1F).after("a b", "?", 0.1F).after("a b c", "?", 0.1F);
  CHECK_EQUAL(run.run(), StopReason::stop);
  CHECK_EQUAL(run.rounds, "[a ||none]");
}

TEST("R14: a stop string in an ended draft is a stop, not an end") {
  Run run;
  run.limits.stop = {" b"};
  run.aligned.says("", {"a", " b", end_of_text});
  CHECK_EQUAL(run.run(), StopReason::stop);
  CHECK_EQUAL(run.text, "a");
}

TEST("R14: repeated nudging words end only where asked for") {
  Run run;
  run.rules.repeat_limit = 4;
  run.rules.lookahead = 2;
  std::string text;
  for (int round = 0; round < 4; ++round) {
    run.aligned.says(text, {" no", " no"});
    text += " no";
    run.base.after(text, end_of_text);
  }
  CHECK_EQUAL(run.run(), StopReason::stalled);
  CHECK_EQUAL(run.text, " no no no");

  Run unlimited;
  unlimited.rules.lookahead = 2;
  unlimited.limits.max_tokens = 6;
  text.clear();
  for (int round = 0; round < 6; ++round) {
    unlimited.aligned.says(text, {" no", " no"});
    text += " no";
    unlimited.base.after(text, end_of_text);
  }
  CHECK_EQUAL(unlimited.run(), StopReason::length);
  CHECK_EQUAL(unlimited.text, " no no no no no no");
}

TEST("gamma over 1: only agreement hands over, and every run is one token") {
  Run run;
  run.rules.gamma = 1.01F;
  run.aligned.says("", {"a", " b", " c", " d", end_of_text});
  run.base.after("a", " b", 1.0F).after("a b", " y", 1.0F);
  run.run();
  CHECK_EQUAL(run.rounds, "[a| b|agree][ c d||end]");

  Run deaf;
  deaf.rules.gamma = 1.01F;
  deaf.aligned.says("", {"a", " b", " c", " d", end_of_text});
  deaf.base.after("a", " x", 1.0F).after("a b", " x", 1.0F).after("a b c", " x", 1.0F);
  deaf.run();
  CHECK_EQUAL(deaf.rounds, "[a b c||none][ d||end]");
}

TEST("gamma 0: the base takes over at the first boundary and keeps going to its end") {
  Run run;
  run.rules.gamma = 0;
  run.aligned.says("", {"a", " b", " c", " d"}).says("a x y", {end_of_text});
  run.base.after("a", " x", 0.001F).after("a x", " y", 0.0F).after("a x y", end_of_text, 0.001F);
  run.run();
  CHECK_EQUAL(run.rounds, "[a| x y|confident][||end]");
}

TEST("a draft of newlines only is one word") {
  Run run;
  run.rules.lookahead = 2;
  run.aligned.says("", {"\n", "\n"}).says("\n\n", {end_of_text});
  run.run();
  CHECK_EQUAL(run.rounds, "[\n\n||none][||end]");
  CHECK(run.base.questions.empty());
}

TEST("pieces: words carry the probability at which the base was unsure, tokens their own") {
  Run run;
  run.aligned.says("", {"a", " b", " c", " d"}).says("a b x", {" e", " f", " g", " h"}).says("a b x e y", {end_of_text});
  run.base.after("a", "?", 0.25F)
      .after("a b", " x", 0.75F)
      .after("a b x", "?", 0.125F)
      .after("a b x e", " y", 0.5F)
      .after("a b x e y", end_of_text, 0.5F);
  run.run();
  std::string seen;
  for (const Piece& piece : run.pieces)
    seen += piece.text + (piece.source == Source::base ? "!" : "?") + (piece.top_probability ? check::shown(*piece.top_probability) : "-") +
            ";";
  CHECK_EQUAL(seen, "a?-; b?0.25; x!0.75; e?0.125; y!0.5;");
}

TEST("trace: every question is noted with its place") {
  Run run;
  run.rules.lookahead = 2;
  run.aligned.says("", {"a", " b"}).says("a x", {end_of_text});
  run.base.after("a", " x", 0.75F).after("a x", "?", 0.125F);
  run.run();
  std::string seen;
  for (const Decision& decision : run.trace)
    seen += check::shown(static_cast<int>(decision.kind)) + "@" + check::shown(decision.position) + " ";
  CHECK_EQUAL(seen, "2@0 2@1 0@1 1@3 2@3 ");
}

TEST("speculation: the base is told to expect the rest of the draft, as long as it says the same") {
  Run run;
  run.aligned.says("", {"a", " b", " c", " d"}).says("a b x", {end_of_text});
  run.base.after("a", " b", 0.9F).after("a b", " x", 0.9F).after("a b x", "?", 0.1F);
  run.run();
  CHECK_EQUAL(run.base.expected, std::vector<std::string>{" b c d", " c d", ""});
}

TEST("speculation: when the draft is used up the aligned model guesses ahead, and nothing else changes") {
  const auto script = [](Run& run) {
    run.aligned.says("", {"a", " b", " c", " d"}).says("a x", {" y", " z", " q", " r", end_of_text}).says("a x y w", {end_of_text});
    run.base.after("a", " x", 0.9F).after("a x", " y", 0.9F).after("a x y", " w", 0.9F).after("a x y w", "?", 0.1F);
  };
  Run plain;
  script(plain);
  plain.run();
  Run guessing;
  script(guessing);
  guessing.base.guesses = 2;
  guessing.run();
  CHECK_EQUAL(guessing.rounds, plain.rounds);
  CHECK_EQUAL(guessing.trace.size(), plain.trace.size());
  CHECK_EQUAL(guessing.base.expected, std::vector<std::string>{" b c d", " y z", " z", ""});
}

TEST("speculation: guessing ahead stops behind a token that the base hardly ever confirms") {
  Run run;
  run.aligned.says("", {"a", " b", " c", " d"}).after("a x", " y", 0.9F).after("a x y", " z", 0.5F).says("a x w", {end_of_text});
  run.base.after("a", " x", 0.9F).after("a x", " w", 0.9F).after("a x w", "?", 0.1F);
  run.base.guesses = 8;
  run.base.least_trusted = 0.6F;
  CHECK_EQUAL(run.run(), StopReason::end);
  // The last one is what nobody need trust to look at; behind it nothing is asked. (After the run the draft of the next round begins.)
  CHECK_EQUAL(run.base.expected, std::vector<std::string>{" b c d", " y z", ""});
}

TEST("speculation: a guess stays inside the aligned model's context") {
  Run run;
  run.aligned.says("", {"a", " b", " c", " d"}).says("a x", {end_of_text});
  run.aligned.room_left = 0;
  run.base.after("a", " x", 0.9F).after("a x", "?", 0.1F);
  run.base.guesses = 8;
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.aligned.questions, std::vector<std::string>{"", "a", "a b", "a b c", "a x"});
}

TEST("one model alone decodes greedily to its end of text or the budget") {
  Run run;
  run.base.says("", {"a", " b", control, end_of_text}, 0.1F);
  CHECK_EQUAL(run.run_alone(Source::base), StopReason::end);
  CHECK_EQUAL(run.text, "a b");
  CHECK_EQUAL(run.pieces.front().source, Source::base);

  Run cut;
  cut.limits.max_tokens = 1;
  cut.aligned.says("", {"a", " b", end_of_text});
  CHECK_EQUAL(cut.run_alone(Source::nudge), StopReason::length);
  CHECK_EQUAL(cut.pieces.front().source, Source::nudge);
}

namespace {

/// Ties of a run in which everything is far from everything but what `change` says.
template <typename Change>
std::size_t ties_of(Change change) {
  Run run;
  run.base_tolerance = {0.05F, 0.5F};
  run.aligned_tolerance = {0.05F, 0.2F};
  change(run);
  run.aligned.says("", {"a", " b", " c", " d"}).says("a b x", {" y", end_of_text});
  run.base.after("a", "?", 0.1F).after("a b", " x", 0.9F).after("a b x", "?", 0.1F);
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.rounds, "[a b| x|confident][ y||end]");
  return run.ties;
}

}  // namespace

TEST("ties: none where nothing is close") {
  CHECK_EQUAL(ties_of([](Run&) {}), 0U);
}

TEST("ties: γ where γ decides, at a boundary and in a run") {
  CHECK_EQUAL(ties_of([](Run& run) { run.base.after("a", "?", 0.36F); }), 1U);
  CHECK_EQUAL(ties_of([](Run& run) { run.base.after("a b", " x", 0.44F); }), 1U);
  CHECK_EQUAL(ties_of([](Run& run) { run.base.after("a b x", "?", 0.36F); }), 1U);
  CHECK_EQUAL(ties_of([](Run& run) { run.base.after("a", "?", 0.36F).after("a b", " x", 0.44F).after("a b x", "?", 0.36F); }), 3U);
  // As far as the tolerance is far enough.
  CHECK_EQUAL(ties_of([](Run& run) { run.base.after("a", "?", 0.3F).after("a b", " x", 0.5F).after("a b x", "?", 0.3F); }), 0U);
}

TEST("ties: the base's token, at boundaries and as long as its run goes on") {
  CHECK_EQUAL(ties_of([](Run& run) { run.base.after("a", "?", 0.1F, 0.4F); }), 1U);
  CHECK_EQUAL(ties_of([](Run& run) { run.base.after("a b", " x", 0.9F, 0.4F); }), 1U);
  // Below γ the run ends with any token.
  CHECK_EQUAL(ties_of([](Run& run) { run.base.after("a b x", "?", 0.1F, 0.4F); }), 0U);
  CHECK_EQUAL(ties_of([](Run& run) { run.base.after("a", "?", 0.1F, 0.5F).after("a b", " x", 0.9F, 0.5F); }), 0U);
}

TEST("ties: a decision that is close in both ways is one") {
  CHECK_EQUAL(ties_of([](Run& run) { run.base.after("a", "?", 0.36F, 0.4F).after("a b", " x", 0.44F, 0.4F); }), 2U);
}

TEST("ties: drafted tokens that stand in the answer, by the aligned model's own tolerance; those that were dropped do not count") {
  CHECK_EQUAL(ties_of([](Run& run) { run.aligned.after("", "a", 0.9F, 0.1F).after("a", " b", 0.9F, 0.1F); }), 2U);
  CHECK_EQUAL(ties_of([](Run& run) { run.aligned.after("", "a", 0.9F, 0.3F); }), 0U);
  CHECK_EQUAL(ties_of([](Run& run) { run.aligned.after("a b", " c", 0.9F, 0.1F).after("a b c", " d", 0.9F, 0.1F); }), 0U);
}

TEST("ties: the end of the answer is a decision too") {
  CHECK_EQUAL(ties_of([](Run& run) { run.aligned.after("a b x", " y", 0.9F).after("a b x y", end_of_text, 0.9F, 0.1F); }), 1U);
}

TEST("ties: where the base agrees or would end, γ decides nothing, and the token does") {
  const auto ties = [](const std::string& said, float probability, float margin) {
    Run run;
    run.rules.lookahead = 2;
    run.base_tolerance = {0.05F, 0.5F};
    run.aligned.says("", {"a", " b"}).says("a b", {end_of_text}).says("a", {" b"});
    run.base.after("a", said, probability, margin).after("a b", "?", 0.1F);
    run.run();
    return run.ties;
  };
  CHECK_EQUAL(ties(" b", 0.36F, 10), 0U);
  CHECK_EQUAL(ties(" b", 0.36F, 0.4F), 1U);
  CHECK_EQUAL(ties(end_of_text, 0.36F, 10), 0U);
  CHECK_EQUAL(ties(end_of_text, 0.36F, 0.4F), 1U);
}

TEST("ties: words that the base agreed with are in the answer, so their tokens count, once") {
  Run run;
  run.aligned_tolerance = {0.05F, 0.2F};
  run.rules.lookahead = 3;
  run.aligned.after("", "a").after("a", " b", 0.9F, 0.1F).says("a b", {" c", end_of_text});
  run.base.after("a", " b", 0.1F).after("a b", "?", 0.1F);
  run.run();
  CHECK_EQUAL(run.ties, 1U);
}

TEST("ties: a budget that cuts the draft leaves out what lies behind") {
  Run run;
  run.limits.max_tokens = 2;
  run.aligned_tolerance = {0.05F, 0.2F};
  run.aligned.after("", "a", 0.9F, 0.1F).after("a", " b").after("a b", " c", 0.9F, 0.1F).after("a b c", end_of_text, 0.9F, 0.1F);
  CHECK_EQUAL(run.run(), StopReason::length);
  CHECK_EQUAL(run.ties, 1U);
}

TEST("ties: one model alone counts its tokens") {
  for (const Source source : {Source::base, Source::nudge}) {
    Run run;
    (source == Source::base ? run.base_tolerance : run.aligned_tolerance) = {0.05F, 0.2F};
    ScriptedLane& lane = source == Source::base ? run.base : run.aligned;
    lane.after("", "a", 0.41F, 0.1F).after("a", " b", 0.41F).after("a b", end_of_text, 0.9F, 0.1F);
    CHECK_EQUAL(run.run_alone(source), StopReason::end);
    CHECK_EQUAL(run.ties, 2U);
  }
}
