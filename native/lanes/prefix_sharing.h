#pragma once

#include <span>
#include <vector>

#include "lanes/sequence_lane.h"

namespace nudging {

/// Gives lanes that begin a request what other lanes of the same model hold of its prompt, and returns which of `asking` (oldest request
/// first) are to decode now: all but those that begin as an older one does that is still decoding, and will have more of their prompt in a
/// moment than they have now. The oldest never waits.
std::vector<SequenceLane*> share_prefixes(std::span<SequenceLane* const> asking, std::span<SequenceLane* const> all);

}  // namespace nudging
