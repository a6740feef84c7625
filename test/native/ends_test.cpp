#include "nudge/ends.h"

#include "check.h"
#include "nudge/nudge.h"
#include "scripted_run.h"

using namespace nudging;

namespace {

/// A base that would end behind "a" with this probability, and an aligned model that would go on there.
StopReason base_ends_at_a_boundary(Run& run, float probability) {
  run.aligned.says("", {"a", " b", " c", " d", end_of_text});
  run.base.after("a", end_of_text, probability);
  return run.run();
}

/// The same in a run of the base.
StopReason base_ends_in_its_run(Run& run, float probability) {
  run.aligned.says("", {"a", " b", " c", " d"}).says("a x", {" y", end_of_text});
  run.base.after("a", " x", 0.9F).after("a x", end_of_text, probability);
  return run.run();
}

}  // namespace

TEST("R3: whose end it was is told, also of one model alone") {
  Run both;
  both.aligned.says("", {"a", end_of_text});
  CHECK_EQUAL(both.run(), StopReason::end);
  CHECK(both.ended_by == Source::nudge);

  for (const Source source : {Source::base, Source::nudge}) {
    Run alone;
    alone.base.says("", {"a", end_of_text});
    alone.aligned.says("", {"a", end_of_text});
    CHECK_EQUAL(alone.run_alone(source), StopReason::end);
    CHECK(alone.ended_by == source);
  }
}

TEST("R13, R14: a budget and a stop string are nobody's end") {
  Run cut;
  cut.limits.max_tokens = 1;
  cut.aligned.says("", {"a", " b", end_of_text});
  CHECK_EQUAL(cut.run(), StopReason::length);
  CHECK(!cut.ended_by);

  Run stopped;
  stopped.limits.stop = {" b"};
  stopped.aligned.says("", {"a", " b", end_of_text});
  CHECK_EQUAL(stopped.run(), StopReason::stop);
  CHECK(!stopped.ended_by);
}

TEST("R23: either may end: a sure base at a boundary, behind the words up to there") {
  for (const EndRule rule : {EndRule::either, EndRule::base}) {
    Run run;
    run.rules.ends.rule = rule;
    CHECK_EQUAL(base_ends_at_a_boundary(run, 0.9F), StopReason::end);
    CHECK_EQUAL(run.rounds, "[a||base-end]");
    CHECK(run.ended_by == Source::base);
    CHECK_EQUAL(run.used, 1U);
  }
}

TEST("R23: a base that is less sure gives way as ever (R7a, R10)") {
  Run boundary;
  boundary.rules.ends.rule = EndRule::either;
  CHECK_EQUAL(base_ends_at_a_boundary(boundary, 0.89F), StopReason::end);
  CHECK_EQUAL(boundary.rounds, "[a||base-end][ b c d||end]");
  CHECK(boundary.ended_by == Source::nudge);

  Run run;
  run.rules.ends.rule = EndRule::either;
  CHECK_EQUAL(base_ends_in_its_run(run, 0.89F), StopReason::end);
  CHECK_EQUAL(run.rounds, "[a| x|confident][ y||end]");
  CHECK(run.ended_by == Source::nudge);
}

TEST("R23: a sure base in its run") {
  for (const EndRule rule : {EndRule::either, EndRule::base}) {
    Run run;
    run.rules.ends.rule = rule;
    CHECK_EQUAL(base_ends_in_its_run(run, 0.9F), StopReason::end);
    CHECK_EQUAL(run.rounds, "[a| x|confident]");
    CHECK(run.ended_by == Source::base);
  }
}

TEST("R23: how sure it must be is the request's, also below gamma") {
  Run run;
  run.rules.ends = {.rule = EndRule::either, .certainty = 0.2F};
  CHECK_EQUAL(base_ends_in_its_run(run, 0.25F), StopReason::end);
  CHECK(run.ended_by == Source::base);
}

