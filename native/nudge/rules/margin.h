#pragma once

#include <cmath>

#include "nudge/rules/deferral_rule.h"

namespace nudging {

/// R20: the base defers where its two most likely tokens are less than `margin` apart, in probability.
class Margin final : public DeferralRule {
 public:
  explicit Margin(float margin) : margin_(margin) {}

  Measures measures() const override { return {.runner_up = true}; }
  std::optional<bool> by_token(const Top1& said) const override { return lead(said) >= margin_; }
  /// What one of the two loses the other one may win.
  bool is_close(const Top1& said, const Judgement& /*judged*/, Tolerance base, Tolerance /*aligned*/) const override {
    return std::abs(lead(said) - margin_) < 2 * base.probability;
  }

 private:
  static float lead(const Top1& said) { return said.probability - *said.runner_up; }

  float margin_;
};

}  // namespace nudging
