#pragma once

#include <cmath>

#include "nudge/rules/deferral_rule.h"

namespace nudging {

/// R18, the confidence bet of arXiv 2604.16146, on words: the base speaks unless the aligned model finds its own next word more probable
/// than the base finds the base's, by more than λ.
class Bet final : public DeferralRule {
 public:
  explicit Bet(float lambda) : lambda_(lambda) {}

  bool compares_words() const override { return true; }
  std::optional<bool> by_token(const Top1& /*said*/) const override { return std::nullopt; }
  bool by_words(WordPair words) const override { return words.base >= words.aligned - lambda_; }
  /// Both models have moved, perhaps apart.
  bool is_close(const Top1& /*said*/, const Judgement& judged, Tolerance base, Tolerance aligned) const override {
    return judged.words && std::abs(judged.words->base - judged.words->aligned + lambda_) < base.probability + aligned.probability;
  }

 private:
  float lambda_;
};

}  // namespace nudging
