#pragma once

#include <cstddef>
#include <cstdint>

#include "basics/stopwatch.h"

namespace nudging {

/// What a lane has done for one request. Times in milliseconds.
struct LaneStats {
  /// Tokens of the prompt, with an empty output.
  std::uint64_t prompt_tokens = 0;
  /// Tokens decoded, the prompt's included.
  std::uint64_t decoded_tokens = 0;
  /// Tokens of contexts that were found in the KV cache when the prompt was first used.
  std::uint64_t cached_prompt_tokens = 0;
  /// Decode calls that this request took part in.
  std::uint64_t decodes = 0;
  /// Questions answered, and how many of them without a decode.
  std::uint64_t questions = 0;
  std::uint64_t remembered = 0;
  /// Guessed tokens decoded ahead, and how many of them came true.
  std::uint64_t guessed = 0;
  std::uint64_t guesses_right = 0;
  /// Times the KV cache was cut back, and the tokens cut.
  std::uint64_t rewinds = 0;
  std::uint64_t rewound_tokens = 0;
  /// Times the memory could not be cut and the context was decoded again from its start.
  std::uint64_t recomputations = 0;
  /// Tokens decoded before anybody asked, while the other model was busy.
  std::uint64_t anticipated = 0;
  double decode_ms = 0;
  double top1_ms = 0;
  double tokenize_ms = 0;
};

/// What of that was asked aside from the answer (`Lane::step_aside`), by a guard.
struct AsideStats {
  std::uint64_t decoded_tokens = 0;
  std::uint64_t decodes = 0;
  std::uint64_t questions = 0;
  std::uint64_t remembered = 0;
  double decode_ms = 0;
  /// From stepping aside to stepping back: how long the answer waited.
  double wait_ms = 0;
};

/// One decode call that a lane took part in.
struct Span {
  Clock::time_point begin;
  Clock::time_point end;
  /// Tokens in its batch, of all requests.
  std::size_t tokens;
};

}  // namespace nudging
