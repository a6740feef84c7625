#pragma once

#include "jinja/runtime.h"

namespace nudging::template_limits {

/// Puts checks of time, stack and memory in front of and behind everything that the program does. They throw std::runtime_error once the
/// thread's `Watch` finds a limit passed, or an operation would pass one. Without a `Watch` only operations are checked.
void add_checks(jinja::program& program);

}  // namespace nudging::template_limits
