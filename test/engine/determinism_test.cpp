// When an engine may promise the same bits, and what it says when it may not.
#include <string>

#include "backend/log.h"
#include "check.h"
#include "models/model.h"
#include "trust/determinism.h"

using namespace nudging;

namespace {

const std::string path = std::string(NUDGING_DEMO_MODELS) + "/base.gguf";

ModelHandle demo_base() {
  capture_log();
  return open_model({path, 0, Model::Weights::none, std::nullopt}, [](float) { return true; });
}

struct Lane {
  ModelHandle model = demo_base();
  LaneTraits traits{path, model.get(), {{ggml_backend_cpu_buffer_type(), GGML_TYPE_Q4_0}}, false, true, GGML_TYPE_F16};
};

bool mentions(const std::optional<std::string>& text, const std::string& part) { return text && text->find(part) != std::string::npos; }

}  // namespace

TEST("determinism: a model with a KV cache on a CPU has it") {
  const Lane lane;
  KernelTrust trust;
  CHECK(!why_not_deterministic(lane.traits, trust));
}

TEST("determinism: what runs on a GPU does not, and the remedy is named") {
  Lane lane;
  KernelTrust trust;
  lane.traits.on_gpu = true;
  CHECK(mentions(why_not_deterministic(lane.traits, trust), "GPU"));
  CHECK(mentions(why_not_deterministic(lane.traits, trust), "`gpuLayers` to 0"));
}

TEST("determinism: a kernel that treats a column alone otherwise rules it out, by name") {
  const Lane lane;
  int asked = 0;
  const Multiply otherwise = [&](const Kernel& kernel, const KnownProduct& product, std::int64_t columns, int threads) {
    ++asked;
    std::optional<std::vector<float>> results = multiply(kernel, product, columns, threads);
    if (columns == 1) results->front() += 1e-5F;
    return results;
  };
  KernelTrust trust(multiply, otherwise);
  CHECK(mentions(why_not_deterministic(lane.traits, trust), "q4_0 weights in CPU"));
  // Asked once for the process.
  const int before = asked;
  CHECK(before > 0);
  CHECK(mentions(why_not_deterministic(lane.traits, trust), "q4_0 weights in CPU"));
  CHECK_EQUAL(asked, before);
}

TEST("determinism: a cache of 32-bit numbers needs flash attention for it") {
  Lane lane;
  KernelTrust trust;
  lane.traits.cache_type = GGML_TYPE_F32;
  CHECK(!why_not_deterministic(lane.traits, trust));
  lane.traits.flash_attention = false;
  CHECK(mentions(why_not_deterministic(lane.traits, trust), "`kvCache` to \"f16\""));
  lane.traits.cache_type = GGML_TYPE_F16;
  CHECK(!why_not_deterministic(lane.traits, trust));
}

TEST("determinism: which attention stands behind auto") {
  CHECK(attention_by_itself(true, false, 100'000, GGML_TYPE_F16));
  CHECK(attention_by_itself(false, true, 100'000, GGML_TYPE_F16));
  CHECK(attention_by_itself(false, false, 512, GGML_TYPE_F16));
  CHECK(!attention_by_itself(false, false, 513, GGML_TYPE_F16));
  CHECK(attention_by_itself(false, false, 4096, GGML_TYPE_Q8_0));
}
