#include "models/memory_meter.h"

#include <atomic>
#include <string>

#include "backend/log.h"
#include "basics/failure.h"
#include "check.h"
#include "lanes/model_context.h"
#include "models/model.h"
#include "src/llama-ext.h"

using namespace nudging;

namespace {

const std::string demo = NUDGING_DEMO_MODELS;
constexpr std::uint64_t plenty = 1'000'000'000'000;

}  // namespace

TEST("memory meter: what it says is what llama.cpp takes") {
  capture_log();
  for (const char* name : {"/base.gguf", "/aligned.gguf"}) {
    const auto model = std::make_shared<const Model>(Model::Options{demo + name}, [](float) { return true; });
    for (const ggml_type type : {GGML_TYPE_F16, GGML_TYPE_Q8_0}) {
      MemoryMeter meter(demo + name, {.batch = 512, .cache_type = type});
      CHECK_EQUAL(meter.trained_context(), model->trained_context());
      for (const LaneNumbers& numbers : {LaneNumbers{0, 512, 1}, LaneNumbers{0, 100, 3}, LaneNumbers{0, 300, 2}, LaneNumbers{0, 512, 16}}) {
        const LaneDemand demand = meter.measure(numbers, plenty);
        const std::atomic<bool> never = false;
        const ModelContext context(model, {.length = numbers.length, .sequences = numbers.sequences, .batch = 512, .cache_type = type},
                                   nullptr, never);
        MemoryUse taken;
        std::uint64_t copies = 0;
        for (const auto& [buffer, bytes] : llama_get_memory_breakdown(context.handle())) {
          if (ggml_backend_buft_is_host(buffer)) {
            taken.mapped += bytes.model;
          } else {
            copies += bytes.model;
          }
          taken.cache += bytes.context;
          taken.compute += bytes.compute;
        }
        CHECK_EQUAL(demand.use.cache, taken.cache);
        CHECK_EQUAL(demand.use.compute, taken.compute);
        // Copies in an order for the CPU's matrix or vector instructions may take more than the file's tensors, depending on the CPU.
        CHECK_EQUAL(demand.use.weights - demand.use.mapped, copies);
        // Tensors are padded, and between those that are mapped lie others.
        CHECK(demand.use.mapped < taken.mapped + 100'000);
        CHECK(demand.use.weights >= model->bytes());
        if (copies == 0) CHECK(demand.use.weights < model->bytes() + 100'000);
        CHECK(demand.context[0] > taken.cache + taken.compute);
      }
    }
  }
}

TEST("memory meter: what is far too much is estimated, not laid out") {
  MemoryMeter meter(demo + "/base.gguf", {});
  const LaneDemand some = meter.measure({0, 512, 2}, plenty);
  const LaneDemand guessed = meter.measure({0, 512, 2}, 0);
  CHECK_EQUAL(guessed.use.cache, some.use.cache);
  CHECK(guessed.context[0] > some.use.cache);
  // Laid out, the notes on its cells alone would take hundreds of gigabytes.
  const LaneDemand much = meter.measure({0, 10'000'000, 256}, plenty);
  CHECK(much.use.cache > plenty);
}

TEST("memory meter: a file that is no model fails as loading it would") {
  bool failed = false;
  try {
    MemoryMeter meter(demo + "/no.gguf", {});
  } catch (const Failure& failure) {
    failed = failure.kind() == FailureKind::model_unreadable;
  }
  CHECK(failed);
}
