#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "check.h"
#include "nudge/answer.h"
#include "nudge/nudge.h"
#include "nudge/rules/bet.h"
#include "nudge/rules/entropy.h"
#include "nudge/rules/hybrid.h"
#include "nudge/rules/margin.h"
#include "scripted_lane.h"

using namespace nudging;

namespace {

constexpr auto end_of_text = ScriptedLane::end_of_text;
constexpr auto control = ScriptedLane::control;

/// One generation over scripted models by another rule than the paper's.
struct Run {
  ScriptedLane base;
  ScriptedLane aligned;
  std::shared_ptr<const DeferralRule> rule;
  std::size_t lookahead = 4;
  std::size_t max_tokens = 256;
  Tolerance base_tolerance = {};
  Tolerance aligned_tolerance = {};
  std::string rounds;
  Trace trace;
  std::size_t ties = 0;

  explicit Run(std::shared_ptr<const DeferralRule> by) : rule(std::move(by)) {}

  StopReason run() {
    Answer answer(Limits{.max_tokens = max_tokens, .stop = {}, .thinking = std::nullopt});
    Record record(base_tolerance, aligned_tolerance, true);
    Rules rules;
    rules.deferral = rule;
    rules.lookahead = lookahead;
    auto task = nudge(base, aligned, rules, answer, record);
    task.start();
    CHECK(task.done());
    const StopReason reason = task.take();
    constexpr const char* names[] = {"agree", "confident", "base-end", "none", "end", "limit"};
    for (const Round& round : answer.rounds())
      rounds += "[" + round.words + "|" + round.base + "|" + names[static_cast<int>(round.by)] + "]";
    trace = record.trace();
    ties = record.ties();
    return reason;
  }

  /// The words that were compared: where, and how probable.
  std::string compared() const {
    std::string all;
    for (const Decision& decision : trace) {
      if (!decision.judged || !decision.judged->words) continue;
      const auto& [base_word, aligned_word] = *decision.judged->words;
      all += check::shown(decision.position) + ": " + check::shown(base_word) + " " + check::shown(aligned_word) +
             (decision.judged->base ? " base; " : " aligned; ");
    }
    return all;
  }
};

auto bet(float lambda) { return std::make_shared<Bet>(lambda); }

}  // namespace

TEST("R18: at a boundary the base's word is compared with the aligned model's, not its token") {
  // The base's first token alone, 0.5, would win over the word's 0.4; its word has 0.25.
  const auto script = [](Run& run) {
    run.aligned.after("", "a").after("a", " b", 0.5F).after("a b", "c", 0.8125F).after("a bc", " d", 0.9F);
    run.base.after("a", " x", 0.5F).after("a x", "y", 0.5F).after("a xy", " z", 0.1F);
    run.base.after("a bc", "?", 0.0F);
  };
  Run defers(bet(0.125F));
  script(defers);
  defers.aligned.after("a bc d", end_of_text).says("a bc", {" d", end_of_text});
  CHECK_EQUAL(defers.run(), StopReason::end);
  CHECK_EQUAL(defers.rounds, "[a bc||none][ d||end]");
  CHECK_EQUAL(defers.compared(), "1: 0.25 0.40625 aligned; 4: 0 0.9 aligned; ");

  Run speaks(bet(0.1875F));
  script(speaks);
  speaks.aligned.says("a xy", {end_of_text});
  CHECK_EQUAL(speaks.run(), StopReason::end);
  CHECK_EQUAL(speaks.rounds, "[a| xy|confident][||end]");
  // In the run the aligned model would end, which it finds 0.9 probable.
  CHECK_EQUAL(speaks.compared(), "1: 0.25 0.40625 base; 4: 0.1 0.9 aligned; ");
}

