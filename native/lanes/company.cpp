#include "lanes/company.h"

#include <algorithm>

namespace nudging {

namespace {

/// Weight of a new measurement: about the last thirty count.
constexpr double freshness = 0.03;
/// Measurements after which a mean is taken to say something.
constexpr std::uint32_t enough = 8;
/// Answers decoded ahead after which older ones count half.
constexpr double halved_at = 256;
/// Answers decoded ahead after which it can be said how many are of use.
constexpr double enough_ahead = 32;
/// A pass that takes so many times longer beside another is not slowed down by it: times vary as much.
constexpr double most_slower = 1.1;
/// After so many passes of those who wait it is tried though it does not pay: models and machines change.
constexpr std::uint64_t tried_anyway = 256;

}  // namespace

void Company::Mean::add(double one) {
  ++seen;
  value += std::max(freshness, 1 / static_cast<double>(seen)) * (one - value);
}

bool Company::Mean::known() const { return seen >= enough; }

void Company::passed(std::size_t tokens, double ms, bool beside, bool waited) {
  if (waited) {
    answers_.add(static_cast<double>(asked_));
    asked_ = 0;
    ++waited_;
  }
  if (tokens == 0 || tokens > most_tokens) return;
  // Nor may one slow pass (the machine was busy) count for more than a few.
  Mean& mean = beside ? beside_ : alone_;
  mean.add(mean.known() ? std::min(ms, 3 * mean.value) : ms);
}

void Company::decoded_ahead(std::size_t answers) {
  ahead_ += static_cast<double>(answers);
  if (ahead_ < halved_at) return;
  ahead_ /= 2;
  used_ /= 2;
}

void Company::used_ahead() { used_ = std::min(used_ + 1, ahead_); }

bool pays_ahead(Company& ahead, const Company& waited, AheadOf what) {
  const auto pays = [&] {
    if (!waited.alone_.known() || !waited.beside_.known()) return true;
    if (what == AheadOf::questions) return waited.beside_.value <= most_slower * waited.alone_.value;
    if (!ahead.alone_.known() || !ahead.beside_.known() || ahead.ahead_ < enough_ahead) return true;
    const double rate = ahead.used_ / ahead.ahead_;
    const double worth = ahead.alone_.value / std::max(ahead.answers_.value, 1.0);
    const double saved = rate * worth * waited.beside_.value / ahead.beside_.value;
    return saved >= waited.beside_.value - waited.alone_.value;
  };
  if (!pays() && waited.waited_ < ahead.tried_at_ + tried_anyway) return false;
  ahead.tried_at_ = waited.waited_;
  return true;
}

}  // namespace nudging
