#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "nudge/top1.h"

namespace nudging {

/// The most likely token of raw `logits` (one per vocabulary entry, not empty): its softmax probability over the whole
/// vocabulary and its margin over the next best. `ends` and `bytes` are left for the caller. A probability that is not a
/// number means that the logits were not.
Top1 most_likely(std::span<const float> logits);

/// What a softmax is made of.
struct Exponentials {
  float highest;
  double sum;
};

/// e to the power of each logit less the highest one, by vector instructions: relative error below 2e-7, and 0 below e^-87. Not empty;
/// every logit is a number, or minus infinity.
Exponentials exponentials(std::span<const float> logits, std::span<float> powers);

/// The `count` most likely tokens, the likeliest first, with their softmax probabilities over the whole vocabulary. Of equal ones the
/// lowest ids. Every logit is a number, or minus infinity.
std::vector<std::pair<Token, float>> most_likely(std::span<const float> logits, std::size_t count);

}  // namespace nudging
