#include "choice/token_rules.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "choice/exponential.h"

namespace nudging {

namespace {

float highest_of(std::span<const float> logits) { return *std::max_element(logits.begin(), logits.end()); }

}  // namespace

double probability_of(std::span<const float> logits, const Top1& top1, Token token) {
  const auto there = static_cast<double>(logits[static_cast<std::size_t>(token)]);
  return static_cast<double>(top1.probability) * std::exp(there - static_cast<double>(highest_of(logits)));
}

double likelier_than(std::span<const float> logits, const Top1& top1, Token token) {
  const float highest = highest_of(logits);
  const float limit = logits[static_cast<std::size_t>(token)];
  const auto share = [highest, limit](float logit) { return logit > limit ? exp_of_nonpositive(logit - highest) : 0.0F; };
  double sum = 0;
  while (!logits.empty()) {
    // As in top1.cpp: lanes of their own become vector instructions, and few enough terms are summed in single precision.
    const std::span<const float> part = logits.first(std::min(summed_block, logits.size()));
    std::array<float, vector_width> sums{};
    std::size_t i = 0;
    for (; i + vector_width <= part.size(); i += vector_width) {
      for (std::size_t k = 0; k < vector_width; ++k) sums[k] += share(part[i + k]);
    }
    for (const float one : sums) sum += static_cast<double>(one);
    for (; i < part.size(); ++i) sum += static_cast<double>(share(part[i]));
    logits = logits.subspan(part.size());
  }
  return sum * static_cast<double>(top1.probability);
}

double blend_weight(const TokenRule& rule, double base, double aligned, double base_there) {
  switch (rule.weight) {
    case TokenRule::Weight::ratio: return std::clamp(aligned / (base + aligned) + 0.1 * base_there, 0.0, 1.0);
    case TokenRule::Weight::product: return std::clamp((1 - base) * aligned * (1 + base_there), 0.0, 1.0);
    case TokenRule::Weight::fixed: return rule.fixed;
  }
  return 0;
}

Rejection rejection(const TokenRule& rule, std::span<const float> base_logits, const Top1& base, double aligned) {
  const double threshold = rule.threshold;
  if (rule.kind == TokenRule::Kind::kad_primal) {
    // The tail that may be given away has α, so the head in front of it has 1 - α or more.
    const double head = likelier_than(base_logits, base, base.token);
    return {head >= 1 - threshold, std::abs(head - (1 - threshold))};
  }
  const double probability = probability_of(base_logits, base, base.token);
  const double needed = rule.kind == TokenRule::Kind::bet ? aligned - threshold : threshold;
  return {probability < needed, std::abs(probability - needed)};
}

}  // namespace nudging
