#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <vector>

#include "lanes/pass.h"
#include "nudge/top1.h"

namespace nudging {

/// Known by its number from the moment it is asked until it is complete or given up.
using RemoteCall = std::uint32_t;

/// What a model on another machine is asked in one call, as plain data: what follows the last `asked` of the beginnings of `tokens` (the
/// longest is all of them), and how it goes on from there.
struct RemoteQuestion {
  RemoteCall call = 0;
  /// The number of the request that asks.
  std::uint32_t request = 0;
  std::vector<Token> tokens;
  /// At least 1. More than that: the last tokens are guessed, and each is asked about.
  std::size_t asked = 1;
  /// How many tokens more may be said behind the last answer, as long as each is at least as probable as `certainty`.
  OwnRun run = {};
};

/// What the model says at one place, in their order.
struct RemoteAnswer {
  Token token = -1;
  /// Natural logarithms of the softmax probabilities of the likeliest token, and of the one after it.
  double logprob = 0;
  std::optional<double> next_logprob = std::nullopt;
};

/// Some answers of a call, in order. More may follow unless it is over.
struct RemoteAnswers {
  RemoteCall call = 0;
  std::vector<RemoteAnswer> answers;
  bool over = false;
  /// Why it is over before its time.
  std::exception_ptr failure = nullptr;
};

/// Who carries questions to the model. Called on the scheduler's thread; must not block.
class RemoteLine {
 public:
  virtual ~RemoteLine() = default;
  /// Asks a question, and returns the number of the call.
  virtual RemoteCall ask(RemoteQuestion question) = 0;
  /// Nobody wants to know any more.
  virtual void give_up(RemoteCall call) = 0;
};

}  // namespace nudging
