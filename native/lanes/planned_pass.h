#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lanes/loaded_lane.h"
#include "lanes/pass.h"
#include "lanes/sequence_lane.h"

namespace nudging {

/// A pass, and whom its answers are for.
struct PlannedPass {
  /// What one request has in it. Requests come and go while a pass is under way, so a lane is told only what still concerns it.
  struct Share {
    /// Null once it is gone.
    SequenceLane* lane;
    SequenceLane::Stamp stamp;
    /// Tokens of its own.
    std::size_t tokens;
    /// Somebody waits for it.
    bool asked;
  };
  /// An answer to come: whose, and to how much of its sequence.
  struct Awaited {
    std::size_t share;
    std::size_t length;
    /// Which of the contexts that branch off from it, if it is one of those.
    std::optional<std::size_t> branch = std::nullopt;
  };
  /// Moved to whoever decodes it.
  Pass pass;
  std::size_t tokens = 0;
  std::vector<Share> shares;
  /// In the order of `PassResult::said`.
  std::vector<Awaited> awaited;
  /// Whose tokens are in it.
  std::vector<llama_seq_id> sequences;
  /// Whether another lane had a pass under way when it began or ended.
  bool beside = false;

  /// Whether somebody waits for it.
  bool waited() const {
    return std::any_of(shares.begin(), shares.end(), [](const Share& share) { return share.asked; });
  }
};

/// What a lane decodes next: first the questions of `asking` (oldest request first), each with as many guesses as pay, beside them
/// stretches of prompts, the same for each, and of those only as much as does not hold up the questions. Then what is decoded ahead for
/// `ahead`, whom nobody waits for yet: all of it if there is nothing else, or what joins the questions without slowing them down. `asking`
/// and `ahead` together must not be empty.
PlannedPass plan_pass(LoadedLane& lane, std::span<SequenceLane* const> asking, std::span<SequenceLane* const> ahead);

/// Hands out what came of a pass that did not fail: answers, costs, statistics.
void settle(LoadedLane& lane, PlannedPass& planned, PassResult& result);

}  // namespace nudging
