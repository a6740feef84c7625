#pragma once

#include <span>

#include "choice/sampling.h"
#include "nudge/top1.h"

namespace nudging {

/// The standard Gumbel noise of one token. In [-4, 50].
double gumbel(const Draw& draw, Token token);

/// Turns the most likely token of `logits` into the one that is sampled: of the tokens that the filters keep, the one with the highest
/// logit / T + Gumbel noise, which is a sample of their softmax at temperature T (the Gumbel-max trick; Maddison, Tarlow, Minka: "A*
/// sampling", NIPS 2014). Changes token and margin; the probability stays that of the most likely token. Not for greedy settings. Every
/// logit is a number, or minus infinity.
void sample(std::span<const float> logits, const Draw& draw, Top1& top1);

}  // namespace nudging
