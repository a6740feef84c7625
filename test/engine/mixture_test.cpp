#include "choice/mixture.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "check.h"
#include "choice/logarithm.h"
#include "choice/token_rules.h"
#include "choice/top1.h"
#include "text/one_vocabulary.h"
#include "vocabularies.h"

using namespace nudging;

namespace {

constexpr float never = -std::numeric_limits<float>::infinity();

std::vector<float> some_logits(std::size_t size, float spread, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, spread);
  std::vector<float> logits(size);
  for (float& logit : logits) logit = normal(random);
  return logits;
}

/// In double, without cleverness.
std::vector<double> softmax(const std::vector<float>& logits) {
  const double highest = *std::max_element(logits.begin(), logits.end());
  std::vector<double> probabilities;
  double sum = 0;
  for (const float logit : logits) sum += probabilities.emplace_back(std::exp(static_cast<double>(logit) - highest));
  for (double& one : probabilities) one /= sum;
  return probabilities;
}

std::vector<float> mixture_of(const std::vector<std::vector<float>>& rows, const std::vector<double>& weights) {
  std::vector<float> mixture(rows[0].size());
  weighted(rows[0], most_likely(rows[0]), weights[0], mixture);
  for (std::size_t i = 1; i < rows.size(); ++i) add_weighted(rows[i], most_likely(rows[i]), weights[i], mixture);
  return mixture;
}

}  // namespace

TEST("logarithm: log(1 + x) is near the definition on all of [0, 1]") {
  double worst = 0;
  for (int i = 0; i <= 1000000; ++i) {
    const float x = static_cast<float>(i) * 1e-6F;
    worst = std::max(worst, std::abs(static_cast<double>(log_of_one_and(x)) - std::log1p(static_cast<double>(x))));
  }
  CHECK(worst < 2e-7);
}

TEST("R31: a mixture is the weighted sum of the softmaxes, for every size and spread") {
  for (const std::size_t size : {1, 17, 4096, 151936}) {
    for (const float spread : {0.1F, 4.0F, 60.0F}) {
      const std::vector<std::vector<float>> rows = {some_logits(size, spread, 1), some_logits(size, spread, 2), some_logits(size, 1, 3)};
      const std::vector<double> weights = {0.5, 0.2, 0.3};
      const std::vector<float> mixture = mixture_of(rows, weights);
      std::vector<double> expected(size);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::vector<double> probabilities = softmax(rows[i]);
        for (std::size_t token = 0; token < size; ++token) expected[token] += weights[i] * probabilities[token];
      }
      double worst = 0;
      for (std::size_t token = 0; token < size; ++token) {
        const double log = std::log(expected[token]);
        worst = std::max(worst, std::abs(static_cast<double>(mixture[token]) - log) / std::max(1.0, -log));
      }
      CHECK(worst < 1e-5);
    }
  }
}

TEST("R31: a token that one model bans keeps what the others give it, and one that all ban has nothing") {
  std::vector<std::vector<float>> rows = {some_logits(100, 2, 1), some_logits(100, 2, 2)};
  rows[0][3] = rows[0][4] = rows[1][4] = rows[1][5] = never;
  const std::vector<float> mixture = mixture_of(rows, {0.25, 0.75});
  CHECK(std::abs(static_cast<double>(mixture[3]) - std::log(0.75 * softmax(rows[1])[3])) < 1e-5);
  CHECK(std::abs(static_cast<double>(mixture[5]) - std::log(0.25 * softmax(rows[0])[5])) < 1e-5);
  CHECK_EQUAL(mixture[4], never);
}

