#pragma once

#include <optional>

#include "nudge/answer.h"
#include "nudge/lane.h"
#include "nudge/nudge.h"
#include "nudge/record.h"
#include "nudge/task.h"

namespace nudging {

/// R23: the aligned model writes the first `rules.lead` tokens of the answer and completes the word, whatever the base would say; that is
/// not asked. Returns why the answer has ended, if it has.
Task<std::optional<StopReason>> lead(Lane& aligned, Rules rules, Answer& answer, Record& record);

}  // namespace nudging
