#include "choice/top1.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "choice/exponential.h"

namespace nudging {

namespace {

/// The two highest logits, and whether all are numbers.
struct Highest {
  float first;
  float second;
  bool numbers;
};

Highest highest_of(std::span<const float> logits) {
  std::array<float, vector_width> first;
  std::array<float, vector_width> second;
  std::array<std::int32_t, vector_width> bad{};
  first.fill(-std::numeric_limits<float>::infinity());
  second.fill(-std::numeric_limits<float>::infinity());
  std::size_t i = 0;
  for (; i + vector_width <= logits.size(); i += vector_width) {
    for (std::size_t k = 0; k < vector_width; ++k) {
      const float logit = logits[i + k];
      second[k] = std::max(second[k], std::min(first[k], logit));
      first[k] = std::max(first[k], logit);
      bad[k] |= logit == logit ? 0 : 1;
    }
  }
  Highest highest{-std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(), true};
  const auto add = [&highest](float logit) {
    highest.second = std::max(highest.second, std::min(highest.first, logit));
    highest.first = std::max(highest.first, logit);
    highest.numbers = highest.numbers && logit == logit;
  };
  for (std::size_t k = 0; k < vector_width; ++k) {
    add(first[k]);
    add(second[k]);
    highest.numbers = highest.numbers && bad[k] == 0;
  }
  for (; i < logits.size(); ++i) add(logits[i]);
  return highest;
}

double sum_of_exponentials(std::span<const float> logits, float highest) {
  double sum = 0;
  while (!logits.empty()) {
    const std::span<const float> part = logits.first(std::min(summed_block, logits.size()));
    std::array<float, vector_width> sums{};
    std::size_t i = 0;
    for (; i + vector_width <= part.size(); i += vector_width) {
      for (std::size_t k = 0; k < vector_width; ++k) sums[k] += exp_of_nonpositive(part[i + k] - highest);
    }
    for (const float one : sums) sum += static_cast<double>(one);
    for (; i < part.size(); ++i) sum += static_cast<double>(exp_of_nonpositive(part[i] - highest));
    logits = logits.subspan(part.size());
  }
  return sum;
}

}  // namespace

Top1 most_likely(std::span<const float> logits) {
  const Highest highest = highest_of(logits);
  Top1 top1;
  if (!highest.numbers || !std::isfinite(highest.first)) {
    top1.probability = std::numeric_limits<float>::quiet_NaN();
    return top1;
  }
  top1.token = static_cast<Token>(std::find(logits.begin(), logits.end(), highest.first) - logits.begin());
  const double sum = sum_of_exponentials(logits, highest.first);
  top1.probability = static_cast<float>(1.0 / sum);
  top1.margin = highest.first - highest.second;
  return top1;
}

Exponentials exponentials(std::span<const float> logits, std::span<float> powers) {
  const float highest = highest_of(logits).first;
  std::size_t i = 0;
  for (; i + vector_width <= logits.size(); i += vector_width) {
    for (std::size_t k = 0; k < vector_width; ++k) powers[i + k] = exp_of_nonpositive(logits[i + k] - highest);
  }
  for (; i < logits.size(); ++i) powers[i] = exp_of_nonpositive(logits[i] - highest);
  return {highest, sum_of_exponentials(logits, highest)};
}

std::vector<std::pair<Token, float>> most_likely(std::span<const float> logits, std::size_t count) {
  std::vector<Token> tokens(logits.size());
  std::iota(tokens.begin(), tokens.end(), 0);
  const auto at = [&](Token token) { return logits[static_cast<std::size_t>(token)]; };
  const auto end = tokens.begin() + static_cast<std::ptrdiff_t>(std::min(count, tokens.size()));
  std::partial_sort(tokens.begin(), end, tokens.end(), [&](Token a, Token b) { return at(a) > at(b) || (at(a) == at(b) && a < b); });
  const float highest = *std::max_element(logits.begin(), logits.end());
  const double sum = sum_of_exponentials(logits, highest);
  std::vector<std::pair<Token, float>> likeliest;
  for (auto token = tokens.begin(); token != end; ++token)
    likeliest.emplace_back(*token, static_cast<float>(std::exp(static_cast<double>(at(*token) - highest)) / sum));
  return likeliest;
}

}  // namespace nudging
