#pragma once

#include <cstddef>
#include <vector>

#include "nudge/paper.h"

namespace nudging {

/// The likeliest tokens of lanes as texts. Its lanes are SequenceLanes.
class LikeliestTexts final : public Likeliest {
 public:
  /// At most so many of each.
  explicit LikeliestTexts(std::size_t count) : count_(count) {}
  std::vector<LikelyText> of(Lane& lane) override;

 private:
  std::size_t count_;
};

}  // namespace nudging
