#include "choice/gumbel.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "check.h"
#include "choice/context_keys.h"
#include "choice/philox.h"
#include "choice/token_filters.h"
#include "choice/top1.h"

using namespace nudging;

namespace {

Sampling at(double temperature, std::uint64_t seed = 1) {
  Sampling sampling;
  sampling.temperature = temperature;
  sampling.seed = seed;
  return sampling;
}

Top1 sampled(const std::vector<float>& logits, const Sampling& sampling, std::uint64_t context) {
  Top1 top1 = most_likely(logits);
  sample(logits, {sampling, context}, top1);
  return top1;
}

/// The filters by their definitions: everything is sorted, each filter looks at what the one before has left.
std::vector<bool> kept_by_definition(const std::vector<float>& logits, const Sampling& sampling) {
  std::vector<std::size_t> order(logits.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
  const auto cut_after = [&](std::size_t last) {
    std::size_t size = last + 1;
    while (size < order.size() && logits[order[size]] == logits[order[last]]) ++size;
    order.resize(size);
  };
  const double highest = logits[order[0]];
  if (sampling.top_k > 0 && sampling.top_k < order.size()) cut_after(sampling.top_k - 1);
  if (sampling.top_p < 1) {
    double total = 0;
    for (const std::size_t token : order) total += std::exp(logits[token] - highest);
    double sum = 0;
    for (std::size_t rank = 0; rank < order.size(); ++rank) {
      sum += std::exp(logits[order[rank]] - highest);
      if (sum < sampling.top_p * total) continue;
      cut_after(rank);
      break;
    }
  }
  std::vector<bool> kept(logits.size());
  for (const std::size_t token : order) kept[token] = sampling.min_p == 0 || std::exp(logits[token] - highest) >= sampling.min_p;
  return kept;
}

/// Sampling by its definition: every kept token's noise, no short cut.
Token by_definition(const std::vector<float>& logits, const Sampling& sampling, std::uint64_t context) {
  const std::vector<bool> kept = kept_by_definition(logits, sampling);
  Token best = -1;
  double highest = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double score = logits[i] / sampling.temperature + gumbel({sampling, context}, static_cast<Token>(i));
    if (!kept[i] || score <= highest) continue;
    highest = score;
    best = static_cast<Token>(i);
  }
  return best;
}

std::vector<double> softmax(const std::vector<float>& logits, double temperature) {
  std::vector<double> p(logits.size());
  double total = 0;
  for (std::size_t i = 0; i < p.size(); ++i) total += p[i] = std::exp(logits[i] / temperature);
  for (double& one : p) one /= total;
  return p;
}

/// Pearson's statistic of counts against probabilities.
double chi_square(const std::vector<int>& counts, const std::vector<double>& p) {
  const int n = std::accumulate(counts.begin(), counts.end(), 0);
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) sum += (counts[i] - n * p[i]) * (counts[i] - n * p[i]) / (n * p[i]);
  return sum;
}

/// What the statistic exceeds once in a thousand times, by degrees of freedom.
constexpr double critical_2 = 13.82;
constexpr double critical_7 = 24.32;
constexpr double critical_15 = 37.70;

const std::vector<float> eight = {1.5F, 0.0F, 2.0F, -1.0F, 0.5F, 0.4F, 1.0F, -0.5F};

std::vector<Sampling> some_settings() {
  std::vector<Sampling> all;
  for (const double temperature : {1e-3, 0.3, 0.8, 1.0, 3.0, 100.0}) {
    for (const std::uint32_t k : {0U, 1U, 2U, 40U, 5000U}) {
      for (const double p : {1.0, 0.95, 0.5, 1e-9, 0.9999}) {
        for (const double min_p : {0.0, 0.05, 1.0}) {
          Sampling sampling = at(temperature, 77);
          sampling.top_k = k;
          sampling.top_p = p;
          sampling.min_p = min_p;
          all.push_back(sampling);
        }
      }
    }
  }
  return all;
}

}  // namespace

