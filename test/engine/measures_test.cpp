#include "choice/measures.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "check.h"
#include "choice/top1.h"

using namespace nudging;

namespace {

constexpr Measures all{.runner_up = true, .entropy = true};
constexpr float never = -std::numeric_limits<float>::infinity();

Top1 measured(const std::vector<float>& logits) {
  Top1 top1 = most_likely(logits);
  measure(logits, all, top1);
  return top1;
}

/// The definitions, in double and without cleverness: softmax, its second largest, and -Σ p log p.
struct Expected {
  double runner_up = 0;
  double entropy = 0;

  explicit Expected(const std::vector<float>& logits) {
    const double highest = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - highest);
    std::vector<double> probabilities;
    for (const float logit : logits) probabilities.push_back(std::exp(static_cast<double>(logit) - highest) / sum);
    for (const double p : probabilities) entropy -= p > 0 ? p * std::log(p) : 0;
    std::sort(probabilities.begin(), probabilities.end());
    if (probabilities.size() > 1) runner_up = probabilities[probabilities.size() - 2];
  }
};

}  // namespace

TEST("measures: runner-up and entropy are those of the definition, for every size and spread") {
  std::mt19937 random(7);
  for (const std::size_t size : {1, 2, 15, 16, 17, 31, 1000, 16384, 16385, 151936, 256000}) {
    for (const float spread : {0.01F, 1.0F, 8.0F, 60.0F}) {
      std::normal_distribution<float> normal(3.0F, spread);
      std::vector<float> logits(size);
      for (float& logit : logits) logit = normal(random);
      const Expected expected(logits);
      const Top1 actual = measured(logits);
      CHECK(std::abs(static_cast<double>(*actual.runner_up) - expected.runner_up) < 1e-6);
      CHECK(std::abs(static_cast<double>(*actual.entropy) - expected.entropy) < 1e-4);
    }
  }
}

TEST("measures: tokens that are banned count for nothing") {
  std::vector<float> logits(100, never);
  logits[3] = 1.0F;
  CHECK_EQUAL(*measured(logits).runner_up, 0.0F);
  CHECK_EQUAL(*measured(logits).entropy, 0.0F);
  logits[70] = 1.0F;
  CHECK_EQUAL(*measured(logits).runner_up, 0.5F);
  CHECK(std::abs(*measured(logits).entropy - std::log(2.0F)) < 1e-6F);
}

TEST("measures: only what is wanted") {
  const std::vector<float> logits{1, 2, 3};
  const auto of = [&](Measures wanted) {
    Top1 top1 = most_likely(logits);
    measure(logits, wanted, top1);
    return top1;
  };
  CHECK(!of({}).runner_up && !of({}).entropy);
  CHECK(of({.runner_up = true}).runner_up && !of({.runner_up = true}).entropy);
  CHECK(of({.entropy = true}).entropy && !of({.entropy = true}).runner_up);
}
