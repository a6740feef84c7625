#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace nudging {

using Token = std::int32_t;

/// What is to be known behind a token: nothing, what comes next, or the logits as well (as R16 leaves them).
enum class Wanted : std::uint8_t { nothing, top1, distribution };

/// What a request wants to be told of every distribution beside its most likely token (R20, R21). Nobody else pays for it.
struct Measures {
  bool runner_up = false;
  bool entropy = false;
  bool operator==(const Measures&) const = default;
};

/// What a model says comes next (semantics.md, "Terms"). How sure it is, is measured on the logits as R16 leaves them: no
/// temperature, no filter.
struct Top1 {
  /// The token to go on with: the most likely one, or the one that was sampled (R15).
  Token token = -1;
  /// Softmax probability of the most likely token over the whole vocabulary, in [0, 1]; also where another token was sampled.
  float probability = 0;
  /// Logit of `token` minus the next best logit, >= 0; with sampling, the same of what was compared (R15). (semantics.md, "Ties").
  float margin = 0;
  /// Softmax probability of the second most likely token, and the entropy of the whole distribution in nats: where they were to be
  /// measured.
  std::optional<float> runner_up = std::nullopt;
  std::optional<float> entropy = std::nullopt;
  /// True for every token of llama.cpp's end-of-generation set.
  bool ends = false;
  /// The token's bytes (R4): not necessarily whole characters, empty for control tokens. Owned by the lane's vocabulary.
  std::string_view bytes;

  /// R7a, R10: an end-of-generation token or one that shows nothing.
  bool silent() const { return ends || bytes.empty(); }
};

}  // namespace nudging
