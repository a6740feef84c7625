#pragma once

#include <cstdint>

namespace nudging {

/// How a request chooses tokens (R15). The filters are those of llama.cpp's default chain, in its order: top-k, top-p over what is left,
/// min-p, and only then the temperature. Checked by the caller: every number in its range.
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
  Sampling sampling;
  /// Of the context's tokens, all of them (ContextKeys).
  std::uint64_t context = 0;
};

}  // namespace nudging
