#pragma once

#include <span>

#include "nudge/record.h"
#include "trust/kernel_check.h"

namespace nudging {

/// How far other batch shapes move what a model says where passes are not deterministic, by its weights and the type of its KV cache.
Tolerance measured_tolerance(std::span<const Kernel> kernels, ggml_type cache_type);
/// The same of a model of which nobody says how it computes: that of quantised weights.
Tolerance unknown_tolerance();

}  // namespace nudging
