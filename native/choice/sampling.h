#pragma once

#include <cstdint>
#include <span>

#include "nudge/top1.h"

namespace nudging {

/// How a request chooses tokens (R15). The filters are those of llama.cpp's default chain, in its order: top-k, top-p over what is left, min-p, and only then
/// the temperature. Checked by the caller: every number in its range.
struct Sampling {
  /// 0 to 100; 0: greedy, and nothing else counts.
  double temperature = 0;
  /// Keeps the k tokens with the highest logits, and those that equal the last of them; 0: all.
  std::uint32_t top_k = 0;
  /// (0, 1]: keeps the likeliest tokens until their probability reaches this, and those that equal the last of them; 1: all.
  double top_p = 1;
  /// [0, 1]: keeps tokens at least this likely, relative to the likeliest; 0: all.
  double min_p = 0;
  std::uint64_t seed = 0;
  /// The two models draw independently of each other: 0 for the base, 1 for the aligned model.
  std::uint32_t lane = 0;

  bool greedy() const { return temperature == 0; }
  bool operator==(const Sampling&) const = default;
};

/// The noise of one context: with the same settings and key, the same tokens get the same noise.
struct Draw {
  const Sampling& sampling;
  /// Of the context's tokens, all of them (ContextKeys).
  std::uint64_t context = 0;
};

/// The standard Gumbel noise of one token. In [-4, 50].
double gumbel(const Draw& draw, Token token);

/// Turns the most likely token of `logits` into the one that is sampled: of the tokens that the filters keep, the one with the highest logit / T + Gumbel noise,
/// which is a sample of their softmax at temperature T (the Gumbel-max trick; Maddison, Tarlow, Minka: "A* sampling", NIPS 2014). Changes token and margin;
/// the probability stays that of the most likely token. Not for greedy settings. Every logit is a number, or minus infinity.
void sample(std::span<const float> logits, const Draw& draw, Top1& top1);

}  // namespace nudging
