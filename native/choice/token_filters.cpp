#include "choice/token_filters.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace nudging {

namespace {

/// e^-80 of the likeliest token's probability counts for nothing.
constexpr float negligible = 80;

/// The logits of at least `lowest`, in any order.
std::vector<float> at_least(std::span<const float> logits, std::span<const float> maxima, float lowest) {
  std::vector<float> found;
  for (std::size_t block = 0; block < maxima.size(); ++block) {
    if (maxima[block] < lowest) continue;
    const std::size_t begin = block * filter_block;
    const std::size_t end = std::min(begin + filter_block, logits.size());
    for (std::size_t i = begin; i < end; ++i) {
      if (logits[i] >= lowest) found.push_back(logits[i]);
    }
  }
  return found;
}

/// The highest logit under `bound`.
float highest_below(std::span<const float> logits, std::span<const float> maxima, float bound) {
  float highest = -std::numeric_limits<float>::infinity();
  for (std::size_t block = 0; block < maxima.size(); ++block) {
    if (maxima[block] <= highest) continue;
    if (maxima[block] < bound) {
      highest = maxima[block];
      continue;
    }
    const std::size_t begin = block * filter_block;
    const std::size_t end = std::min(begin + filter_block, logits.size());
    for (std::size_t i = begin; i < end; ++i) {
      if (logits[i] < bound) highest = std::max(highest, logits[i]);
    }
  }
  return highest;
}

/// The k highest of `logits` and what equals the last of them; k is less than their number.
std::vector<float> top_k(std::span<const float> logits, std::span<const float> maxima, std::size_t k) {
  // At least k tokens reach the k-th highest of the blocks' maxima, and few others do.
  float bound = -std::numeric_limits<float>::infinity();
  if (k <= maxima.size()) {
    std::vector<float> sorted(maxima.begin(), maxima.end());
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(k - 1), sorted.end(), std::greater<>());
    bound = sorted[k - 1];
  }
  std::vector<float> candidates = at_least(logits, maxima, bound);
  const auto last = candidates.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::nth_element(candidates.begin(), last, candidates.end(), std::greater<>());
  const float lowest = *last;
  std::erase_if(candidates, [lowest](float logit) { return logit < lowest; });
  return candidates;
}

/// `p` with its log-odds moved by `shift`: what a probability becomes when the logits behind it move that far from the others.
double moved(double p, double shift) { return p / (p + (1 - p) * std::exp(-shift)); }

double mass_of(std::span<const float> logits, float highest) {
  double mass = 0;
  for (const float logit : logits) mass += static_cast<double>(std::exp(logit - highest));
  return mass;
}

/// The range of the likeliest of `candidates` that reach `p` of `total`, the sum of exp(logit - highest) over all tokens.
Kept top_p(const std::vector<float>& candidates, double p, double total, float highest) {
  const double fewer = moved(p, -static_cast<double>(filter_reach)) * total;
  const double more = moved(p, static_cast<double>(filter_reach)) * total;

  // Sums over narrow ranges of logits show where the limit is; only there the order counts, so only there is anything sorted.
  std::vector<double> masses(1024);
  const float spread = std::min(highest - *std::min_element(candidates.begin(), candidates.end()), negligible);
  const auto last = static_cast<float>(masses.size() - 1);
  const float scale = spread > 0 ? last / spread : 0;
  const auto range_of = [&](float logit) { return static_cast<std::size_t>(std::min((highest - logit) * scale, last)); };
  for (const float logit : candidates) masses[range_of(logit)] += static_cast<double>(std::exp(logit - highest));
  double sum = 0;
  std::size_t first_range = 0;
  while (first_range + 1 < masses.size() && sum + masses[first_range] < fewer) sum += masses[first_range++];
  std::size_t last_range = first_range;
  for (double reached = sum + masses[last_range]; last_range + 1 < masses.size() && reached < more; reached += masses[last_range])
    ++last_range;

  std::vector<float> between;
  for (const float logit : candidates) {
    if (const std::size_t range = range_of(logit); range >= first_range && range <= last_range) between.push_back(logit);
  }
  std::sort(between.begin(), between.end(), std::greater<>());
  Kept kept;
  for (const float logit : between) {
    // A first one that a little more for the others would make superfluous.
    if (sum >= fewer && kept.next == -std::numeric_limits<float>::infinity()) kept.next = logit;
    if (sum < p * total) kept.lowest = logit;
    kept.limit = logit;
    sum += static_cast<double>(std::exp(logit - highest));
    if (sum >= more) break;
  }
  return kept;
}

}  // namespace

Kept kept_tokens(std::span<const float> logits, std::span<const float> maxima, const Sampling& sampling, const Top1& top1) {
  Kept kept;
  const float highest = logits[static_cast<std::size_t>(top1.token)];
  const auto narrow = [&kept](const Kept& by) {
    kept.lowest = std::max(kept.lowest, by.lowest);
    kept.limit = std::max(kept.limit, by.limit);
    kept.next = std::max(kept.next, by.next);
  };

  const bool by_k = sampling.top_k > 0 && sampling.top_k < logits.size();
  std::vector<float> candidates;
  if (by_k) {
    candidates = top_k(logits, maxima, sampling.top_k);
    const float lowest = *std::min_element(candidates.begin(), candidates.end());
    narrow({lowest, lowest});
  }
  if (sampling.top_p < 1) {
    double total = 1.0 / static_cast<double>(top1.probability);
    if (by_k) {
      total = mass_of(candidates, highest);
    } else {
      // Tokens that each have less than an n-th of what top-p leaves out do not reach that together: the rest is enough.
      const double left_out = (1 - moved(sampling.top_p, static_cast<double>(filter_reach))) * total / static_cast<double>(logits.size());
      candidates = at_least(logits, maxima, highest + std::max(static_cast<float>(std::log(left_out)) - 1e-3F, -negligible));
    }
    narrow(top_p(candidates, sampling.top_p, total, highest));
  }
  if (sampling.min_p > 0) {
    const float lowest = highest + static_cast<float>(std::log(sampling.min_p));
    kept.least = lowest;
    narrow({lowest, lowest});
  }
  if (kept.lowest > -std::numeric_limits<float>::infinity()) kept.next = std::max(kept.next, highest_below(logits, maxima, kept.lowest));
  return kept;
}

}  // namespace nudging