TEST("R23: a token that shows nothing is no end, however sure the base is") {
  Run run;
  run.rules.ends.rule = EndRule::either;
  run.aligned.says("", {"a", " b", " c", " d", end_of_text});
  run.base.after("a", control, 1.0F);
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.rounds, "[a||base-end][ b c d||end]");
}

TEST("R13, R23: the base's end costs nothing, and a stop string goes before it") {
  Run fits;
  fits.limits.max_tokens = 1;
  fits.rules.ends.rule = EndRule::either;
  CHECK_EQUAL(base_ends_at_a_boundary(fits, 0.9F), StopReason::end);
  CHECK_EQUAL(fits.used, 1U);

  Run stopped;
  stopped.limits.stop = {"a"};
  stopped.rules.ends.rule = EndRule::either;
  CHECK_EQUAL(base_ends_at_a_boundary(stopped, 0.9F), StopReason::stop);
  CHECK(!stopped.ended_by);

  Run cut;
  cut.limits.max_tokens = 1;
  cut.rules.ends.rule = EndRule::either;
  cut.aligned.says("", {"a", " b", " c", " d"});
  cut.base.after("a", "?", 0.1F).after("a b", end_of_text);
  CHECK_EQUAL(cut.run(), StopReason::length);
  CHECK_EQUAL(cut.rounds, "[a||limit]");
  CHECK(!cut.ended_by);
}

TEST("R23: the base alone ends: the aligned model's end leaves an ordinary draft, and then the base has the word") {
  Run run;
  run.rules.ends.rule = EndRule::base;
  run.aligned.says("", {"a", " b", end_of_text}).says("a b x y", {" z", end_of_text});
  run.base.after("a", "?", 0.1F).after("a b", " x", 0.1F).after("a b x", " y", 0.5F).after("a b x y", "?", 0.1F);
  run.base.after("a b x y z", end_of_text, 0.1F);
  CHECK_EQUAL(run.run(), StopReason::end);
  // Where both would end, the base need not be sure.
  CHECK_EQUAL(run.rounds, "[a b||none][| x y|end][ z||none][||base-end]");
  CHECK(run.ended_by == Source::base);
  CHECK_EQUAL(run.used, 5U);
  CHECK_EQUAL(run.base_tokens, 2U);
}

TEST("R23: a base that never ends goes on to the budget where the aligned model has nothing to say") {
  Run run;
  run.rules.ends.rule = EndRule::base;
  run.rules.repeat_limit = 2;
  run.limits.max_tokens = 5;
  std::string text;
  for (int token = 0; token < 5; ++token) {
    run.aligned.says(text, {end_of_text});
    run.base.after(text, " x", 0.1F);
    text += " x";
  }
  CHECK_EQUAL(run.run(), StopReason::length);
  CHECK_EQUAL(run.text, " x x x x x");
  CHECK(!run.ended_by);
}

TEST("R14, R23: where the aligned model has nothing to say and the base shows nothing, it stalls") {
  Run run;
  run.rules.ends.rule = EndRule::base;
  run.aligned.says("", {end_of_text});
  run.base.after("", control);
  CHECK_EQUAL(run.run(), StopReason::stalled);
  CHECK_EQUAL(run.rounds, "[||base-end]");
}

TEST("R24: checked, a short draft is asked about, and ends the answer if nobody takes over") {
  Run run;
  run.rules.ends.checks_short_drafts = true;
  run.aligned.says("", {"a", " b", " c", end_of_text});
  run.base.after("a", "?", 0.25F).after("a b", "?", 0.125F);
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.base.questions, std::vector<std::string>{"a", "a b"});
  CHECK_EQUAL(run.rounds, "[a b c||end]");
  CHECK(run.ended_by == Source::nudge);
  std::string seen;
  for (const Piece& piece : run.pieces) seen += piece.text + (piece.top_probability ? check::shown(*piece.top_probability) : "-") + ";";
  CHECK_EQUAL(seen, "a-; b0.25; c0.125;");
}

