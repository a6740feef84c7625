#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "bytes/byte_law.h"
#include "choice/sampling.h"

namespace nudging {

/// A number that is known within bounds.
struct Interval {
  double least = 0;
  double most = 0;
};

/// Makes one law of what several models say about the next byte (R45, R46).
class ByteMixture {
 public:
  virtual ~ByteMixture() = default;
  /// The logarithm of a symbol's weight, given its probabilities by model; minus infinity for what is ruled out.
  virtual Interval score(std::span<const Interval> probabilities) const = 0;
  /// How much it matters what a model leaves open, relative to other models.
  virtual double influence(std::size_t model) const = 0;
  /// The part of what a model says below which what it leaves open seldom matters: such a place is asked about only once it turns out to be
  /// needed, not by the way. No decision depends on it.
  virtual double negligible(std::size_t model) const = 0;
};

/// R45: log Σ w P, the mean of the probabilities. `weights`: of the models, together 1.
class MeanOfLaws final : public ByteMixture {
 public:
  explicit MeanOfLaws(std::vector<double> weights) : weights_(std::move(weights)) {}
  Interval score(std::span<const Interval> probabilities) const override;
  double influence(std::size_t model) const override { return weights_[model]; }
  double negligible(std::size_t model) const override;

 private:
  std::vector<double> weights_;
};

/// R46: log P_base + α (log P_aligned − log P_reference), of these three models in this order. Liu et al.: "Tuning Language Models by
/// Proxy" (arXiv 2401.08565), equation 1, over symbols.
class ProxyTunedLaw final : public ByteMixture {
 public:
  /// `alpha` from 0 on.
  explicit ProxyTunedLaw(double alpha) : alpha_(alpha) {}
  Interval score(std::span<const Interval> probabilities) const override;
  double influence(std::size_t model) const override { return model == 0 ? 1 : alpha_; }
  double negligible(std::size_t model) const override;

 private:
  double alpha_;
};

/// What comes next.
struct ChosenSymbol {
  std::size_t symbol = end_symbol;
  /// Of the most probable symbol, in what the models said when they were asked: not less exact than what they leave open.
  float probability = 0;
  /// By how much its score is at least over that of the next best one.
  float margin = 0;
};

/// Symbols that may come.
using Allowed = std::array<bool, symbol_count>;

/// Chooses the next symbol, as R15 has it for tokens: the most probable one, or one that is drawn.
class SymbolChooser {
 public:
  /// `tolerance`: how far other company moves the scores. What is closer is not certain before all is known.
  SymbolChooser(const ByteMixture& mixture, const Sampling& sampling, float tolerance)
      : mixture_(mixture), sampling_(sampling), tolerance_(tolerance) {}

  /// The symbol that is chosen whatever the models say about what they leave open; nothing if that depends on it. `context`: what the noise
  /// is a function of.
  std::optional<ChosenSymbol> choose(std::span<const ByteLaw::Bounds* const> laws, const Allowed& allowed, std::uint64_t context) const;

  const ByteMixture& mixture() const { return mixture_; }
  float tolerance() const { return tolerance_; }

 private:
  std::optional<ChosenSymbol> filtered(std::span<const Interval> scores, std::uint64_t context) const;
  std::optional<ChosenSymbol> ranked(std::span<const Interval> scores, std::uint64_t context) const;
  float probability(std::span<const ByteLaw::Bounds* const> laws, const Allowed& allowed) const;

  const ByteMixture& mixture_;
  Sampling sampling_;
  float tolerance_;
};

}  // namespace nudging
