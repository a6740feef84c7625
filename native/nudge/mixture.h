#pragma once

#include <vector>

#include "nudge/answer.h"
#include "nudge/lane.h"
#include "nudge/record.h"
#include "nudge/task.h"

namespace nudging {

/// The next token of several models together.
struct Mixed {
  /// The token, and the top-1 probability and the margin of what it was chosen from.
  Top1 top1;
  /// How far other company moves that, in logits.
  float tolerance = 0;
};

/// Makes one token of what several models of one vocabulary say (R31 to R33).
class Mixer {
 public:
  virtual ~Mixer() = default;
  /// Every lane has the logits behind its context at hand (`Lane::last_logits`).
  virtual Mixed mix() = 0;
};

/// Plain decoding by several models: each token is asked of all of them at once, and what `mixer` makes of their answers goes behind the
/// context of each. Ends at an end of text. Lanes, mixer, answer and record must outlive the task.
Task<StopReason> decode_together(std::vector<Lane*> lanes, Mixer& mixer, Answer& answer, Record& record);

}  // namespace nudging
