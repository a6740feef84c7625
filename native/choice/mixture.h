#pragma once

#include <span>

#include "nudge/top1.h"

namespace nudging {

// What several models of one vocabulary say together, as logits: whatever reads those of one model (top1.h, gumbel.h) reads these. Rows are
// of equal length, and every logit is a number, or minus infinity.

/// The logarithm of w p, of one model: log(w) + log softmax(logits). `top1` is the most likely token of `logits`, `weight` over 0.
void weighted(std::span<const float> logits, const Top1& top1, double weight, std::span<float> mixture);

/// Adds w p of another model to what is in `mixture` (R31), in logarithms: log(e^a + e^b) = max(a, b) + log(1 + e^-|a - b|). So no
/// probability is too small for it.
void add_weighted(std::span<const float> logits, const Top1& top1, double weight, std::span<float> mixture);

/// base + α (aligned − reference) (R32: Liu et al., "Tuning Language Models by Proxy", arXiv 2401.08565, equation 1). A token that one of
/// the three rules out (minus infinity) is ruled out.
void proxy_tuned(std::span<const float> base, std::span<const float> aligned, std::span<const float> reference, float alpha,
                 std::span<float> mixture);

}  // namespace nudging
