#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace nudging {

/// What a decode of n tokens costs with one model on this machine, measured while it works. Owned by the scheduler's thread.
class Costs {
 public:
  static constexpr std::size_t most_tokens = 32;

  /// Notes that a decode of `tokens` tokens took `ms`. Larger batches (prompts) are ignored.
  void note(std::size_t tokens, double ms);

  /// Milliseconds of a decode of `tokens` tokens. Between measured sizes: interpolated; beyond them: as the largest one suggests. 0 as long as a single token
  /// was not measured.
  double of(std::size_t tokens) const;

  /// The largest measured size, in tokens.
  std::size_t largest() const;

 private:
  struct Size {
    double ms = 0;
    std::uint64_t last = 0;
  };
  bool known(std::size_t tokens) const;

  std::array<Size, most_tokens + 1> sizes_{};
  std::uint64_t decodes_ = 0;
};

/// How often guesses are right, as a running mean.
class Acceptance {
 public:
  void note(bool right);
  /// In [0, 1].
  double rate() const { return rate_; }

 private:
  double rate_ = 0.5;
};

/// Decoding ahead what the aligned model expects.
struct Speculation {
  enum class Guesses : std::uint8_t { none, as_pays, fixed };
  Guesses guesses = Guesses::as_pays;
  /// Guesses a decode, if fixed.
  std::size_t count = 0;
};

/// How many guessed tokens to decode together with a question, at most `available`: the number that makes the most tokens per millisecond, if each
/// guess is right with probability `rate` given that those before it were. `guess_ms` is what making one guess costs.
std::size_t guesses_worth(const Costs& costs, double rate, double guess_ms, std::size_t available);

}  // namespace nudging
