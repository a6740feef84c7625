#include "lanes/costs.h"

#include <algorithm>
#include <array>

namespace nudging {

namespace {

/// Weight of a new measurement: about the last ten count.
constexpr double freshness = 0.1;
/// What a further token is taken to cost, relative to the first, before any batch was measured: low enough that two get tried.
constexpr double first_slope = 0.2;
/// A gain below this is noise: of the many sizes that are weighed, the one that was measured at a good moment would be taken.
constexpr double least_gain = 1.1;
/// Weight of a new guess in the mean of those before it, once there are many: about the last fifty count. A mean that follows chance
/// promises most where it errs most.
constexpr double acceptance_freshness = 0.02;
/// After so many decodes a size that was not used is measured anew: machines change, and one slow moment must not rule a size out for good.
constexpr std::uint64_t remembered_for = 512;
/// Guesses after which a mean is taken to say something.
constexpr std::uint32_t enough = 8;

std::size_t class_of(float probability) {
  constexpr std::array limits{0.5F, 0.75F, 0.9F, 0.95F, 0.99F};
  return static_cast<std::size_t>(std::lower_bound(limits.begin(), limits.end(), probability) - limits.begin());
}

}  // namespace

void Costs::note(std::size_t tokens, double ms) {
  tokens = padding_.padded(tokens);
  if (tokens == 0 || tokens > most_tokens) return;
  ++decodes_;
  Size& size = sizes_[tokens];
  // Nor may one slow decode (the machine was busy) count for more than a few.
  size.ms = known(tokens) ? size.ms + freshness * (std::min(ms, 3 * size.ms) - size.ms) : ms;
  size.last = decodes_;
}

bool Costs::known(std::size_t tokens) const {
  return sizes_[tokens].ms > 0 && (tokens == 1 || sizes_[tokens].last + remembered_for > decodes_);
}

std::size_t Costs::largest() const {
  std::size_t tokens = most_tokens;
  while (tokens > 0 && !known(tokens)) --tokens;
  return tokens;
}

double Costs::slope() const {
  const std::size_t most = largest();
  if (most == 0) return 0;
  const double one = sizes_[1].ms;
  return most == 1 ? first_slope * one : std::max((sizes_[most].ms - one) / static_cast<double>(most - 1), 0.0);
}

double Costs::of(std::size_t tokens) const {
  tokens = padding_.padded(tokens);
  if (!known(1) || tokens == 0) return 0;
  const std::size_t most = largest();
  if (tokens > most) return sizes_[most].ms + static_cast<double>(tokens - most) * slope();
  if (known(tokens)) return sizes_[tokens].ms;
  std::size_t below = tokens;
  while (!known(below)) --below;
  std::size_t above = tokens;
  while (!known(above)) ++above;
  return sizes_[below].ms +
         (sizes_[above].ms - sizes_[below].ms) * static_cast<double>(tokens - below) / static_cast<double>(above - below);
}

std::size_t Costs::room(std::size_t tokens, double factor) const {
  const double now = of(tokens);
  if (now == 0) return 0;
  const double limit = factor * now;
  std::size_t room = 0;
  while (tokens + room < most_tokens && of(tokens + room + 1) <= limit) ++room;
  if (tokens + room < most_tokens || slope() == 0) return room;
  return room + static_cast<std::size_t>((limit - of(tokens + room)) / slope());
}

void Acceptance::note(std::size_t place, float probability, bool right) {
  const auto add = [right](Mean& mean, double known_before) {
    // What the first measurements replace is the best that was known.
    if (mean.seen == 0) mean.rate = known_before;
    ++mean.seen;
    const double weight = std::max(acceptance_freshness, 1 / static_cast<double>(mean.seen + 1));
    mean.rate += weight * ((right ? 1.0 : 0.0) - mean.rate);
  };
  add(by_probability_[class_of(probability)], rate(place));
  add(by_place_[std::min(place, places - 1)], rate(place));
}

double Acceptance::rate(std::size_t place) const {
  place = std::min(place, places - 1);
  while (place > 0 && by_place_[place].seen < enough) --place;
  return by_place_[place].rate;
}

double Acceptance::rate(std::size_t place, float probability) const {
  const Mean& mean = by_probability_[class_of(probability)];
  return mean.seen < enough ? std::min(rate(place), static_cast<double>(probability)) : mean.rate;
}

namespace {

std::size_t best_count(const Costs& costs, std::span<const double> rates, double draft_ms, Batch batch) {
  const double plain = costs.of(batch.tokens);
  if (plain == 0) return 0;
  // Beyond twice what was measured, an estimate is worth little.
  const std::size_t most = std::min(Costs::most_tokens, 2 * costs.largest());
  const std::size_t available = std::min(rates.size(), most - std::min(most, batch.tokens));
  double best = least_gain * batch.answers / plain;
  std::size_t worth = 0;
  double expected = batch.answers;
  double chance = 1;
  for (std::size_t count = 1; count <= available; ++count) {
    chance *= rates[count - 1];
    expected += chance;
    const double gain = expected / (costs.of(batch.tokens + count) + static_cast<double>(count) * draft_ms);
    if (gain > best) {
      best = gain;
      worth = count;
    }
  }
  return worth;
}

}  // namespace

std::size_t guesses_worth(const Costs& costs, std::span<const double> rates, Batch batch) { return best_count(costs, rates, 0, batch); }

std::size_t guesses_worth_drafting(const Costs& costs, std::span<const double> rates, double draft_ms, Batch batch) {
  if (batch.answers > 1) return 0;
  return best_count(costs, rates, draft_ms, {batch.tokens, 1});
}

}  // namespace nudging