TEST("R15: the noise is Philox4x32-10, with the known answers of its authors") {
  const auto words = [](std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d, std::uint64_t key) {
    const PhiloxWords out = philox4x32({a, b, c, d}, key);
    return std::vector<std::uint32_t>(out.begin(), out.end());
  };
  CHECK_EQUAL(words(0, 0, 0, 0, 0), std::vector<std::uint32_t>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const std::uint32_t ones = 0xffffffff;
  CHECK_EQUAL(words(ones, ones, ones, ones, ~std::uint64_t{0}), std::vector<std::uint32_t>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK_EQUAL(words(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0x299f31d0a4093822),
              std::vector<std::uint32_t>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST("R15: the noise of a token is standard Gumbel") {
  const Sampling sampling = at(1);
  constexpr int count = 200000;
  double sum = 0;
  double squares = 0;
  for (Token token = 0; token < count; ++token) {
    const double noise = gumbel({sampling, 5}, token);
    CHECK(noise > -4 && noise < 50);
    sum += noise;
    squares += noise * noise;
  }
  const double mean = sum / count;
  const double variance = squares / count - mean * mean;
  // Mean: Euler's constant, with a standard error of 1.28 / sqrt(n). Variance: pi^2 / 6, whose standard error is sqrt((kurtosis - 1) / n) =
  // sqrt(4.4 / n) of it.
  CHECK(std::abs(mean - 0.5772157) < 4 * 1.2825 / std::sqrt(count));
  CHECK(std::abs(variance / 1.6449341 - 1) < 4 * std::sqrt(4.4 / count));
}

TEST("R15: samples follow the softmax at the temperature (chi-square, 0.1 %), over contexts and over seeds") {
  for (const double temperature : {0.5, 1.0, 2.5}) {
    const std::vector<double> p = softmax(eight, temperature);
    std::vector<int> over_contexts(eight.size());
    std::vector<int> over_seeds(eight.size());
    for (std::uint64_t i = 0; i < 20000; ++i) {
      ++over_contexts[static_cast<std::size_t>(sampled(eight, at(temperature, 3), i).token)];
      ++over_seeds[static_cast<std::size_t>(sampled(eight, at(temperature, i), 3).token)];
    }
    CHECK(chi_square(over_contexts, p) < critical_7);
    CHECK(chi_square(over_seeds, p) < critical_7);
  }
}

TEST("R15: the two models, two contexts and two seeds draw independently of each other (chi-square, 0.1 %)") {
  const std::vector<float> logits = {0.7F, 0.0F, 1.2F, -0.3F};
  const std::vector<double> p = softmax(logits, 1);
  std::vector<double> joint;
  for (const double a : p) {
    for (const double b : p) joint.push_back(a * b);
  }
  std::vector<int> lanes(16);
  std::vector<int> contexts(16);
  std::vector<int> seeds(16);
  for (std::uint64_t i = 0; i < 20000; ++i) {
    Sampling aligned = at(1, 9);
    aligned.lane = 1;
    const Token one = sampled(logits, at(1, 9), i).token;
    ++lanes[static_cast<std::size_t>(4 * one + sampled(logits, aligned, i).token)];
    ++contexts[static_cast<std::size_t>(4 * one + sampled(logits, at(1, 9), i + 1).token)];
    ++seeds[static_cast<std::size_t>(4 * one + sampled(logits, at(1, 10), i).token)];
  }
  CHECK(chi_square(lanes, joint) < critical_15);
  CHECK(chi_square(contexts, joint) < critical_15);
  CHECK(chi_square(seeds, joint) < critical_15);
}

TEST("R15: filtered samples follow the softmax of what is kept (chi-square, 0.1 %)") {
  // Sorted: 2.0, 1.5, 1.0, 0.5, 0.4, 0.0, -0.5, -1.0. Their probabilities: 0.355, 0.215, 0.131, 0.079, 0.072, 0.048, 0.029, 0.018 (rounded,
  // over all).
  std::vector<Sampling> settings(3, at(1.3));
  settings[0].top_k = 3;
  settings[1].top_p = 0.70;
  settings[2].min_p = 0.3;
  for (const Sampling& sampling : settings) {
    const std::vector<double> p = softmax({2.0F, 1.5F, 1.0F}, 1.3);
    std::vector<int> counts(3);
    for (std::uint64_t i = 0; i < 20000; ++i) {
      const Token token = sampled(eight, sampling, i).token;
      const std::size_t place = token == 2 ? 0 : token == 0 ? 1 : token == 6 ? 2 : 3;
      CHECK(place < 3);
      if (place < 3) ++counts[place];
    }
    CHECK(chi_square(counts, p) < critical_2);
  }
}

TEST("R15: the short cuts change nothing: the same token as by definition, for all settings, sizes and spreads") {
  std::mt19937 random(11);
  for (const std::size_t size : {1, 2, 63, 64, 65, 700, 4096}) {
    for (const float spread : {0.0F, 0.02F, 1.0F, 6.0F}) {
      std::normal_distribution<float> normal(-2.0F, 1.0F);
      std::vector<float> logits(size);
      // Rounded, so that some are equal.
      for (float& logit : logits) logit = std::round(normal(random) * spread * 64) / 64;
      std::uint64_t context = random();
      for (const Sampling& sampling : some_settings()) {
        ++context;
        CHECK_EQUAL(sampled(logits, sampling, context).token, by_definition(logits, sampling, context));
      }
    }
  }
}

TEST("R15: many draws from large vocabularies are those of the definition") {
  std::mt19937 random(12);
  for (const std::size_t size : {32000, 151936}) {
    std::normal_distribution<float> normal(0.0F, 3.0F);
    std::vector<float> logits(size);
    for (float& logit : logits) logit = normal(random);
    for (const double temperature : {0.7, 1.0, 2.0}) {
      for (std::uint64_t context = 0; context < 3; ++context)
        CHECK_EQUAL(sampled(logits, at(temperature), context).token, by_definition(logits, at(temperature), context));
    }
  }
}

TEST("R15: the range that the filters keep is that of their definitions") {
  std::mt19937 random(13);
  std::normal_distribution<float> normal(0.0F, 2.0F);
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<float> logits(1000);
    for (float& logit : logits) logit = normal(random);
    std::vector<float> maxima;
    for (std::size_t i = 0; i < logits.size(); i += filter_block)
      maxima.push_back(*std::max_element(logits.begin() + static_cast<std::ptrdiff_t>(i),
                                         logits.begin() + static_cast<std::ptrdiff_t>(std::min(i + filter_block, logits.size()))));
    for (const Sampling& sampling : some_settings()) {
      const Kept kept = kept_tokens(logits, maxima, sampling, most_likely(logits));
      const std::vector<bool> expected = kept_by_definition(logits, sampling);
      int different = 0;
      float below = -std::numeric_limits<float>::infinity();
      for (std::size_t i = 0; i < logits.size(); ++i) {
        different += (logits[i] >= kept.lowest) != expected[i] ? 1 : 0;
        if (!expected[i]) below = std::max(below, logits[i]);
      }
      CHECK_EQUAL(different, 0);
      CHECK(kept.limit <= kept.lowest);
      CHECK(kept.next >= below);
    }
  }
}

TEST("R15: towards temperature 0 the most likely token, with its own margin") {
  std::mt19937 random(14);
  std::normal_distribution<float> normal(0.0F, 2.0F);
  for (std::uint64_t context = 0; context < 50; ++context) {
    std::vector<float> logits(500);
    for (float& logit : logits) logit = normal(random);
    const Top1 greedy = most_likely(logits);
    const Top1 cold = sampled(logits, at(1e-7), context);
    CHECK_EQUAL(cold.token, greedy.token);
    CHECK(std::abs(cold.margin - greedy.margin) < 1e-4F);
    // One token is left: the choice could only be another one if the filter kept another one.
    Sampling one = at(1);
    one.top_k = 1;
    CHECK_EQUAL(sampled(logits, one, context).token, greedy.token);
    CHECK(std::abs(sampled(logits, one, context).margin - greedy.margin) < 1e-4F);
  }
}

TEST("R15: the probability stays that of the most likely token; the rest of the answer is left for the caller") {
  for (std::uint64_t context = 0; context < 20; ++context)
    CHECK_EQUAL(sampled(eight, at(5), context).probability, most_likely(eight).probability);
}

TEST("R15: masked tokens are never drawn, equal ones equally often") {
  std::vector<float> logits(130, -std::numeric_limits<float>::infinity());
  logits[70] = logits[3] = logits[129] = -4.0F;
  std::vector<int> counts(3);
  for (std::uint64_t context = 0; context < 3000; ++context) {
    const Token token = sampled(logits, at(context % 2 == 0 ? 100 : 0.01), context).token;
    CHECK(token == 3 || token == 70 || token == 129);
    ++counts[token == 3 ? 0 : token == 70 ? 1 : 2];
  }
  CHECK(chi_square(counts, {1.0 / 3, 1.0 / 3, 1.0 / 3}) < critical_2);
}

TEST("R15, ties: logits that move by less than half the margin, up to half a tie, give the same token") {
  std::mt19937 random(15);
  std::normal_distribution<float> normal(0.0F, 2.0F);
  std::uniform_real_distribution<float> noise(-1.0F, 1.0F);
  const std::vector<Sampling> settings = some_settings();
  int close = 0;
  int turned = 0;
  for (std::uint64_t trial = 0; trial < 4000; ++trial) {
    std::vector<float> logits(300);
    for (float& logit : logits) logit = normal(random);
    const Sampling& sampling = settings[trial % settings.size()];
    const Top1 before = sampled(logits, sampling, trial);
    // The noise of two batch shapes is far smaller than a tie; here it is as large as a tie allows.
    const float size = std::min(before.margin, filter_reach) * 0.49F;
    std::vector<float> moved = logits;
    for (float& logit : moved) logit += size * noise(random);
    CHECK_EQUAL(sampled(moved, sampling, trial).token, before.token);
    // The other way round: the margin must not call everything a tie.
    if (before.margin >= filter_reach) continue;
    ++close;
    for (int again = 0; again < 20; ++again) {
      moved = logits;
      for (float& logit : moved) logit += 2 * filter_reach * noise(random);
      if (sampled(moved, sampling, trial).token == before.token) continue;
      ++turned;
      break;
    }
  }
  CHECK(close < 600);
  CHECK(turned > close * 9 / 10);
}

TEST("R15: a context's key depends on every token and its place, and comes out the same however it was reached") {
  const std::vector<Token> tokens = {5, 0, 0, 7, 5, 123456};
  ContextKeys grown;
  std::vector<std::uint64_t> keys;
  for (std::size_t length = 1; length <= tokens.size(); ++length) keys.push_back(grown.of(tokens, length));
  ContextKeys afresh;
  CHECK_EQUAL(afresh.of(tokens, tokens.size()), keys.back());
  CHECK_EQUAL(afresh.of(tokens, 2), keys[1]);
  for (std::size_t i = 0; i < keys.size(); ++i) CHECK_EQUAL(std::count(keys.begin(), keys.end(), keys[i]), std::ptrdiff_t{1});

  const std::vector<Token> other = {5, 0, 1, 7, 5, 123456};
  grown.cut(2);
  CHECK(grown.of(other, other.size()) != keys.back());
  CHECK_EQUAL(grown.of(other, 2), keys[1]);
  grown.cut(2);
  CHECK_EQUAL(grown.of(tokens, tokens.size()), keys.back());
}
