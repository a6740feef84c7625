#pragma once

#include <span>

#include "nudge/top1.h"

namespace nudging {

/// The most likely token of raw `logits` (one per vocabulary entry, not empty): its softmax probability over the whole
/// vocabulary and its margin over the next best. `ends` and `bytes` are left for the caller. A probability that is not a
/// number means that the logits were not.
Top1 most_likely(std::span<const float> logits);

}  // namespace nudging