TEST("R18: λ itself is enough") {
  Run run(bet(0.25F));
  run.aligned.after("", "a").after("a", " b", 0.75F).says("a b", {" c", " d"}).says("a x", {end_of_text});
  run.base.after("a", " x", 0.5F).after("a x", " y", 0.0F);
  run.run();
  CHECK_EQUAL(run.rounds, "[a| x|confident][||end]");
}

TEST("R18: a word that has fallen too far is not read to its end, and what was read is taken back") {
  Run run(bet(0));
  run.aligned.after("", "a").after("a", " b", 0.5F).says("a b", {" c", " d", end_of_text});
  run.base.after("a", " x", 0.75F).after("a x", "y", 0.5F).after("a b", "?", 0.1F).after("a b c", "?", 0.1F);
  CHECK_EQUAL(run.run(), StopReason::end);
  CHECK_EQUAL(run.base.questions, std::vector<std::string>{"a", "a x", "a b", "a b c"});
  CHECK_EQUAL(run.compared(), "1: 0.375 0.5 aligned; 3: 0.1 0.9 aligned; 5: 0.1 0.9 aligned; ");
}

TEST("R18: the tokens of a word that the base speaks are not asked about again, and decide nothing more") {
  Run run(bet(0.1F));
  run.aligned.after("", "a").after("a", " b", 0.25F).says("a b", {" c", " d"}).says("a xyz", {end_of_text});
  run.base.after("a", " x", 0.9F).after("a x", "y", 0.5F).after("a xy", "z", 0.5F).after("a xyz", " w", 0.1F);
  run.run();
  CHECK_EQUAL(run.rounds, "[a| xyz|confident][||end]");
  // Once when the word was read, once when it was spoken: the second time the answers are at hand.
  CHECK_EQUAL(run.base.questions, std::vector<std::string>{"a", "a x", "a xy", "a xyz", "a x", "a xy", "a xyz"});
  // A word that is known needs no guess. What is expected behind it is what the aligned model has said: nothing.
  CHECK_EQUAL(run.base.expected, std::vector<std::string>{" b c d", "", "", ""});
  std::string judged;
  for (const Decision& decision : run.trace) {
    if (decision.judged) judged += decision.judged->base ? "+" : "-";
  }
  CHECK_EQUAL(judged, "+++-");
}

TEST("R18: agreement hands over whatever the bet says; the rest of the word is judged with it") {
  // "b" agrees; the word " bx" is then compared with the whole of " bc".
  Run run(bet(0));
  run.aligned.after("", "a").after("a", " bc", 0.5F).says("a bc", {" d", " e"}).says("a b", {end_of_text});
  run.base.after("a", " b", 0.5F).after("a b", "x", 0.5F);
  run.run();
  CHECK_EQUAL(run.rounds, "[a| b|agree][||end]");
  CHECK_EQUAL(run.compared(), "3: 0.25 0.5 aligned; ");

  // A word that is all agreed is not compared.
  Run whole(bet(0));
  whole.aligned.after("", "a").after("a", " b", 0.9F).says("a b", {" c", " d", end_of_text}, 0.5F);
  whole.base.after("a", " b", 0.1F).after("a b", " x", 0.1F);
  whole.run();
  CHECK_EQUAL(whole.rounds, "[a| b|agree][ c d||end]");
  CHECK_EQUAL(whole.compared(), "3: 0.1 0.5 aligned; ");
}

TEST("R18: the aligned model's draft serves as long as the base says the same, and goes on by a word") {
  Run run(bet(0.5F));
  run.lookahead = 3;
  run.aligned.says("", {"a", " b", " c", " d", " e"}, 0.5F).says("a b c x", {" y", end_of_text});
  run.base.says("a", {" b", " c", " x", " z"}, 0.5F).after("a b c x z", end_of_text);
  run.aligned.says("a b c x z", {end_of_text});
  run.run();
  CHECK_EQUAL(run.rounds, "[a| b c x z|agree][||end]");
  // The draft of three tokens; behind " c" it goes on to see that " d" is a word; behind " x" another one is begun.
  const std::vector<std::string> asked(run.aligned.questions.begin(), run.aligned.questions.begin() + 7);
  CHECK_EQUAL(asked, (std::vector<std::string>{"", "a", "a b", "a b c", "a b c d", "a b c x", "a b c x y"}));
}