TEST("R24: checked, the base takes over a short draft, and the answer goes on") {
  Run run;
  run.rules.ends.checks_short_drafts = true;
  run.aligned.says("", {"a", " b", end_of_text}).says("a x", {end_of_text});
  run.base.after("a", " x", 0.9F).after("a x", "?", 0.1F);
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.rounds, "[a| x|confident][||end]");
  CHECK_EQUAL(run.used, 2U);
}

TEST("R24: checked, the base's wish to end takes the words up to there (R7a), or ends the answer (R23)") {
  Run gives_way;
  gives_way.rules.ends.checks_short_drafts = true;
  gives_way.aligned.says("", {"a", " b", end_of_text});
  gives_way.base.after("a", end_of_text, 1.0F);
  CHECK_EQUAL(gives_way.run(), StopReason::end);
  CHECK_EQUAL(gives_way.rounds, "[a||base-end][ b||end]");
  CHECK(gives_way.ended_by == Source::nudge);

  Run ends;
  ends.rules.ends = {.rule = EndRule::either, .checks_short_drafts = true};
  ends.aligned.says("", {"a", " b", end_of_text});
  ends.base.after("a", end_of_text, 1.0F);
  CHECK_EQUAL(ends.run(), StopReason::end);
  CHECK_EQUAL(ends.rounds, "[a||base-end]");
  CHECK(ends.ended_by == Source::base);
}

TEST("R13, R24: a checked draft that does not fit is cut") {
  Run run;
  run.limits.max_tokens = 2;
  run.rules.ends.checks_short_drafts = true;
  run.aligned.says("", {"a", " b", " c", end_of_text});
  run.base.after("a", "?", 0.1F).after("a b", "?", 0.1F);
  CHECK_EQUAL(run.run(), StopReason::length);
  CHECK_EQUAL(run.rounds, "[a b||limit]");
  CHECK(!run.ended_by);
}

TEST("ties: how sure the base is of the end decides, once, and only where it may end") {
  const auto ties = [](EndRule rule, float probability, float margin) {
    Run run;
    run.rules.ends.rule = rule;
    run.base_tolerance = {0.05F, 0.5F};
    run.aligned.says("", {"a", " b", " c", " d"}).says("a x", {" y", end_of_text});
    run.base.after("a", " x", 0.99F).after("a x", end_of_text, probability, margin);
    run.run();
    return run.ties;
  };
  CHECK_EQUAL(ties(EndRule::either, 0.88F, 10), 1U);
  CHECK_EQUAL(ties(EndRule::either, 0.92F, 10), 1U);
  CHECK_EQUAL(ties(EndRule::either, 0.92F, 0.4F), 1U);
  CHECK_EQUAL(ties(EndRule::either, 0.8F, 10), 0U);
  CHECK_EQUAL(ties(EndRule::either, 0.99F, 10), 0U);
  CHECK_EQUAL(ties(EndRule::aligned, 0.88F, 10), 0U);

  const auto at_a_boundary = [](float probability) {
    Run run;
    run.rules.ends.rule = EndRule::either;
    run.base_tolerance = {0.05F, 0.5F};
    base_ends_at_a_boundary(run, probability);
    return run.ties;
  };
  CHECK_EQUAL(at_a_boundary(0.92F), 1U);
  CHECK_EQUAL(at_a_boundary(0.99F), 0U);
}

TEST("ties: a checked draft counts as far as it stands in the answer, and its end only if it ends there") {
  const auto ties = [](bool takes_over) {
    Run run;
    run.rules.ends.checks_short_drafts = true;
    run.aligned_tolerance = {0.05F, 0.2F};
    run.aligned.after("", "a").after("a", " b", 0.9F, 0.1F).after("a b", end_of_text, 0.9F, 0.1F).says("a x", {end_of_text});
    run.base.after("a", " x", takes_over ? 0.9F : 0.1F).after("a x", "?", 0.1F);
    run.run();
    return run.ties;
  };
  CHECK_EQUAL(ties(true), 0U);
  CHECK_EQUAL(ties(false), 2U);
}
