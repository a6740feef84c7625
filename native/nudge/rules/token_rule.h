#pragma once

#include <cstdint>
#include <optional>

namespace nudging {

/// A rule that decides token by token, for models of one vocabulary (R34 to R37). What the models say is compared in choice/token_rules.h.
struct TokenRule {
  enum class Kind : std::uint8_t { blend, kad_dual, kad_primal, bet };
  /// How much the aligned model counts where `blend` mixes.
  enum class Weight : std::uint8_t { ratio, product, fixed };
  Kind kind = Kind::blend;
  /// τ of `blend`, α of the two of `kad`, λ of `bet`.
  double threshold = 0.4;
  Weight weight = Weight::ratio;
  /// If it is fixed; in [0, 1].
  double fixed = 0;
};

}  // namespace nudging
