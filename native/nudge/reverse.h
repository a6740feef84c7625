#pragma once

#include "nudge/answer.h"
#include "nudge/lane.h"
#include "nudge/nudge.h"
#include "nudge/record.h"
#include "nudge/task.h"

namespace nudging {

/// R26-R30: the other way round (BACo, arXiv 2511.05650): `aligned` decodes, and where it is unsure of the next word `base` writes that.
/// Commits to `answer` as it goes. The lanes, the answer and the record must outlive the task.
Task<StopReason> nudge_in_reverse(Lane& base, Lane& aligned, Rules rules, Answer& answer, Record& record);

}  // namespace nudging
