#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "lanes/padding.h"

namespace nudging {

/// What a decode of n tokens costs with one model on this machine, measured while it works. Owned by the scheduler's thread.
class Costs {
 public:
  /// Largest size that is measured.
  static constexpr std::size_t most_tokens = 64;

  /// Passes are filled up: all that are computed with equally many tokens cost the same. Before anything is noted.
  void set_padding(const Padding& padding) { padding_ = padding; }

  /// Notes that a decode of `tokens` tokens took `ms`. Larger batches (prompts) are ignored.
  void note(std::size_t tokens, double ms);

  /// Milliseconds of a decode of `tokens` tokens. Between measured sizes: interpolated; beyond them: as the largest one suggests. 0 as long
  /// as a single token was not measured.
  double of(std::size_t tokens) const;

  /// The largest measured size, in tokens.
  std::size_t largest() const;

  /// How many tokens may join a decode of `tokens` tokens before it takes `factor` times as long. 0 as long as a single token was not
  /// measured.
  std::size_t room(std::size_t tokens, double factor) const;

 private:
  struct Size {
    double ms = 0;
    std::uint64_t last = 0;
  };
  bool known(std::size_t tokens) const;
  /// What a token more costs beyond the largest measured size.
  double slope() const;

  Padding padding_;
  std::array<Size, most_tokens + 1> sizes_{};
  std::uint64_t decodes_ = 0;
};

/// How often a guess is right if those before it were, as running means: for each place behind the question (what comes first is right more
/// often), and for how sure the aligned model was, which says more where it is known.
class Acceptance {
 public:
  /// `place`: 0 for the first token behind the question. `probability`: what the aligned model gave the guess.
  void note(std::size_t place, float probability, bool right);

  /// In [0, 1]. A place that was seen too seldom is taken to be as good as the one before it.
  double rate(std::size_t place) const;
  /// In [0, 1]. A probability like which too few were seen is taken at its word, but not to be better than its place.
  double rate(std::size_t place, float probability) const;

 private:
  struct Mean {
    double rate = 0.5;
    std::uint32_t seen = 0;
  };
  static constexpr std::size_t places = 16;
  std::array<Mean, places> by_place_;
  /// Of probabilities up to 0.5, 0.75, 0.9, 0.95, 0.99 and 1.
  std::array<Mean, 6> by_probability_;
};

/// Decoding ahead what the aligned model expects.
struct Speculation {
  enum class Guesses : std::uint8_t { none, as_pays, fixed };
  Guesses guesses = Guesses::as_pays;
  /// Guesses a decode, if fixed.
  std::size_t count = 0;
};

/// What a decode holds apart from the guesses that are to be weighed.
struct Batch {
  std::size_t tokens = 1;
  /// Questions that it answers.
  double answers = 1;
};

/// How many guessed tokens to decode together with a question: the number that makes the most answers per millisecond of the whole batch.
/// `rates`: how often each is right if those before it were.
std::size_t guesses_worth(const Costs& costs, std::span<const double> rates, Batch batch = {});

/// The same for guesses that are still to be drafted, at `draft_ms` each, while the question waits. None where the base answers several
/// requests in a batch, which `batch` is like: whoever waits for drafts misses as many batches, and has at most as many tokens more in the
/// one that comes then.
std::size_t guesses_worth_drafting(const Costs& costs, std::span<const double> rates, double draft_ms, Batch batch);

}  // namespace nudging
