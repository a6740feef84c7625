#pragma once

#include <span>

#include "nudge/top1.h"

namespace nudging {

/// Adds to what is known of the most likely token what is wanted beside it. Before anything is sampled: its margin must be that over the
/// second most likely one. Every logit is a number, or minus infinity.
void measure(std::span<const float> logits, Measures wanted, Top1& top1);

}  // namespace nudging
