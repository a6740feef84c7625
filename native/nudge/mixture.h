#pragma once

#include <cstddef>
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
  /// Whose it is.
  Source source = Source::mix;
  /// What is shown beside it (`Piece::top_probability`).
  float probability = 0;
  /// Whether other company might have turned the decision (semantics.md, "Ties").
  bool is_tie = false;
};

/// Makes one token of what several models of one vocabulary say (R31 to R37).
class Mixer {
 public:
  virtual ~Mixer() = default;
  /// How many of the lanes, from the first on, are asked about each token, all at once.
  virtual std::size_t first() const = 0;
  /// Whether the others are needed as well, by what those have said.
  virtual bool needs_others() { return false; }
  /// Every lane that was asked has the logits behind its context at hand (`Lane::last_logits`).
  virtual Mixed mix() = 0;
};

/// Plain decoding by several models, token by token: what `mixer` makes of their answers goes behind the context of each. Ends at an end of
/// text. Lanes, mixer, answer and record must outlive the task.
Task<StopReason> decode_together(std::vector<Lane*> lanes, Mixer& mixer, Answer& answer, Record& record);

}  // namespace nudging
