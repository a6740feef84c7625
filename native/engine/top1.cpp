#include "engine/top1.h"

#include <cmath>
#include <limits>

namespace nudging {

Top1 most_likely(std::span<const float> logits) {
  std::size_t best = 0;
  float second = -std::numeric_limits<float>::infinity();
  for (std::size_t i = 1; i < logits.size(); ++i) {
    if (logits[i] > logits[best]) {
      second = logits[best];
      best = i;
    } else if (logits[i] > second) {
      second = logits[i];
    }
  }
  const float highest = logits[best];
  // Double: with 256k entries a float sum loses more than the 1e-3 at which decisions count as ties.
  double sum = 0;
  for (const float logit : logits) sum += static_cast<double>(std::exp(logit - highest));

  Top1 top1;
  top1.token = static_cast<Token>(best);
  top1.probability = static_cast<float>(1.0 / sum);
  top1.margin = highest - second;
  return top1;
}

}  // namespace nudging
