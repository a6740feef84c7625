#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "nudge/top1.h"

namespace nudging {

/// 64-bit hashes of a context's beginnings, so that sampling can give each context noise of its own. Kept from call to call: a context that
/// grows by a token costs one step.
class ContextKeys {
 public:
  /// The key of the first `length` of `tokens`. Tokens that an earlier call has seen must be the same unless they were cut.
  std::uint64_t of(std::span<const Token> tokens, std::size_t length) {
    while (keys_.size() < length)
      keys_.push_back(mix((keys_.empty() ? 0 : keys_.back()) + step * (static_cast<std::uint64_t>(tokens[keys_.size()]) + 1)));
    return length == 0 ? 0 : keys_[length - 1];
  }

  /// Says that only the first `length` tokens are still the same.
  void cut(std::size_t length) {
    if (length < keys_.size()) keys_.resize(length);
  }

 private:
  /// The increment and the finalizer of SplitMix64. Steele, Lea, Flood: "Fast splittable pseudorandom number generators" (OOPSLA 2014),
  /// doi:10.1145/2660193.2660195.
  static constexpr std::uint64_t step = 0x9E3779B97F4A7C15;
  static constexpr std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

  std::vector<std::uint64_t> keys_;
};

}  // namespace nudging
