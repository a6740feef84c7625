#pragma once

#include <limits>
#include <span>

#include "choice/sampling.h"
#include "nudge/top1.h"

namespace nudging {

/// Tokens a block, for whoever reads a vocabulary's logits block by block.
constexpr std::size_t filter_block = 64;

/// What top-k, top-p and min-p leave: a range of logits, since each of them keeps the tokens above some logit.
struct Kept {
  /// Tokens with at least this logit are kept.
  float lowest = -std::numeric_limits<float>::infinity();
  /// A token with less is kept as soon as its logit rises to this. Below `lowest` only where top-p might as well have taken more tokens.
  float limit = -std::numeric_limits<float>::infinity();
  /// A kept token is cut as soon as its logit falls to this.
  float next = -std::numeric_limits<float>::infinity();
  /// The same of kept tokens other than the most likely one, which min-p measures the others by.
  float least = -std::numeric_limits<float>::infinity();
};

/// How far from a filter's limit a token is still looked at, in logits: the margin under which a decision is a tie.
constexpr float filter_reach = 0.05F;

/// The range that the filters of `sampling` keep. `maxima` holds the highest logit of every block of `filter_block` tokens; `top1` is the
/// most likely token.
Kept kept_tokens(std::span<const float> logits, std::span<const float> maxima, const Sampling& sampling, const Top1& top1);

}  // namespace nudging
