#pragma once

#include <cstdint>
#include <string_view>

namespace nudging {

using Token = std::int32_t;

/// What is to be known behind a token: nothing, what comes next, or the logits as well (as R16 leaves them).
enum class Wanted : std::uint8_t { nothing, top1, distribution };

/// What a model says comes next (semantics.md, "Terms"). How sure it is, is measured on the logits as R16 leaves them: no
/// temperature, no filter.
struct Top1 {
  /// The token to go on with: the most likely one, or the one that was sampled (R15).
  Token token = -1;
  /// Softmax probability of the most likely token over the whole vocabulary, in [0, 1]; also where another token was sampled.
  float probability = 0;
  /// Logit of `token` minus the next best logit, >= 0; with sampling, the same of what was compared (R15). (semantics.md, "Ties").
  float margin = 0;
  /// True for every token of llama.cpp's end-of-generation set.
  bool ends = false;
  /// The token's bytes (R4): not necessarily whole characters, empty for control tokens. Owned by the lane's vocabulary.
  std::string_view bytes;

  /// R7a, R10: an end-of-generation token or one that shows nothing.
  bool silent() const { return ends || bytes.empty(); }
};

}  // namespace nudging
