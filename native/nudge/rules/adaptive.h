#pragma once

#include <algorithm>
#include <cmath>
#include <memory>

#include "nudge/rules/deferral_rule.h"

namespace nudging {

/// R22: the paper's rule with a γ that follows how often it has made the base defer in this answer, by quantile tracking (Gibbs, Candès,
/// arXiv 2106.00170). A function of the answer's own decisions, in order, and of nothing else.
class Adaptive final : public DeferralRule {
 public:
  struct Settings {
    /// γ at the first decision.
    float start;
    /// The share of decisions that are to defer, in [0, 1].
    double rate;
    /// η: how far a decision moves γ.
    double step;
    /// How far γ may come from `start`.
    double reach;
  };

  explicit Adaptive(Settings settings) : settings_(settings), gamma_(settings.start) {}

  std::unique_ptr<DeferralRule> begun() const override { return std::make_unique<Adaptive>(settings_); }
  std::optional<bool> by_token(const Top1& said) const override { return said.probability >= gamma_; }
  std::optional<double> gamma() const override { return gamma_; }
  void stands(const Top1& said) override {
    const double deferred = said.probability < gamma_ ? 1 : 0;
    const double moved = gamma_ + settings_.step * (settings_.rate - deferred);
    gamma_ = std::clamp(moved, settings_.start - settings_.reach, settings_.start + settings_.reach);
  }
  /// γ has moved since.
  bool is_close(const Top1& said, const Judgement& judged, Tolerance base, Tolerance /*aligned*/) const override {
    return std::abs(said.probability - *judged.gamma) < base.probability;
  }

 private:
  Settings settings_;
  double gamma_;
};

}  // namespace nudging