TEST("R18: the word that the aligned model would say is what the base is told to expect") {
  Run run(bet(0.5F));
  run.aligned.says("", {"a", " b", " c", " d"}).says("a x", {" y", " z", end_of_text});
  run.base.after("a", " x", 0.5F).after("a x", " y", 0.5F).after("a x y", " q", 0.0F);
  run.run();
  CHECK_EQUAL(run.rounds, "[a| x y|confident][ z||end]");
  CHECK_EQUAL(run.base.expected, std::vector<std::string>{" b c d", "", " z"});
}

TEST("R18: the aligned model's token that has begun before its word is taken for certain, and the one behind it does not count") {
  Run run(bet(0));
  run.aligned.after("", "a ", 0.5F).after("a ", "b", 0.25F).after("a b", " ", 0.125F).after("a b ", "c", 0.125F);
  run.base.after("a", " x", 0.3F).after("a x", " y", 0.0F).after("a b", " x", 0.0F);
  run.aligned.says("a x", {end_of_text});
  run.run();
  CHECK_EQUAL(run.rounds, "[a| x|confident][||end]");
  CHECK_EQUAL(run.compared().substr(0, 17), "1: 0.3 0.25 base;");
}

TEST("R18: an aligned model that would end has its end for a word; behind a word the end is none of it") {
  Run run(bet(0));
  run.aligned.says("", {"a", " b", " c", " d"}).says("a x", {end_of_text}, 0.75F);
  run.base.after("a", " x", 1.0F).after("a x", " y", 0.5F).after("a x y", " z", 0.5F);
  run.run();
  CHECK_EQUAL(run.rounds, "[a| x|confident][||end]");
  CHECK_EQUAL(run.compared(), "1: 1 0.9 base; 3: 0.5 0.75 aligned; ");

  Run behind(bet(0));
  behind.aligned.says("", {"a", " b", " c", " d"}).after("a x", " y", 0.5F).after("a x y", end_of_text, 0.25F);
  behind.base.after("a", " x", 1.0F).after("a x", " y", 0.5F).after("a x y", end_of_text, 0.5F);
  behind.run();
  CHECK_EQUAL(behind.rounds, "[a| x y|confident][||end]");
  CHECK_EQUAL(behind.compared(), "1: 1 0.9 base; 3: 0.5 0.5 base; ");
}

TEST("R18: what shows nothing ends the base's word") {
  for (const char* silent : {end_of_text, control}) {
    Run run(bet(0));
    run.aligned.says("", {"a", " b", " c", " d"}, 0.5F).says("a x", {end_of_text});
    run.base.after("a", " x", 0.75F).after("a x", silent, 0.1F);
    run.run();
    CHECK_EQUAL(run.rounds, "[a| x|confident][||end]");
    CHECK_EQUAL(run.compared(), "1: 0.75 0.5 base; ");
  }
}

TEST("R18: a word is at most L tokens; the next one begins behind them") {
  Run run(bet(0));
  run.lookahead = 2;
  run.aligned.says("", {"a", " b"})
      .after("a b", "c", 0.5F)
      .after("a xy", "z", 0.5F)
      .after("a xyz", "z", 0.5F)
      .says("a xyzz", {end_of_text});
  run.aligned.after("a xyzz", end_of_text);
  run.base.says("a", {" x", "y", "z", "z", "z"}, 0.75F).after("a b", "?", 0);
  run.max_tokens = 5;
  CHECK_EQUAL(run.run(), StopReason::length);
  CHECK_EQUAL(run.rounds, "[a| xyzz|confident]");
  CHECK_EQUAL(run.compared(), "1: 0.5625 0.45 base; 4: 0.5625 0.25 base; ");
}

