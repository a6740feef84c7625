#pragma once

#include <cstddef>
#include <optional>

#include "nudge/answer.h"
#include "nudge/ends.h"
#include "nudge/lane.h"
#include "nudge/record.h"
#include "nudge/task.h"

namespace nudging {

/// R25: the aligned model writes the first `tokens` of the answer, and up to `lookahead` more to complete the word, whatever the base would
/// say; that is not asked. Returns why the answer has ended, if it has.
Task<std::optional<StopReason>> lead(Lane& aligned, std::size_t tokens, std::size_t lookahead, Ends ends, Answer& answer, Record& record);

}  // namespace nudging
