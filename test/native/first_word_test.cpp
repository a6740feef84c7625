#include "nudge/first_word.h"

#include <string>
#include <vector>

#include "check.h"
#include "scripted_run.h"

using namespace nudging;

namespace {

/// A generation, and what could be read of the answer whenever a model was asked.
struct Watched {
  ScriptedLane base;
  ScriptedLane aligned;
  Rules rules{.gamma = 0.4F, .lookahead = 4, .ends = {}};
  Limits limits;
  std::vector<std::string> seen;
  std::size_t used = 0;
  std::string text;
  std::string rounds;

  StopReason run() {
    Answer answer(limits);
    Record record;
    const auto look = [&] {
      std::string shown;
      for (std::size_t i = 0; i < answer.reportable(); ++i) shown += answer.pieces()[i].text;
      seen.push_back(shown);
    };
    base.on_question = look;
    aligned.on_question = look;
    Task<StopReason> task = nudge(base, aligned, rules, answer, record);
    const StopReason reason = Run::complete(task);
    used = answer.used();
    text = answer.text();
    for (const Round& round : answer.rounds()) rounds += "[" + round.words + "|" + round.base + "|" + name(round.by) + "]";
    return reason;
  }
};

using Seen = std::vector<std::string>;

}  // namespace

TEST("R65: the first word of a draft is there as soon as the next one begins, and the words behind it with the verdict") {
  Watched run;
  run.aligned.says("", {"So", "me", " words", " cut"}).says("Some words x", {" y", end_of_text});
  run.base.after("Some", "?", 0.1F).after("Some words", " x", 0.9F).after("Some words x", "?", 0.1F);
  CHECK_EQUAL(run.run(), StopReason::end);
  // Four times the aligned model, the base at two boundaries, its run, and the last draft.
  CHECK_EQUAL(run.seen, (Seen{"", "", "", "Some", "Some", "Some", "Some words x", "Some words x", "Some words x"}));
  CHECK_EQUAL(run.rounds, "[Some words| x|confident][ y||end]");
}

TEST("R65: a draft that ends the answer has its first word, and then the rest, as pieces") {
  Run run;
  run.aligned.says("", {"a", " b", " c", end_of_text});
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.rounds, "[a b c||end]");
  CHECK_EQUAL(run.pieces.size(), 2U);
  CHECK_EQUAL(run.pieces[0].text, "a");
  CHECK_EQUAL(run.pieces[1].text, " b c");
  CHECK_EQUAL(run.used, 3U);
}

TEST("R65: the probability at which the base's run broke off is the first word's alone") {
  Run run;
  run.aligned.says("", {"a", " b", " c", " d"}).says("a x", {" e", " f", end_of_text});
  run.base.after("a", " x", 0.9F).after("a x", "?", 0.25F);
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.rounds, "[a| x|confident][ e f||end]");
  CHECK_EQUAL(run.pieces.size(), 4U);
  CHECK_EQUAL(run.pieces[2].text, " e");
  CHECK_EQUAL(run.pieces[2].top_probability.value(), 0.25F);
  CHECK(!run.pieces[3].top_probability.has_value());
}

TEST("R65: a word that takes the last of the budget waits, because an end of text behind it says how the answer ends") {
  Watched fits;
  fits.limits.max_tokens = 2;
  fits.rules.lookahead = 3;
  fits.aligned.says("", {"a", "b ", "c"});
  fits.base.after("ab", "?", 0.1F);
  CHECK_EQUAL(fits.run(), StopReason::length);
  CHECK_EQUAL(fits.seen, (Seen{"", "", "", ""}));
  CHECK_EQUAL(fits.text, "ab");

  Watched more;
  more.limits.max_tokens = 3;
  more.rules.lookahead = 4;
  more.aligned.says("", {"a", "b", " c", " d"});
  more.base.after("ab", "?", 0.1F).after("ab c", "?", 0.1F);
  CHECK_EQUAL(more.run(), StopReason::length);
  CHECK_EQUAL(more.seen, (Seen{"", "", "", "ab", "ab", "ab"}));
  CHECK_EQUAL(more.text, "ab c");
  CHECK_EQUAL(more.used, 3U);
}

TEST("R65: a budget that cuts the draft behind its first word counts that word once") {
  Run run;
  run.limits.max_tokens = 2;
  run.aligned.says("", {"a", " b", " c", end_of_text});
  CHECK_EQUAL(run.run(), StopReason::length);
  CHECK_EQUAL(run.rounds, "[a b||limit]");
  CHECK_EQUAL(run.used, 2U);
}

TEST("R65: where the words may be dropped for being repeated, the first one waits") {
  Watched run;
  run.rules.repeat_limit = 3;
  run.rules.lookahead = 2;
  std::string text;
  for (int round = 0; round < 3; ++round) {
    run.aligned.says(text, {" no", " no"});
    text += " no";
    run.base.after(text, "?", 0.1F);
  }
  CHECK_EQUAL(run.run(), StopReason::stalled);
  CHECK_EQUAL(run.text, " no no");
  // Each round asks the aligned model twice and the base once.
  CHECK_EQUAL(run.seen, (Seen{"", "", " no", " no", " no", " no no", " no no", " no no", " no no"}));
}

TEST("R65, R14: a stop string in the first word ends the answer there; nothing more is drafted, and the base is not asked") {
  Watched run;
  run.limits.stop = {"#"};
  run.aligned.says("", {"a#", " b", " c", " d"});
  CHECK_EQUAL(run.run(), StopReason::stop);
  CHECK_EQUAL(run.text, "a");
  CHECK_EQUAL(run.aligned.questions.size(), 2U);
  CHECK(run.base.questions.empty());
  CHECK_EQUAL(run.used, 1U);
}

TEST("R65: what a stop string may yet cut is held back, the first word like any other") {
  Watched run;
  run.limits.stop = {"a b"};
  run.aligned.says("", {"a", " c", " d", " e"}).says("a c d", {" e", end_of_text});
  run.base.after("a", "?", 0.1F).after("a c", "?", 0.1F).after("a c d", "?", 0.1F);
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.seen[2], "");
  CHECK_EQUAL(run.text, "a c d e");
}
