#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "bytes/byte_law.h"
#include "bytes/byte_mixture.h"
#include "choice/sampling.h"
#include "engine/request.h"
#include "lanes/sequence_lane.h"
#include "nudge/answer.h"
#include "nudge/record.h"
#include "nudge/task.h"

namespace nudging {

/// Several models of any vocabularies that write an answer together, byte by byte (R41 to R48).
class ByteMixing {
 public:
  /// `lanes` are those of `mixing_lanes`, which have begun and must outlive it. Throws Failure(vocabularies_differ): a vocabulary that has
  /// no law of the next byte.
  ByteMixing(const Generation& generation, const std::vector<SequenceLane*>& lanes, const Sampling& sampling);

  /// Writes the answer. Once. It must outlive the task.
  Task<StopReason> decode(Answer& answer, Record& record);

 private:
  std::vector<std::unique_ptr<ByteLaw>> laws_;
  std::unique_ptr<const ByteMixture> mixture_;
  SymbolChooser chooser_;
  std::vector<Token> prompt_;
  std::size_t budget_;
};

}  // namespace nudging
