#include "choice/top1.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "check.h"

using namespace nudging;

namespace {

/// The definition, in double and without cleverness.
Top1 by_definition(const std::vector<float>& logits) {
  Top1 top1;
  top1.token = 0;
  for (std::size_t i = 1; i < logits.size(); ++i) {
    if (logits[i] > logits[static_cast<std::size_t>(top1.token)]) top1.token = static_cast<Token>(i);
  }
  const double highest = logits[static_cast<std::size_t>(top1.token)];
  double sum = 0;
  double second = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    sum += std::exp(logits[i] - highest);
    if (i != static_cast<std::size_t>(top1.token)) second = std::max(second, static_cast<double>(logits[i]));
  }
  top1.probability = static_cast<float>(1 / sum);
  top1.margin = static_cast<float>(highest - second);
  return top1;
}

}  // namespace

TEST("top-1: token, probability and margin are those of the definition, for every size and spread") {
  std::mt19937 random(7);
  for (const std::size_t size : {1, 2, 15, 16, 17, 31, 1000, 16384, 16385, 151936, 256000}) {
    for (const float spread : {0.01F, 1.0F, 8.0F, 60.0F}) {
      std::normal_distribution<float> normal(3.0F, spread);
      std::vector<float> logits(size);
      for (float& logit : logits) logit = normal(random);
      const Top1 expected = by_definition(logits);
      const Top1 actual = most_likely(logits);
      CHECK_EQUAL(actual.token, expected.token);
      CHECK(std::abs(actual.probability / expected.probability - 1) < 1e-5F);
      CHECK(size == 1 || std::abs(actual.margin - expected.margin) < 1e-4F * std::max(1.0F, expected.margin));
    }
  }
}

TEST("top-1: the first of equal logits wins, with no margin") {
  std::vector<float> logits(100, 1.0F);
  CHECK_EQUAL(most_likely(logits).token, 0);
  CHECK_EQUAL(most_likely(logits).margin, 0.0F);
  logits[77] = logits[20] = 5.0F;
  CHECK_EQUAL(most_likely(logits).token, 20);
  CHECK_EQUAL(most_likely(logits).margin, 0.0F);
}

TEST("top-1: masked tokens count nothing") {
  std::vector<float> logits(40, -std::numeric_limits<float>::infinity());
  logits[33] = 2.0F;
  CHECK_EQUAL(most_likely(logits).token, 33);
  CHECK_EQUAL(most_likely(logits).probability, 1.0F);
}

TEST("top-1: logits that are not numbers are noticed, wherever they stand") {
  for (const std::size_t at : {0U, 5U, 16U, 38U, 39U}) {
    std::vector<float> logits(40, 1.0F);
    logits[at] = std::nanf("");
    CHECK(std::isnan(most_likely(logits).probability));
  }
  std::vector<float> logits(40, 1.0F);
  logits[3] = std::numeric_limits<float>::infinity();
  CHECK(std::isnan(most_likely(logits).probability));
}