TEST("R32: proxy tuning adds what alignment has changed, and what one of the three bans is banned") {
  std::vector<float> base = some_logits(300, 5, 1);
  std::vector<float> aligned = some_logits(300, 5, 2);
  std::vector<float> reference = some_logits(300, 5, 3);
  base[0] = aligned[1] = reference[2] = aligned[3] = reference[3] = never;
  std::vector<float> mixture(300);
  for (const float alpha : {0.0F, 0.5F, 1.0F, 3.0F}) {
    proxy_tuned(base, aligned, reference, alpha, mixture);
    for (std::size_t i = 0; i < 4; ++i) CHECK_EQUAL(mixture[i], never);
    for (std::size_t i = 4; i < mixture.size(); ++i) CHECK(std::abs(mixture[i] - (base[i] + alpha * (aligned[i] - reference[i]))) < 1e-4F);
  }
  proxy_tuned(base, base, base, 1, mixture);
  CHECK(mixture == base);
}

TEST("one vocabulary: each of the collection is one with itself, and no two families are") {
  std::size_t apart = 0;
  for (const auto& one : collections::vocabularies()) {
    CHECK(!first_difference(*one.vocabulary, *one.vocabulary));
    for (const auto& other : collections::vocabularies()) {
      const std::optional<Token> token = first_difference(*one.vocabulary, *other.vocabulary);
      CHECK(token == first_difference(*other.vocabulary, *one.vocabulary));
      if (!token) continue;
      ++apart;
      CHECK(shown_token(*one.vocabulary, *token) != shown_token(*other.vocabulary, *token));
    }
  }
  CHECK(apart > 100);
}

TEST("R36: what is likelier than a token is summed as by the definition, for every size") {
  for (const std::size_t size : {1, 15, 16, 17, 4096, 16385, 151936}) {
    const std::vector<float> logits = some_logits(size, 3, 5);
    const std::vector<double> probabilities = softmax(logits);
    const Top1 top1 = most_likely(logits);
    CHECK_EQUAL(likelier_than(logits, top1, top1.token), 0.0);
    for (const std::size_t token : {std::size_t{0}, size / 2, size - 1}) {
      double expected = 0;
      for (std::size_t i = 0; i < size; ++i) expected += logits[i] > logits[token] ? probabilities[i] : 0;
      CHECK(std::abs(likelier_than(logits, top1, static_cast<Token>(token)) - expected) < 1e-5);
      CHECK(std::abs(probability_of(logits, top1, static_cast<Token>(token)) / probabilities[token] - 1) < 1e-4);
    }
  }
}

TEST("R34: how much the aligned model counts in a blend") {
  TokenRule rule;
  const auto near = [&rule](double base, double aligned, double there, double expected) {
    CHECK(std::abs(blend_weight(rule, base, aligned, there) - expected) < 1e-12);
  };
  near(0.2, 0.6, 0.1, 0.76);
  near(0.3, 0.3, 0.0, 0.5);
  near(0.01, 0.99, 1.0, 1.0);
  rule.weight = TokenRule::Weight::product;
  near(0.2, 0.6, 0.1, 0.528);
  near(0.0, 1.0, 0.5, 1.0);
  rule.weight = TokenRule::Weight::fixed;
  rule.fixed = 0.7;
  near(0.2, 0.6, 0.1, 0.7);
}

TEST("R35, R37: what is rejected, and how far that is from another decision") {
  const std::vector<float> logits = {std::log(0.5F), std::log(0.3F), std::log(0.2F)};
  Top1 drawn = most_likely(logits);
  drawn.token = 1;
  const auto check = [&](TokenRule::Kind kind, double threshold, double aligned, bool rejected, double distance) {
    TokenRule rule;
    rule.kind = kind;
    rule.threshold = threshold;
    const Rejection found = rejection(rule, logits, drawn, aligned);
    CHECK_EQUAL(found.rejected, rejected);
    CHECK(std::abs(found.distance - distance) < 1e-5);
  };
  check(TokenRule::Kind::kad_dual, 0.4, 0, true, 0.1);
  check(TokenRule::Kind::kad_dual, 0.25, 0, false, 0.05);
  check(TokenRule::Kind::bet, 0.2, 0.6, true, 0.1);
  check(TokenRule::Kind::bet, 0.2, 0.4, false, 0.1);
  check(TokenRule::Kind::kad_primal, 0.55, 0, true, 0.05);
  check(TokenRule::Kind::kad_primal, 0.45, 0, false, 0.05);
}