TEST("R18: λ 1 never defers, whatever the words are") {
  Run run(bet(1));
  run.aligned.says("", {"a", " b", " c", " d"}, 1).says("a x", {" b", end_of_text}, 1).says("a x y", {end_of_text}, 1);
  run.base.after("a", " x", 0.0F).after("a x", " y", 0.0F).after("a x y", end_of_text, 0.0F);
  run.run();
  CHECK_EQUAL(run.rounds, "[a| x y|confident][||end]");
}

TEST("R19: below low it defers and from high on it speaks, without asking the aligned model; in between the bet holds") {
  const auto rule = std::make_shared<Hybrid>(0.25F, 0.5F, 0.0F);
  Run run(rule);
  run.aligned.says("", {"a", " b", " c", " d"}, 0.375F).says("a b x", {end_of_text});
  // Below low though the bet would speak; high itself speaks though the bet would not.
  run.base.after("a", " x", 0.125F).after("a b", " x", 0.5F).after("a b x", " y", 0.125F);
  run.run();
  CHECK_EQUAL(run.rounds, "[a b| x|confident][||end]");
  CHECK_EQUAL(run.compared(), "");
  CHECK_EQUAL(run.aligned.texts, std::vector<std::string>{"", "a b x"});

  Run between(rule);
  between.aligned.says("", {"a", " b", " c", " d"}, 0.375F).says("a x", {" z", end_of_text}, 0.375F);
  // Low itself is in between.
  between.base.after("a", " x", 0.4375F).after("a x", " y", 0.25F);
  between.run();
  CHECK_EQUAL(between.compared(), "1: 0.4375 0.375 base; 3: 0.25 0.375 aligned; ");
}

TEST("R19: in the middle of a word the whole word is judged, and thresholds hold for every token") {
  const auto rule = std::make_shared<Hybrid>(0.25F, 0.75F, 0.0F);
  Run run(rule);
  run.aligned.says("", {"a", " b", " c", " d"}, 0.5F).says("a x", {end_of_text});
  run.base.after("a", " x", 1.0F).after("a x", "y", 0.4375F).after("a xy", " z", 0.1F);
  run.run();
  // " xy" has 0.4375, " b" 0.5.
  CHECK_EQUAL(run.rounds, "[a| x|confident][||end]");
  CHECK_EQUAL(run.compared(), "3: 0.4375 0.5 aligned; ");

  Run low(rule);
  low.aligned.says("", {"a", " b", " c", " d"}, 0.0625F).says("a x", {end_of_text});
  low.base.after("a", " x", 0.5F).after("a x", "y", 0.2F).after("a xy", " z", 0.1F);
  low.run();
  // The bet was won, and the second token is below low all the same.
  CHECK_EQUAL(low.rounds, "[a| x|confident][||end]");
}

TEST("R20: the margin is that of the two best probabilities, and itself enough") {
  Run run(std::make_shared<Margin>(0.25F));
  run.aligned.says("", {"a", " b", " c", " d"}).says("a b x y", {end_of_text});
  run.base.after("a", "?", 0.9F).after("a b", " x", 0.3F).after("a b x", " y", 0.5F).after("a b x y", " z", 0.5F);
  run.base.measured("a", 0.75F, {}).measured("a b", 0.05F, {}).measured("a b x", 0.25F, {}).measured("a b x y", 0.3F, {});
  run.run();
  CHECK_EQUAL(run.rounds, "[a b| x y|confident][||end]");
}

TEST("R21: the entropy is at most the limit") {
  Run run(std::make_shared<Entropy>(0.5F));
  run.aligned.says("", {"a", " b", " c", " d"}).says("a b x y", {end_of_text});
  run.base.after("a", "?", 0.9F).after("a b", " x", 0.1F).after("a b x", " y", 0.1F).after("a b x y", " z", 0.9F);
  run.base.measured("a", {}, 0.75F).measured("a b", {}, 0.25F).measured("a b x", {}, 0.5F).measured("a b x y", {}, 0.51F);
  run.run();
  CHECK_EQUAL(run.rounds, "[a b| x y|confident][||end]");
}

