#include "choice/measures.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "choice/exponential.h"

namespace nudging {

namespace {

/// -Σ p log p in nats. With x the logits less the highest one and S = Σ e^x, it is log S - Σ x e^x / S: one pass.
float entropy_of(std::span<const float> logits, float highest) {
  double sum = 0;
  double weighted = 0;
  const auto term = [highest](float logit, float& one, float& weight) {
    // Minus infinity counts for nothing, and times 0 would not be a number.
    const float x = std::max(-87.0F, logit - highest);
    const float e = exp_of_nonpositive(logit - highest);
    one += e;
    weight += x * e;
  };
  while (!logits.empty()) {
    const std::span<const float> part = logits.first(std::min(summed_block, logits.size()));
    std::array<float, vector_width> sums{};
    std::array<float, vector_width> weights{};
    std::size_t i = 0;
    for (; i + vector_width <= part.size(); i += vector_width) {
      for (std::size_t k = 0; k < vector_width; ++k) term(part[i + k], sums[k], weights[k]);
    }
    for (std::size_t k = 0; i + k < part.size(); ++k) term(part[i + k], sums[k], weights[k]);
    for (std::size_t k = 0; k < vector_width; ++k) {
      sum += static_cast<double>(sums[k]);
      weighted += static_cast<double>(weights[k]);
    }
    logits = logits.subspan(part.size());
  }
  // Rounding could leave a little less than nothing.
  return static_cast<float>(std::max(0.0, std::log(sum) - weighted / sum));
}

}  // namespace

void measure(std::span<const float> logits, Measures wanted, Top1& top1) {
  if (wanted.runner_up) top1.runner_up = top1.probability * std::exp(-top1.margin);
  if (wanted.entropy) top1.entropy = entropy_of(logits, logits[static_cast<std::size_t>(top1.token)]);
}

}  // namespace nudging
