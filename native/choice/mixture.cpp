#include "choice/mixture.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "choice/exponential.h"
#include "choice/logarithm.h"

namespace nudging {

namespace {

/// What turns a logit into log(w p): the weight's logarithm without that of the softmax's denominator.
float shift_of(std::span<const float> logits, const Top1& top1, double weight) {
  const auto highest = static_cast<double>(logits[static_cast<std::size_t>(top1.token)]);
  return static_cast<float>(std::log(weight) + std::log(static_cast<double>(top1.probability)) - highest);
}

}  // namespace

void weighted(std::span<const float> logits, const Top1& top1, double weight, std::span<float> mixture) {
  const float shift = shift_of(logits, top1, weight);
  for (std::size_t i = 0; i < mixture.size(); ++i) mixture[i] = logits[i] + shift;
}

void add_weighted(std::span<const float> logits, const Top1& top1, double weight, std::span<float> mixture) {
  const float shift = shift_of(logits, top1, weight);
  for (std::size_t i = 0; i < mixture.size(); ++i) {
    const float added = logits[i] + shift;
    const float higher = std::max(mixture[i], added);
    const float lower = std::min(mixture[i], added);
    // Of two infinities the difference is not a number, which counts as hardly anything.
    mixture[i] = higher + log_of_one_and(exp_of_nonpositive(lower - higher));
  }
}

void proxy_tuned(std::span<const float> base, std::span<const float> aligned, std::span<const float> reference, float alpha,
                 std::span<float> mixture) {
  constexpr float never = -std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < mixture.size(); ++i) {
    const bool ruled_out = base[i] == never || aligned[i] == never || reference[i] == never;
    const float tuned = base[i] + alpha * (aligned[i] - reference[i]);
    mixture[i] = ruled_out ? never : tuned;
  }
}

}  // namespace nudging
