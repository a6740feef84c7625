#pragma once

namespace nudging {

/// How far other company moves what a model says; 0: not at all.
struct Tolerance {
  /// In the top-1 probability.
  float probability = 0;
  /// In the margin, in logits.
  float margin = 0;
};

}  // namespace nudging
