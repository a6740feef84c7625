#include "engine/tie_tolerance.h"

#include <algorithm>

namespace nudging {

namespace {

constexpr Tolerance quantised{0.05F, 0.5F};
constexpr Tolerance floating{0.005F, 0.05F};

}  // namespace

Tolerance measured_tolerance(std::span<const Kernel> kernels, ggml_type cache_type) {
  const bool is_quantised = ggml_is_quantized(cache_type) || std::ranges::any_of(kernels, [](const Kernel& kernel) { return ggml_is_quantized(kernel.type); });
  return is_quantised ? quantised : floating;
}

}  // namespace nudging
