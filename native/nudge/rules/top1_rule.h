#pragma once

#include <cmath>

#include "nudge/rules/deferral_rule.h"

namespace nudging {

/// The paper's rule: the base speaks where the probability of its most likely token is at least γ.
class Top1Rule final : public DeferralRule {
 public:
  explicit Top1Rule(float gamma) : gamma_(gamma) {}

  std::optional<bool> by_token(const Top1& said) const override { return said.probability >= gamma_; }
  bool is_close(const Top1& said, const Judgement& /*judged*/, Tolerance base, Tolerance /*aligned*/) const override {
    return std::abs(said.probability - gamma_) < base.probability;
  }

 private:
  float gamma_;
};

}  // namespace nudging
