#pragma once

#include <cmath>

#include "nudge/rules/bet.h"
#include "nudge/rules/deferral_rule.h"

namespace nudging {

/// R19: the base defers where its most likely token has less than `low`, and speaks where it has `high` or more. In between the bet holds,
/// so that the aligned model is asked only there.
class Hybrid final : public DeferralRule {
 public:
  /// `low` must not be over `high`.
  Hybrid(float low, float high, float lambda) : low_(low), high_(high), bet_(lambda) {}

  bool compares_words() const override { return true; }
  std::optional<bool> by_token(const Top1& said) const override {
    if (said.probability < low_) return false;
    if (said.probability >= high_) return true;
    return std::nullopt;
  }
  bool by_words(WordPair words) const override { return bet_.by_words(words); }
  /// A limit is close where crossing it would, or might, turn the decision.
  bool is_close(const Top1& said, const Judgement& judged, Tolerance base, Tolerance aligned) const override {
    const bool between = !by_token(said);
    const bool by_low = std::abs(said.probability - low_) < base.probability && (!between || judged.base);
    const bool by_high = std::abs(said.probability - high_) < base.probability && (!between || !judged.base);
    return by_low || by_high || bet_.is_close(said, judged, base, aligned);
  }

 private:
  float low_;
  float high_;
  Bet bet_;
};

}  // namespace nudging
