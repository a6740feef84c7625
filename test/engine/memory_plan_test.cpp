#include "models/memory_plan.h"

#include <algorithm>
#include <string>

#include "basics/failure.h"
#include "check.h"

namespace {

using namespace nudging;

constexpr std::uint64_t mb = 1'000'000;
constexpr std::size_t base = 0;
constexpr std::size_t aligned = 1;

/// A model of made-up numbers, in bytes. The last of the layers is the output layer.
struct MadeUp {
  std::uint64_t layers = 0;
  std::uint64_t layer = 0;
  /// Stays on the host.
  std::uint64_t embeddings = 0;
  /// Per token, layer and sequence.
  std::uint64_t cell = 0;
  std::uint64_t compute = 0;
};

/// With places for the host and one GPU: what llama.cpp would lay out.
MeasureLane measure(std::vector<MadeUp> models) {
  return [models](std::size_t lane, const LaneNumbers& numbers) {
    const MadeUp& model = models[lane];
    const std::uint64_t on_gpu = numbers.gpu_layers;
    const std::uint64_t on_host = model.layers - on_gpu;
    const std::uint64_t per_layer = model.cell * numbers.length * numbers.sequences;
    LaneDemand demand;
    demand.weights = {model.embeddings + on_host * model.layer, on_gpu * model.layer};
    demand.context = {on_host * per_layer + model.compute, on_gpu > 0 ? on_gpu * per_layer + model.compute : 0};
    demand.use.weights = demand.weights[0] + demand.weights[1];
    return demand;
  };
}

/// A base of 4 GB with 1 MB a token, an aligned model of 400 MB with 0.1 MB a token.
const std::vector<MadeUp> pair = {MadeUp{40, 100 * mb, 0, mb / 40, 50 * mb}, MadeUp{10, 40 * mb, 0, mb / 100, 20 * mb}};

MemoryRequest request(std::uint64_t host, std::uint64_t gpu) {
  MemoryRequest wanted;
  wanted.lanes = {{"base.gguf", 0, 0, 40, 1000, 8192, true}, {"aligned.gguf", 1, 0, 10, 1000, 2048, true}};
  wanted.parallel = 1;
  wanted.most_parallel = 4;
  wanted.places = {{"memory", host}, {"memory of GPU0", gpu}};
  return wanted;
}

Failure shortage_of(const MemoryRequest& wanted, const MeasureLane& measured) {
  try {
    plan_memory(wanted, measured);
  } catch (const Failure& failure) {
    return failure;
  }
  return {FailureKind::internal, "it fits"};
}

bool says(const Failure& failure, const std::string& text) { return std::string(failure.what()).find(text) != std::string::npos; }

}  // namespace

TEST("memory plan: given numbers may use all of a place, and one byte less is too little") {
  // Weights 4400, contexts 1000 and 100, compute 70.
  const MemoryPlan plan = plan_memory(request(5570 * mb, 0), measure(pair));
  CHECK_EQUAL(plan.lanes[base].length, 1000U);
  CHECK_EQUAL(plan.lanes[aligned].gpu_layers, 0U);
  CHECK_EQUAL(plan.use[base].weights, 4000 * mb);

  const Failure failure = shortage_of(request(5570 * mb - 1, 0), measure(pair));
  CHECK(failure.kind() == FailureKind::out_of_memory);
  CHECK_EQUAL(failure.shortage()->needed, 5570 * mb);
  CHECK_EQUAL(failure.shortage()->available, 5570 * mb - 1);
  CHECK(says(failure, R"("base.gguf" and "aligned.gguf" need 5.6 GB of memory (weights 4.4 GB, contexts of 1000 tokens 1.2 GB), )"
                      "5.6 GB are free: lower `context`"));
}

TEST("memory plan: a plan that fails says what would help") {
  MemoryRequest wanted = request(4000 * mb, 0);
  CHECK(says(shortage_of(wanted, measure(pair)), "use smaller models or smaller quantisations"));

  wanted = request(9000 * mb, 0);
  wanted.parallel = 8;
  CHECK(says(shortage_of(wanted, measure(pair)), "contexts of 1000 tokens for 8 sequences"));
  CHECK(says(shortage_of(wanted, measure(pair)), R"(lower `context`, lower `parallel`, set `kvCache` to "q8_0" or use smaller models)"));
  wanted.lanes[base].cache_can_shrink = wanted.lanes[aligned].cache_can_shrink = false;
  CHECK(!says(shortage_of(wanted, measure(pair)), "kvCache"));

  wanted = request(9000 * mb, 3000 * mb);
  wanted.lanes[base].gpu_layers = 40;
  CHECK(says(shortage_of(wanted, measure(pair)), "of memory of GPU0"));
  CHECK(says(shortage_of(wanted, measure(pair)), R"(lower `gpuLayers` or set it to "auto")"));
}

