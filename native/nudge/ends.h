#pragma once

#include <cstdint>

#include "nudge/top1.h"

namespace nudging {

/// Whose end of text ends the answer.
enum class EndRule : std::uint8_t { aligned, either, base };

/// Who may end the answer, and how (R3, R23, R24).
struct Ends {
  EndRule rule = EndRule::aligned;
  /// From this probability on the base's end of text counts, in [0, 1].
  float certainty = 0.9F;
  /// Whether the base is asked about a draft that reaches the aligned model's end of text.
  bool checks_short_drafts = false;

  /// R3: whether the aligned model's end of text ends the answer.
  bool aligned_counts() const { return rule != EndRule::base; }
  /// R23: whether the base's may.
  bool base_counts() const { return rule != EndRule::aligned; }
  /// R23: whether this, said by the base, ends the answer.
  bool ended_by(const Top1& said) const { return base_counts() && said.ends && said.probability >= certainty; }

  /// R3, R24: whether a draft that reaches the end of text is taken as it is.
  bool accepts_short_drafts() const { return aligned_counts() && !checks_short_drafts; }
};

}  // namespace nudging
