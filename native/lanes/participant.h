#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "choice/sampling.h"
#include "lanes/costs.h"
#include "lanes/lane_stats.h"
#include "llama.h"
#include "nudge/top1.h"

namespace nudging {

/// Who takes part in the decodes of a `ModelContext`: one sequence of its KV cache, and the tokens that somebody wants to have behind it. All that the context
/// knows of lanes; what a lane is asked for, by whom, and what it remembers is its own affair.
class Participant {
 public:
  virtual llama_seq_id sequence() const = 0;
  /// Makes the cache a prefix of the context; what is missing then is decoded from `cached()` on.
  virtual void prepare() = 0;
  /// The tokens of the context as it is now.
  virtual const std::vector<Token>& tokens() const = 0;
  /// How many tokens are in the cache.
  virtual std::size_t cached() const = 0;
  std::size_t missing() const { return tokens().size() - std::min(cached(), tokens().size()); }
  /// Guessed tokens to decode behind the context in a batch that holds `batch` already, if there is room for `room`.
  virtual std::span<const Token> guesses(std::size_t room, Batch batch) const = 0;
  /// Notes that the next `count` missing tokens are in the cache now, and `guessed` guesses behind them.
  virtual void decoded(std::size_t count, std::size_t guessed) = 0;
  /// How the token behind the first `length` tokens in the cache is chosen.
  virtual Draw draw(std::size_t length) = 0;
  /// What the model says after the first `length` tokens in the cache.
  virtual void resolve(std::size_t length, const Top1& top1) = 0;
  /// What the model said at the end of the cache, to be decoded before anybody asks.
  virtual Token anticipated() const = 0;
  /// Notes that `anticipated()` is in the cache now.
  virtual void anticipate() = 0;
  /// Empties the cache: what is in it is not known any more.
  virtual void forget() = 0;
  /// Takes the times of decodes.
  virtual LaneStats& stats() = 0;
  virtual void took_part(const Span& span) = 0;

 protected:
  ~Participant() = default;
};

}  // namespace nudging
