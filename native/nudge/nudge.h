#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "nudge/agreement.h"
#include "nudge/answer.h"
#include "nudge/ends.h"
#include "nudge/lane.h"
#include "nudge/record.h"
#include "nudge/rules/deferral_rule.h"
#include "nudge/rules/token_rule.h"
#include "nudge/task.h"

namespace nudging {

/// What one request asks of the algorithm.
struct Rules {
  /// γ: below this top-1 probability the base defers. The paper: 0.4 for Llama-2, 0.3 for Gemma-2 and OLMo.
  float gamma = 0.4F;
  /// R17: who speaks. Null: the paper's rule, which γ is for.
  std::shared_ptr<const DeferralRule> deferral = nullptr;
  /// In its place, who speaks token by token: what decodes then is `decode_together` (mixture.h).
  std::optional<TokenRule> by_token = std::nullopt;
  /// L: how many tokens the aligned model looks ahead (R3).
  std::size_t lookahead = 16;
  /// End as `stalled` when the same words would be nudged this many times in a row; 0 never does. The authors use 4.
  std::size_t repeat_limit = 0;
  /// Who may end the answer (R23, R24).
  Ends ends;
  /// How many tokens the aligned model writes before the base is asked (R25).
  std::size_t lead = 0;
  /// Whether punctuation is the aligned model's where it decodes by default (R28).
  bool keeps_punctuation = true;
  /// What is to be known of the aligned model where the base speaks (R64).
  Signals signals = Signals::none;
};

/// The algorithm of arXiv 2410.09300 as semantics.md numbers it: `base` decodes, and wherever it is unsure `aligned` supplies
/// the next word. Commits to `answer` as it goes. The lanes, the answer and the record must outlive the task.
Task<StopReason> nudge(Lane& base, Lane& aligned, Rules rules, Answer& answer, Record& record);

/// Plain decoding by one model, for comparison: ends at its end of text.
Task<StopReason> decode_alone(Lane& model, Source source, Answer& answer, Record& record);

}  // namespace nudging
