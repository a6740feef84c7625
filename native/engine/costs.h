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

  /// Milliseconds of a decode of `tokens` tokens. A size that was never seen counts as little more than the next smaller one that was, so that it gets tried
  /// once it could pay. 0 as long as nothing was measured.
  double of(std::size_t tokens) const;

 private:
  std::array<double, most_tokens + 1> ms_{};
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
