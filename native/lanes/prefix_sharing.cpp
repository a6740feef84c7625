#include "lanes/prefix_sharing.h"

#include <algorithm>

namespace nudging {

namespace {

/// Fewer tokens are decoded sooner than another request is waited for.
constexpr std::size_t worth_waiting = 16;

void take_over(SequenceLane& lane, std::span<SequenceLane* const> all) {
  const SequenceLane* best = nullptr;
  std::size_t most = lane.shared_with(lane);
  for (const SequenceLane* other : all) {
    // The last token is decoded in any case: its logits are what is asked for.
    const std::size_t shared = std::min(lane.shared_with(*other), lane.tokens().size() - 1);
    if (other == &lane || shared <= most) continue;
    best = other;
    most = shared;
  }
  if (best != nullptr) lane.copy_prefix(*best, most);
}

bool should_wait(const SequenceLane& lane, std::span<SequenceLane* const> older) {
  const std::size_t enough = lane.shared_with(lane) + worth_waiting;
  return std::any_of(older.begin(), older.end(), [&](const SequenceLane* other) {
    const std::size_t will_share = std::min(lane.will_share_with(*other), lane.tokens().size() - 1);
    return will_share > enough && will_share > lane.shared_with(*other);
  });
}

}  // namespace

std::vector<SequenceLane*> share_prefixes(std::span<SequenceLane* const> asking, std::span<SequenceLane* const> all) {
  std::vector<SequenceLane*> now;
  for (SequenceLane* lane : asking) {
    if (lane->shares()) {
      take_over(*lane, all);
      if (should_wait(*lane, now)) continue;
    }
    now.push_back(lane);
  }
  return now;
}

}  // namespace nudging