TEST("rules say what has to be measured") {
  CHECK(Bet(0).measures() == Measures{});
  CHECK(Hybrid(0, 1, 0).measures() == Measures{});
  CHECK(Margin(0).measures() == (Measures{.runner_up = true}));
  CHECK(Entropy(0).measures() == (Measures{.entropy = true}));
}

namespace {

constexpr Tolerance base_moves{0.05F, 0.5F};
constexpr Tolerance aligned_moves{0.1F, 0.2F};

Top1 said(float probability, std::optional<float> runner_up = {}, std::optional<float> entropy = {}) {
  Top1 top1;
  top1.probability = probability;
  top1.runner_up = runner_up;
  top1.entropy = entropy;
  return top1;
}

/// Whether a rule's decision is close, its words being so probable.
bool is_close(const DeferralRule& rule, const Top1& top1, std::optional<WordPair> words = std::nullopt) {
  Judgement judged{rule.by_token(top1).value_or(false), words};
  if (words) judged.base = rule.by_words(*words);
  return rule.is_close(top1, judged, base_moves, aligned_moves);
}

}  // namespace

TEST("ties: the bet is close where both models' tolerances together reach") {
  const Bet rule(0.2F);
  CHECK(is_close(rule, said(0.5F), WordPair{0.5F, 0.84F}));
  CHECK(is_close(rule, said(0.5F), WordPair{0.5F, 0.56F}));
  CHECK(!is_close(rule, said(0.5F), WordPair{0.5F, 0.86F}));
  CHECK(!is_close(rule, said(0.5F), WordPair{0.5F, 0.54F}));
  CHECK(!is_close(rule, said(0.5F)));
}

TEST("ties: the hybrid's limits are close where crossing them turns the decision") {
  const Hybrid rule(0.25F, 0.5F, 0.0F);
  CHECK(is_close(rule, said(0.22F)));
  CHECK(is_close(rule, said(0.53F)));
  CHECK(!is_close(rule, said(0.15F)));
  // In between and won: only down is another decision. Lost: only up.
  CHECK(is_close(rule, said(0.28F), WordPair{0.9F, 0.1F}));
  CHECK(!is_close(rule, said(0.48F), WordPair{0.9F, 0.1F}));
  CHECK(!is_close(rule, said(0.28F), WordPair{0.1F, 0.9F}));
  CHECK(is_close(rule, said(0.48F), WordPair{0.1F, 0.9F}));
  CHECK(is_close(rule, said(0.375F), WordPair{0.5F, 0.5F}));
}

TEST("ties: the margin moves twice as far as a probability, the entropy as far as logits") {
  CHECK(is_close(Margin(0.25F), said(0.5F, 0.16F)));
  CHECK(!is_close(Margin(0.25F), said(0.5F, 0.1F)));
  CHECK(is_close(Entropy(1.0F), said(0.5F, {}, 1.4F)));
  CHECK(!is_close(Entropy(1.0F), said(0.5F, {}, 1.6F)));
}

TEST("ties: a word that was lost by little counts once") {
  const auto ties = [](float probability) {
    Run run(bet(0));
    run.base_tolerance = base_moves;
    run.aligned_tolerance = aligned_moves;
    run.aligned.says("", {"a", " b", " c", " d", end_of_text}, 0.5F);
    run.base.after("a", "?", probability).after("a b", "?", 0.1F).after("a b c", "?", 0.1F);
    run.run();
    return run.ties;
  };
  CHECK_EQUAL(ties(0.1F), 0U);
  CHECK_EQUAL(ties(0.4F), 1U);
}
