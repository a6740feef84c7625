#include "engine/costs.h"

#include <algorithm>

namespace nudging {

namespace {

/// Weight of a new measurement: about the last ten count.
constexpr double freshness = 0.1;
/// What an unmeasured size is taken to cost over the next smaller measured one, per token, relative to a single token: low enough to be tried.
constexpr double optimistic_slope = 0.15;
/// A gain below this is noise, and not worth another batch shape.
constexpr double least_gain = 1.05;

}  // namespace

void Costs::note(std::size_t tokens, double ms) {
  if (tokens == 0 || tokens > most_tokens) return;
  double& known = ms_[tokens];
  // One slow decode (the machine was busy) must not rule a size out for good.
  known = known == 0 ? ms : known + freshness * (std::min(ms, 3 * known) - known);
}

double Costs::of(std::size_t tokens) const {
  tokens = std::min(tokens, most_tokens);
  if (ms_[1] == 0 || tokens == 0) return 0;
  std::size_t known = tokens;
  while (ms_[known] == 0) --known;
  return ms_[known] + static_cast<double>(tokens - known) * optimistic_slope * ms_[1];
}

void Acceptance::note(bool right) { rate_ += freshness * ((right ? 1.0 : 0.0) - rate_); }

std::size_t guesses_worth(const Costs& costs, double rate, double guess_ms, std::size_t available) {
  const double plain = costs.of(1);
  if (plain == 0) return 0;
  double best = least_gain / plain;
  std::size_t worth = 0;
  double expected = 1;
  double chance = 1;
  for (std::size_t count = 1; count <= std::min(available, Costs::most_tokens - 1); ++count) {
    chance *= rate;
    expected += chance;
    const double gain = expected / (costs.of(count + 1) + static_cast<double>(count) * guess_ms);
    if (gain > best) {
      best = gain;
      worth = count;
    }
  }
  return worth;
}

}  // namespace nudging
