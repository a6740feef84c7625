#pragma once

#include <cstddef>
#include <optional>

#include "nudge/answer.h"
#include "nudge/draft.h"

namespace nudging {

/// R65: the first word of a draft is the answer's whatever comes behind it, so it is committed as soon as it is all there. Whoever reads
/// the answer need not wait for the lookahead.
class FirstWord {
 public:
  /// `unsure`: as in `Answer::add_words`. Unless it `is_certain`, as where the words may prove to be repeated once too often, it waits for
  /// the verdict like all others.
  FirstWord(Answer& answer, std::optional<float> unsure, bool is_certain) : answer_(answer), unsure_(unsure), waits_(!is_certain) {}

  /// The draft has grown.
  void read(const Draft& draft);

  /// What was committed: bytes of the draft, and what they cost (R12). 0 if nothing was.
  std::size_t length() const { return length_; }
  std::size_t cost() const { return cost_; }

 private:
  Answer& answer_;
  std::optional<float> unsure_;
  bool waits_;
  std::size_t length_ = 0;
  std::size_t cost_ = 0;
};

}  // namespace nudging
