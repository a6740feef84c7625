#pragma once

#include <cmath>

#include "nudge/rules/deferral_rule.h"

namespace nudging {

/// R21: the base defers where the entropy of its whole distribution is over `limit`, in nats.
class Entropy final : public DeferralRule {
 public:
  explicit Entropy(float limit) : limit_(limit) {}

  Measures measures() const override { return {.entropy = true}; }
  std::optional<bool> by_token(const Top1& said) const override { return *said.entropy <= limit_; }
  /// The entropy's derivative by a logit l is -p (log p + H). Logits whose differences move by less than m move it by less than m / 2 times
  /// the mean distance of -log p from H, which is below 2 for what language models say.
  bool is_close(const Top1& said, const Judgement& /*judged*/, Tolerance base, Tolerance /*aligned*/) const override {
    return std::abs(*said.entropy - limit_) < base.margin;
  }

 private:
  float limit_;
};

}  // namespace nudging
