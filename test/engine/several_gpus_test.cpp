#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "basics/failure.h"
#include "check.h"
#include "models/memory_plan.h"

namespace {

using namespace nudging;

constexpr std::uint64_t mb = 1'000'000;
constexpr std::size_t base = 0;
constexpr std::size_t aligned = 1;
using Counts = std::vector<std::uint32_t>;
using Spread = MemoryRequest::Lane::Spread;

/// A model of made-up numbers: layers of 100 MB each, and an output layer that may be larger; contexts and buffers take nothing.
struct MadeUp {
  std::uint32_t layers;
  std::uint64_t output = 100 * mb;
};

/// `places_of[lane]`: the places of its GPUs.
MeasureLane measure(std::vector<MadeUp> models, std::size_t places, std::vector<std::vector<std::size_t>> places_of = {}) {
  return [=](std::size_t lane, const LaneNumbers& numbers) {
    const MadeUp& model = models[lane];
    LaneDemand demand;
    demand.weights.assign(places, 0);
    demand.context.assign(places, 0);
    CHECK_EQUAL(std::accumulate(numbers.split.begin(), numbers.split.end(), 0U), numbers.gpu_layers);
    // The last layers are on the GPUs, in their order.
    std::uint32_t layer = model.layers - numbers.gpu_layers;
    demand.weights[0] = layer * 100 * mb;
    for (std::size_t i = 0; i < numbers.split.size(); ++i) {
      const std::size_t place = places_of.empty() ? i + 1 : places_of[lane][i];
      for (std::uint32_t count = 0; count < numbers.split[i]; ++count)
        demand.weights[place] += ++layer == model.layers ? model.output : 100 * mb;
    }
    return demand;
  };
}

MemoryRequest request(const std::vector<std::uint64_t>& gpus, std::uint32_t base_layers, std::uint32_t aligned_layers) {
  MemoryRequest wanted;
  wanted.lanes = {{"base.gguf", 0, base_layers, base_layers, 1000, 8192, true},
                  {"aligned.gguf", 1, aligned_layers, aligned_layers, 1000, 2048, true}};
  wanted.parallel = 1;
  wanted.places = {{"memory", 100'000 * mb}};
  for (std::size_t i = 0; i < gpus.size(); ++i) wanted.places.push_back({"memory of GPU" + std::to_string(i), gpus[i]});
  return wanted;
}

std::string why_not(const MemoryRequest& wanted, const MeasureLane& measured) {
  try {
    plan_memory(wanted, measured);
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "it fits";
}

}  // namespace

TEST("several GPUs: the base is over both in proportion to what the aligned model leaves, which is whole where most is left") {
  const MeasureLane measured = measure({{40}, {10}}, 3);
  MemoryPlan plan = plan_memory(request({10'000 * mb, 10'000 * mb}, 40, 10), measured);
  CHECK(plan.lanes[aligned].split == (Counts{10, 0}));
  // 0.9 * 10'000 on each, a thousand less on the first: 8 to 9.
  CHECK(plan.lanes[base].split == (Counts{19, 21}));
  plan = plan_memory(request({4000 * mb, 12'000 * mb}, 40, 10), measured);
  CHECK(plan.lanes[aligned].split == (Counts{0, 10}));
  // 3600 and 9800.
  CHECK(plan.lanes[base].split == (Counts{11, 29}));
  // It needs nearly everything: 5000 of 5400, as much as neither leaves beside half a base.
  plan = plan_memory(request({3000 * mb, 3000 * mb}, 40, 10), measured);
  CHECK(plan.lanes[aligned].split == (Counts{10, 0}));
  CHECK(plan.lanes[base].split == (Counts{16, 24}));
}

TEST("several GPUs: a model that fits whole on none is over all, unless it was asked to be whole") {
  const MeasureLane measured = measure({{4}, {30}}, 3);
  MemoryRequest wanted = request({2500 * mb, 2500 * mb}, 4, 30);
  MemoryPlan plan = plan_memory(wanted, measured);
  CHECK(plan.lanes[aligned].split == (Counts{15, 15}));
  wanted.lanes[aligned].spread = Spread::whole;
  CHECK(why_not(wanted, measured).find("leave out `tensorSplit`, `mainGpu` and `splitMode`") != std::string::npos);
  wanted.lanes[aligned].spread = Spread::divided;
  wanted.places[1].available = wanted.places[2].available = 50'000 * mb;
  CHECK(plan_memory(wanted, measured).lanes[aligned].split == (Counts{15, 15}));
  // The base, too, may be asked to be whole.
  wanted.lanes[base].spread = Spread::whole;
  CHECK(plan_memory(wanted, measured).lanes[base].split == (Counts{4, 0}));
}

TEST("several GPUs: proportions and GPUs that were asked for hold, and the rest is planned around them") {
  const std::vector<std::vector<std::size_t>> places = {{1, 2}, {2}};
  const MeasureLane measured = measure({{40}, {10}}, 3, places);
  MemoryRequest wanted = request({10'000 * mb, 10'000 * mb}, 40, 10);
  wanted.lanes[aligned].gpus = places[aligned];
  MemoryPlan plan = plan_memory(wanted, measured);
  CHECK(plan.lanes[aligned].split == (Counts{10}));
  CHECK(plan.lanes[base].split == (Counts{22, 18}));
  wanted.lanes[base].split = {1, 3};
  plan = plan_memory(wanted, measured);
  CHECK(plan.lanes[base].split == (Counts{10, 30}));
  wanted.places[2].available = 3999 * mb;
  CHECK(why_not(wanted, measured).find(R"(of memory of GPU1 (weights 4.0 GB)") != std::string::npos);
}

TEST("several GPUs: a model that may use none stays on the host, whatever the other one has") {
  const MeasureLane measured = measure({{40}, {10}}, 3, {{1, 2}, {}});
  MemoryRequest wanted = request({10'000 * mb, 10'000 * mb}, 40, 0);
  wanted.lanes[aligned].gpus = std::vector<std::size_t>{};
  const MemoryPlan plan = plan_memory(wanted, measured);
  CHECK(plan.lanes[aligned].split.empty());
  CHECK_EQUAL(plan.lanes[aligned].gpu_layers, 0U);
  CHECK(plan.lanes[base].split == (Counts{20, 20}));
}

TEST("several GPUs: as many layers as fit, over all of them, the aligned model's first") {
  const MeasureLane measured = measure({{40}, {10}}, 3);
  MemoryRequest wanted = request({2000 * mb, 1000 * mb}, 40, 10);
  for (MemoryRequest::Lane& lane : wanted.lanes) lane.gpu_layers.reset();
  const MemoryPlan plan = plan_memory(wanted, measured);
  CHECK(plan.lanes[aligned].split == (Counts{10, 0}));
  // 0.9 * 2000 - 1000 and 0.9 * 1000.
  CHECK(plan.lanes[base].split == (Counts{8, 9}));
}

TEST("several GPUs: a large output layer moves others to where there is room") {
  const MeasureLane measured = measure({{40, 1500 * mb}, {1}}, 3);
  const MemoryPlan plan = plan_memory(request({3200 * mb, 3200 * mb}, 40, 1), measured);
  // 5400 in all, and the last GPU has 1500 beside its layers.
  CHECK(plan.lanes[base].split[1] <= 14);
  CHECK_EQUAL(plan.lanes[base].split[0] + plan.lanes[base].split[1], 40U);
}

TEST("several GPUs: one file for both models is taken once, over all GPUs") {
  const MeasureLane measured = measure({{40}, {40}}, 3);
  MemoryRequest wanted = request({2500 * mb, 2500 * mb}, 40, 40);
  wanted.lanes[aligned].file = 0;
  const MemoryPlan plan = plan_memory(wanted, measured);
  CHECK(plan.lanes[base].split == (Counts{20, 20}));
  CHECK(plan.lanes[aligned].split == plan.lanes[base].split);
  wanted.lanes[aligned].file = 1;
  CHECK(why_not(wanted, measured).find("need") != std::string::npos);
}
