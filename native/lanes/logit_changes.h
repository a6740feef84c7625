#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "nudge/top1.h"
#include "text/vocabulary.h"

namespace nudging {

/// A bias as a request names it: by a token's id, or by the text that the token shows.
struct NamedBias {
  std::variant<Token, std::string> token;
  /// -100 to 100. `banning` takes the token away, all others are added to its logit.
  float bias = 0;
};

constexpr float banning = -100;

/// Makes tokens that were there lately less likely (or more, below 1): a positive logit is divided by `factor`, another one multiplied
/// with it. Keskar et al.: "CTRL" (2019), arXiv 1909.05858, section 4.1, with the case of negative logits that Hugging Face's and
/// llama.cpp's versions have.
struct RepeatPenalty {
  /// 0.01 to 100; 1: off.
  float factor = 1;
  /// How many of the context's last tokens count, at least 1.
  std::uint32_t window = 64;

  bool operator==(const RepeatPenalty&) const = default;
};

/// What a request changes about one model's logits before anything is read from them (R16): biases first, then the penalty. A function of
/// logits and context.
struct LogitChanges {
  struct Bias {
    Token token;
    /// Minus infinity for a token that is banned.
    float bias;
    bool operator==(const Bias&) const = default;
  };
  /// Each token once.
  std::vector<Bias> biases;
  RepeatPenalty repeat;

  bool none() const { return biases.empty() && repeat.factor == 1; }
  bool operator==(const LogitChanges&) const = default;
};

/// Looks the named tokens up; biases of the same token add up, and a ban stays one. Throws Failure(token_unknown): an id beyond the
/// vocabulary, a text that is not one token in it, or no token left to say. `lane` is the model's name in messages.
LogitChanges logit_changes(std::span<const NamedBias> biases, const RepeatPenalty& repeat, const Vocabulary& vocabulary,
                           const std::string& lane);

/// Changes logits in place. One for each thread: it remembers room for a vocabulary.
class LogitChanger {
 public:
  /// `context` is what the logits follow, all of it. Tokens that end a generation are not penalised: a chat template puts the aligned
  /// model's into every prompt.
  void apply(const LogitChanges& changes, std::span<const Token> context, const Vocabulary& vocabulary, std::span<float> logits);

 private:
  /// By token; all false between calls.
  std::vector<bool> seen_;
};

}  // namespace nudging
