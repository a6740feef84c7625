#include "trust/tie_tolerance.h"

#include <algorithm>

namespace nudging {

namespace {

// `node scripts/measure-ties.mjs --cpu-buffers repack` (semantics.md, "Ties"): about what 99 of 100 changes from one shape of batches to
// another are below. That was 0.05 to 0.1 in p and 0.3 to 0.5 in the margin with quantised weights, up to 0.008 and 0.035 with F16. Of p
// only those count where a γ would be, at 0.2 to 0.6; near 0 and 1 they are smaller.
constexpr Tolerance quantised{0.08F, 0.5F};
constexpr Tolerance floating{0.008F, 0.04F};

}  // namespace

Tolerance measured_tolerance(std::span<const Kernel> kernels, ggml_type cache_type) {
  const auto has_quantised_weights = [](const Kernel& kernel) { return ggml_is_quantized(kernel.type); };
  const bool is_quantised = ggml_is_quantized(cache_type) || std::ranges::any_of(kernels, has_quantised_weights);
  return is_quantised ? quantised : floating;
}

Tolerance unknown_tolerance() { return quantised; }

}  // namespace nudging
