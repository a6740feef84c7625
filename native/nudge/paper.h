#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "nudge/answer.h"
#include "nudge/lane.h"
#include "nudge/record.h"
#include "nudge/task.h"

namespace nudging {

/// A token as the text that it is.
struct LikelyText {
  /// Owned by the lane's vocabulary.
  std::string_view bytes;
  float probability;
};

/// What the windows are compared by.
class Likeliest {
 public:
  virtual ~Likeliest() = default;
  /// The likeliest tokens of what a lane has just said in full, without those that show nothing, the likeliest first.
  virtual std::vector<LikelyText> of(Lane& lane) = 0;
};

/// R38: the baselines of the nudging paper as its published code has them, for any vocabularies: windows of `lookahead` tokens, joined by
/// what tokens spell. With two lanes (base, aligned) its ensemble, with three (base, aligned, reference) its proxy tuning. A reproduction,
/// not a method: R31 and R32 are what it approximates. Lanes, answer and record must outlive the task.
Task<StopReason> decode_as_in_paper(std::vector<Lane*> lanes, Likeliest& likeliest, std::size_t lookahead, Answer& answer, Record& record);

}  // namespace nudging
