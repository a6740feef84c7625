#include "nudge/rules/adaptive.h"

#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "check.h"
#include "nudge/answer.h"
#include "nudge/nudge.h"
#include "scripted_lane.h"

using namespace nudging;

namespace {

Top1 sure(float probability) {
  Top1 said;
  said.probability = probability;
  said.bytes = "x";
  return said;
}

/// Lets a rule judge these probabilities one after the other. Returns how often the base deferred.
std::size_t judge(Adaptive& rule, const std::vector<float>& probabilities) {
  std::size_t deferred = 0;
  for (const float probability : probabilities) {
    const Top1 said = sure(probability);
    if (!*rule.by_token(said)) ++deferred;
    rule.stands(said);
  }
  return deferred;
}

std::vector<float> random_probabilities(std::size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> even(0, 1);
  std::vector<float> drawn(count);
  for (float& each : drawn) each = even(generator);
  return drawn;
}

}  // namespace

TEST("R22: deferring lowers gamma by step * (1 - rate), speaking raises it by step * rate") {
  Adaptive rule({.start = 0.5F, .rate = 0.25, .step = 0.5, .reach = 1});
  CHECK_EQUAL(*rule.gamma(), 0.5);
  rule.stands(sure(0.4F));
  CHECK_EQUAL(*rule.gamma(), 0.125);
  // As much as gamma is enough.
  rule.stands(sure(0.125F));
  CHECK_EQUAL(*rule.gamma(), 0.25);
}

TEST("R22: gamma stays within reach of where it began") {
  Adaptive rule({.start = 0.5F, .rate = 0.5, .step = 1, .reach = 0.125});
  rule.stands(sure(0.1F));
  CHECK_EQUAL(*rule.gamma(), 0.375);
  rule.stands(sure(0.9F));
  CHECK_EQUAL(*rule.gamma(), 0.625);
}

TEST("R22: with step 0 it is top-1 with gamma, to the bit") {
  Adaptive rule({.start = 0.7F, .rate = 0.25, .step = 0, .reach = 0.15});
  judge(rule, random_probabilities(100, 1));
  CHECK(*rule.by_token(sure(0.7F)));
  CHECK(!*rule.by_token(sure(std::nextafter(0.7F, 0.0F))));
}

TEST("R22: asking changes nothing") {
  Adaptive rule({.start = 0.5F, .rate = 0.5, .step = 0.25, .reach = 1});
  for (int i = 0; i < 10; ++i) rule.by_token(sure(0.1F));
  CHECK_EQUAL(*rule.gamma(), 0.5);
}

TEST("R22: without a limit the share of deferrals is within (1 + step) / (step * n) of the rate, whatever comes") {
  for (const double rate : {0.05, 0.3}) {
    for (const double step : {0.01, 0.1}) {
      for (unsigned seed = 0; seed < 20; ++seed) {
        std::vector<float> probabilities = random_probabilities(500, seed);
        // Sure at first, and then never.
        for (std::size_t i = 250; i < probabilities.size(); ++i) probabilities[i] *= 0.1F;
        Adaptive rule({.start = 0.4F, .rate = rate, .step = step, .reach = 2});
        const double share = static_cast<double>(judge(rule, probabilities)) / 500;
        CHECK(std::abs(share - rate) <= (1 + step) / (step * 500) + 1e-9);
      }
    }
  }
}

TEST("R22: a decision is a tie by the gamma that it was taken with") {
  Adaptive rule({.start = 0.5F, .rate = 0.5, .step = 0.25, .reach = 1});
  const Top1 said = sure(0.49F);
  const Judgement judged{.base = false, .words = std::nullopt, .gamma = rule.gamma()};
  rule.stands(said);
  CHECK(rule.is_close(said, judged, {.probability = 0.02F, .margin = 0}, {}));
  CHECK(!rule.is_close(sure(0.375F), judged, {.probability = 0.02F, .margin = 0}, {}));
}

namespace {

struct Run {
  std::vector<double> gammas;
  std::string rounds;
};

/// Judgements at 0.5, 0.375 (one has deferred), 0.5 and 0.625 (two have not). None of the last three is as with a gamma that stays.
Run run(std::size_t guesses, const std::shared_ptr<const DeferralRule>& rule) {
  ScriptedLane base;
  ScriptedLane aligned;
  base.guesses = guesses;
  aligned.says("", {"The", " old", " sea", " is"});
  base.after("The", " new", 0.45F).after("The old", " port", 0.375F);
  base.after("The old port", " lies", 0.5F).after("The old port lies", " far", 0.6F);
  aligned.says("The old port", {" lies", " here", ScriptedLane::end_of_text});
  Rules rules{.gamma = 0.5F, .lookahead = 4};
  rules.deferral = rule;
  Answer answer({});
  Record record({}, {}, true);
  auto task = nudge(base, aligned, rules, answer, record);
  task.start();
  CHECK(task.done());
  task.take();
  Run result;
  for (const Decision& decision : record.trace()) {
    if (decision.judged) result.gammas.push_back(*decision.judged->gamma);
  }
  for (const Round& round : answer.rounds()) result.rounds += "[" + round.words + "|" + round.base + "]";
  return result;
}

std::shared_ptr<const DeferralRule> adaptive() { return std::make_shared<Adaptive>(Adaptive::Settings{0.5F, 0.5, 0.25, 0.2}); }

}  // namespace

TEST("R22: gamma moves from judgement to judgement, at boundaries and in runs, and is in the trace") {
  const Run plain = run(0, adaptive());
  CHECK_EQUAL(plain.gammas, std::vector<double>{0.5, 0.375, 0.5, 0.625});
  CHECK_EQUAL(plain.rounds, "[The old| port lies][ here|]");
}

TEST("R22: guesses do not move it") {
  const Run guessing = run(2, adaptive());
  CHECK_EQUAL(guessing.gammas, std::vector<double>{0.5, 0.375, 0.5, 0.625});
  CHECK_EQUAL(guessing.rounds, "[The old| port lies][ here|]");
}

TEST("R22: gamma begins anew with each answer") {
  const auto rule = adaptive();
  const Run first = run(0, rule);
  CHECK_EQUAL(run(0, rule).gammas, first.gammas);
}