TEST("memory plan: one file for both lanes is counted once, unless the layers differ") {
  const std::vector<MadeUp> twins = {pair[base], pair[base]};
  MemoryRequest wanted = request(6100 * mb, 3000 * mb);
  wanted.lanes[aligned] = wanted.lanes[base];
  wanted.lanes[aligned].file = 1;
  CHECK(shortage_of(wanted, measure(twins)).kind() == FailureKind::out_of_memory);
  wanted.lanes[aligned].file = 0;
  CHECK_EQUAL(plan_memory(wanted, measure(twins)).lanes[aligned].length, 1000U);
  wanted.places[0].available = 6100 * mb - 1;
  CHECK(says(shortage_of(wanted, measure(twins)), R"("base.gguf" needs 6.1 GB)"));
  wanted.places[0].available = 6100 * mb;
  wanted.lanes[aligned].gpu_layers = 1;
  CHECK(shortage_of(wanted, measure(twins)).kind() == FailureKind::out_of_memory);
}

TEST("memory plan: automatic contexts have the same length, as far as each model was trained, and leave a tenth free") {
  MemoryRequest wanted = request(20'000 * mb, 0);
  wanted.lanes[base].length.reset();
  wanted.lanes[aligned].length.reset();
  MemoryPlan plan = plan_memory(wanted, measure(pair));
  CHECK_EQUAL(plan.lanes[base].length, 8192U);
  CHECK_EQUAL(plan.lanes[aligned].length, 2048U);

  // 0.9 * 7000 - 4470 leaves 1830: 1663 tokens of both, in steps of 256.
  wanted.places[0].available = 7000 * mb;
  plan = plan_memory(wanted, measure(pair));
  CHECK_EQUAL(plan.lanes[base].length, 1536U);
  CHECK_EQUAL(plan.lanes[aligned].length, 1536U);

  // A given length stays, and the other has the rest.
  wanted.lanes[aligned].length = 300;
  plan = plan_memory(wanted, measure(pair));
  CHECK_EQUAL(plan.lanes[base].length, 1792U);
  CHECK_EQUAL(plan.lanes[aligned].length, 300U);

  wanted.lanes[aligned].length.reset();
  wanted.places[0].available = 4400 * mb + 70 * mb + 281'600'000 - 1;
  const Failure failure = shortage_of(wanted, measure(pair));
  CHECK(says(failure, "contexts of 256 tokens"));
}

TEST("memory plan: an automatic context is never longer than a model that was trained for less than the shortest") {
  MemoryRequest wanted = request(20'000 * mb, 0);
  wanted.lanes[base].length.reset();
  wanted.lanes[base].longest = 100;
  CHECK_EQUAL(plan_memory(wanted, measure(pair)).lanes[base].length, 100U);
}

TEST("memory plan: automatic sequences take at most half of what the first leaves free, and context goes first") {
  MemoryRequest wanted = request(100'000 * mb, 0);
  wanted.parallel.reset();
  CHECK_EQUAL(plan_memory(wanted, measure(pair)).lanes[base].sequences, 4U);
  CHECK_EQUAL(plan_memory(wanted, measure(pair)).lanes[aligned].sequences, 4U);
  wanted.most_parallel = 2;
  CHECK_EQUAL(plan_memory(wanted, measure(pair)).lanes[base].sequences, 2U);
  wanted.most_parallel = 4;

  // 5570 and 1100 for each further one; two more take half of 4400.
  wanted.places[0].available = 5570 * mb + 4400 * mb;
  CHECK_EQUAL(plan_memory(wanted, measure(pair)).lanes[base].sequences, 3U);
  wanted.places[0].available -= 1;
  CHECK_EQUAL(plan_memory(wanted, measure(pair)).lanes[base].sequences, 2U);
  wanted.places[0].available = 5570 * mb;
  CHECK_EQUAL(plan_memory(wanted, measure(pair)).lanes[base].sequences, 1U);

  wanted.places[0].available = 9'000 * mb;
  wanted.lanes[base].length.reset();
  const MemoryPlan plan = plan_memory(wanted, measure(pair));
  CHECK(plan.lanes[base].length > 3000);
  CHECK_EQUAL(plan.lanes[base].sequences, 1U);
}

TEST("memory plan: automatic layers: the aligned model's go to the GPU first, then as many of the base's as fit") {
  MemoryRequest wanted = request(100'000 * mb, 100'000 * mb);
  for (MemoryRequest::Lane& lane : wanted.lanes) lane.gpu_layers.reset();
  MemoryPlan plan = plan_memory(wanted, measure(pair));
  CHECK_EQUAL(plan.lanes[base].gpu_layers, 40U);
  CHECK_EQUAL(plan.lanes[aligned].gpu_layers, 10U);

  // The aligned model takes 520 with its context and compute; a layer of the base 125, and 50 for compute. 0.9 * 2000 - 520 - 50 = 1230.
  wanted.places[1].available = 2000 * mb;
  plan = plan_memory(wanted, measure(pair));
  CHECK_EQUAL(plan.lanes[aligned].gpu_layers, 10U);
  CHECK_EQUAL(plan.lanes[base].gpu_layers, 9U);

  // 0.9 * 300 holds five layers of the aligned model at 50 and its 20, and nothing of the base.
  wanted.places[1].available = 300 * mb;
  plan = plan_memory(wanted, measure(pair));
  CHECK_EQUAL(plan.lanes[aligned].gpu_layers, 5U);
  CHECK_EQUAL(plan.lanes[base].gpu_layers, 0U);

  wanted.places[1].available = 0;
  plan = plan_memory(wanted, measure(pair));
  CHECK_EQUAL(plan.lanes[aligned].gpu_layers, 0U);
  CHECK_EQUAL(plan.lanes[base].gpu_layers, 0U);
}

TEST("memory plan: automatic layers keep to what the other lane was given, and an automatic context has what they leave") {
  MemoryRequest wanted = request(100'000 * mb, 2000 * mb);
  wanted.lanes[base].gpu_layers = 12;
  wanted.lanes[aligned].gpu_layers.reset();
  // 12 * 125 + 50 = 1550 of 1800 leave 250: four layers at 50, and 20.
  CHECK_EQUAL(plan_memory(wanted, measure(pair)).lanes[aligned].gpu_layers, 4U);

  wanted.lanes[base].gpu_layers.reset();
  for (MemoryRequest::Lane& lane : wanted.lanes) lane.length.reset();
  // With contexts of 4096 and 2048 tokens: 10 * (40 + 20.48) + 20 = 624.8 for the aligned model; 202.4 a layer of the base, and 50: 5
  // layers.
  const MemoryPlan plan = plan_memory(wanted, measure(pair));
  CHECK_EQUAL(plan.lanes[aligned].gpu_layers, 10U);
  CHECK_EQUAL(plan.lanes[base].gpu_layers, 5U);
  // They leave room for a little more: 1800 - 624.8 - 550 = 625.2 for 0.125 a token.
  CHECK_EQUAL(plan.lanes[base].length, 4864U);
}

TEST("memory plan: bytes are readable") {
  CHECK_EQUAL(readable(12'345'000'000), std::string("12.3 GB"));
  CHECK_EQUAL(readable(1'000'000), std::string("1.0 MB"));
  CHECK_EQUAL(readable(1'500), std::string("1.5 kB"));
  CHECK_EQUAL(readable(0), std::string("0.0 kB"));
}

TEST("memory plan: further models count, share a file's weights with any lane, and are named where there is too little") {
  const std::vector<MadeUp> three = {pair[base], pair[aligned], MadeUp{10, 40 * mb, 0, mb / 100, 20 * mb}};
  MemoryRequest wanted = request(6090 * mb, 0);
  wanted.lanes.push_back({"other.gguf", 2, 0, 10, 1000, 2048, true});
  CHECK_EQUAL(plan_memory(wanted, measure(three)).lanes.size(), 3U);
  wanted.places[0].available = 6090 * mb - 1;
  CHECK(says(shortage_of(wanted, measure(three)), R"("base.gguf", "aligned.gguf" and "other.gguf" need 6.1 GB)"));
  // The same file as the aligned model's: 400 MB less.
  wanted.lanes[2].file = 1;
  wanted.places[0].available = 5690 * mb;
  CHECK_EQUAL(plan_memory(wanted, measure(three)).use.size(), 3U);
}
