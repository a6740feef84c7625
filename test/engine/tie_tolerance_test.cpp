#include "trust/tie_tolerance.h"

#include <vector>

#include "check.h"

using namespace nudging;

namespace {

Tolerance of(const std::vector<ggml_type>& weights, ggml_type cache = GGML_TYPE_F16) {
  std::vector<Kernel> kernels;
  for (const ggml_type type : weights) kernels.push_back({nullptr, type});
  return measured_tolerance(kernels, cache);
}

}  // namespace

TEST("tie tolerance: weights of any float type have the same, and it is not nothing") {
  const Tolerance floats = of({GGML_TYPE_F32, GGML_TYPE_F16});
  CHECK(floats.probability > 0 && floats.margin > 0);
  for (const ggml_type type : {GGML_TYPE_F32, GGML_TYPE_BF16}) {
    CHECK_EQUAL(of({type}).probability, floats.probability);
    CHECK_EQUAL(of({type}).margin, floats.margin);
  }
}

TEST("tie tolerance: one quantised type among the weights, or a quantised cache, has a wider one") {
  const Tolerance floats = of({GGML_TYPE_F32, GGML_TYPE_F16});
  for (const Tolerance& wide : {of({GGML_TYPE_F32, GGML_TYPE_Q4_K}), of({GGML_TYPE_Q8_0}), of({GGML_TYPE_F16}, GGML_TYPE_Q8_0)}) {
    CHECK(wide.probability > 3 * floats.probability);
    CHECK(wide.margin > 3 * floats.margin);
  }
}
