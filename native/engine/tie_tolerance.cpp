#include "engine/tie_tolerance.h"

#include <algorithm>

namespace nudging {

namespace {

// `node scripts/measure-ties.mjs --cpu-buffers repack` (semantics.md, "Ties"): what 99 of 100 changes are below, from one shape of batches to another.
// Of p they are those where a γ would be, at 0.2 to 0.6; near 0 and 1 they are smaller.
constexpr Tolerance quantised{0.08F, 0.5F};
constexpr Tolerance floating{0.008F, 0.04F};

}  // namespace

Tolerance measured_tolerance(std::span<const Kernel> kernels, ggml_type cache_type) {
  const bool is_quantised = ggml_is_quantized(cache_type) || std::ranges::any_of(kernels, [](const Kernel& kernel) { return ggml_is_quantized(kernel.type); });
  return is_quantised ? quantised : floating;
}

}  // namespace nudging
