#pragma once

#include <span>

#include "nudge/rules/token_rule.h"
#include "nudge/top1.h"

namespace nudging {

// What rules of single tokens compare (R34 to R37). Rows are raw logits (as R16 leaves them), `top1` says what their softmax is: the
// probability is that of the likeliest token, whichever was drawn.

/// The softmax probability of one token.
double probability_of(std::span<const float> logits, const Top1& top1, Token token);

/// How probable all tokens together are that are likelier than this one.
double likelier_than(std::span<const float> logits, const Top1& top1, Token token);

/// R34: how much the aligned model counts, in [0, 1]. `base_there`: the base's probability of the token that the aligned model finds
/// likeliest.
double blend_weight(const TokenRule& rule, double base, double aligned, double base_there);

/// R35 to R37: whether the base's token is rejected, and how far what was compared is from deciding otherwise, in probability.
struct Rejection {
  bool rejected;
  double distance;
};
Rejection rejection(const TokenRule& rule, std::span<const float> base_logits, const Top1& base, double aligned);

}  // namespace nudging
