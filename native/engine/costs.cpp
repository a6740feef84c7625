#include "engine/costs.h"

#include <algorithm>

namespace nudging {

namespace {

/// Weight of a new measurement: about the last ten count.
constexpr double freshness = 0.1;
/// What a further token is taken to cost, relative to the first, before any batch was measured: low enough that two get tried.
constexpr double first_slope = 0.2;
/// A gain below this is noise, and not worth another batch shape.
constexpr double least_gain = 1.05;
/// After so many decodes a size that was not used is measured anew: machines change, and one slow moment must not rule a size out for good.
constexpr std::uint64_t remembered_for = 512;

}  // namespace

void Costs::note(std::size_t tokens, double ms) {
  if (tokens == 0 || tokens > most_tokens) return;
  ++decodes_;
  Size& size = sizes_[tokens];
  // Nor may one slow decode (the machine was busy) count for more than a few.
  size.ms = known(tokens) ? size.ms + freshness * (std::min(ms, 3 * size.ms) - size.ms) : ms;
  size.last = decodes_;
}

bool Costs::known(std::size_t tokens) const { return sizes_[tokens].ms > 0 && (tokens == 1 || sizes_[tokens].last + remembered_for > decodes_); }

std::size_t Costs::largest() const {
  std::size_t tokens = most_tokens;
  while (tokens > 0 && !known(tokens)) --tokens;
  return tokens;
}

double Costs::of(std::size_t tokens) const {
  tokens = std::min(tokens, most_tokens);
  if (!known(1) || tokens == 0) return 0;
  if (known(tokens)) return sizes_[tokens].ms;
  std::size_t below = tokens;
  while (!known(below)) --below;
  std::size_t above = tokens;
  while (above <= most_tokens && !known(above)) ++above;
  const double low = sizes_[below].ms;
  const auto further = static_cast<double>(tokens - below);
  if (above <= most_tokens) return low + (sizes_[above].ms - low) * further / static_cast<double>(above - below);
  const double one = sizes_[1].ms;
  const double slope = below == 1 ? first_slope * one : (low - one) / static_cast<double>(below - 1);
  return low + further * std::max(slope, 0.0);
}

void Acceptance::note(bool right) { rate_ += freshness * ((right ? 1.0 : 0.0) - rate_); }

std::size_t guesses_worth(const Costs& costs, double rate, double guess_ms, std::size_t available) {
  const double plain = costs.of(1);
  if (plain == 0) return 0;
  // Beyond twice what was measured, an estimate is worth little.
  available = std::min({available, Costs::most_tokens - 1, 2 * costs.largest() - 1});
  double best = least_gain / plain;
  std::size_t worth = 0;
  double expected = 1;
  double chance = 1;
  for (std::size_t count = 1; count <= available; ++count) {
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
