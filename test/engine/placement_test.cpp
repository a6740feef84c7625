#include "models/placement.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "backend/log.h"
#include "basics/failure.h"
#include "check.h"
#include "engine/loading.h"
#include "made_up_gpus.h"
#include "models/memory_meter.h"

using namespace nudging;

namespace {

const std::string demo = NUDGING_DEMO_MODELS;
constexpr std::uint64_t plenty = 4'000'000'000;
using Shares = std::map<std::string, std::uint32_t>;

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Failure& failure) {
    return failure.kind() == FailureKind::device_unsuitable ? failure.what() : "another failure: " + std::string(failure.what());
  }
  return "";
}

std::string refusal(const PlacementWish& wish, const std::vector<ggml_backend_dev_t>& gpus) {
  return refusal([&] { resolve(wish, "base", gpus); });
}

const std::vector<ggml_backend_dev_t>& two() {
  static const std::vector<ggml_backend_dev_t> gpus = made_up_gpus({{"MADE0", plenty}, {"MADE1", plenty}});
  return gpus;
}

EngineOptions options_on(const std::vector<ggml_backend_dev_t>& gpus) {
  EngineOptions options;
  options.lanes.resize(2);
  options.lanes[base_lane].name = "base";
  options.lanes[base_lane].path = demo + "/base.gguf";
  options.lanes[aligned_lane].name = "aligned";
  options.lanes[aligned_lane].path = demo + "/aligned.gguf";
  options.threads = 1;
  options.parallel = 1;
  options.deterministic = false;
  options.device_top1 = false;
  options.cpu_buffers = CpuBuffers{};
  options.host_memory = plenty;
  options.gpus = gpus;
  return options;
}

LoadedLanes load(const EngineOptions& options) {
  capture_log();
  // The contexts look at it as long as they live.
  static const std::atomic<bool> never = false;
  KernelTrust trust;
  return load_lanes(options, never, [](const LoadProgress&) {}, [](const Warning&) {}, trust);
}

Shares shares_of(const ModelInfo& info) { return {info.devices.begin(), info.devices.end()}; }

/// What the model says after one token.
std::vector<float> said_by(const LoadedLanes& lanes, std::size_t lane) {
  auto* context = const_cast<llama_context*>(lanes.contexts[lane]->handle());
  llama_memory_clear(llama_get_memory(context), true);
  Token token = 5;
  CHECK_EQUAL(llama_decode(context, llama_batch_get_one(&token, 1)), 0);
  const float* logits = llama_get_logits_ith(context, -1);
  return {logits, logits + lanes.lanes[lane]->model().vocabulary().size()};
}

}  // namespace

TEST("placement: layers are shared as llama.cpp shares them, the output layer last") {
  using Counts = std::vector<std::uint32_t>;
  CHECK(share_layers(10, {1, 1}) == (Counts{5, 5}));
  CHECK(share_layers(10, {3, 1}) == (Counts{8, 2}));
  CHECK(share_layers(7, {0, 1, 0}) == (Counts{0, 7, 0}));
  CHECK(share_layers(3, {0, 0}) == (Counts{0, 0}));
  CHECK(share_layers(0, {1, 1}) == (Counts{0, 0}));
  // Shares that are counts give the same counts.
  for (const Counts& counts : {Counts{33, 48}, Counts{1, 2, 30}, Counts{0, 5, 76, 13}}) {
    std::uint32_t sum = 0;
    std::vector<float> proportions;
    for (const std::uint32_t count : counts) {
      sum += count;
      proportions.push_back(static_cast<float>(count));
    }
    CHECK(share_layers(sum, proportions) == counts);
  }
}

TEST("placement: GPUs are found by name, and what cannot be had is refused with what there is") {
  PlacementWish wish;
  wish.devices = {"made1"};
  CHECK(resolve(wish, "base", two()).devices == std::vector{two()[1]});
  wish.devices = {"CUDA7"};
  CHECK_EQUAL(refusal(wish, two()), R"(`devices` of the base model names "CUDA7", and the GPUs here are MADE0, MADE1: name some of these)");
  CHECK_EQUAL(refusal(wish, {}),
              R"(`devices` of the base model names "CUDA7", and this machine has no GPU that this binary can use: leave it out)");
  wish.devices = {"MADE0", "made0"};
  CHECK(refusal(wish, two()).find("twice") != std::string::npos);
  // Those of other machines are not for every model, unless it names them.
  const std::vector here = {two()[1]};
  CHECK(resolve({}, "aligned", two(), here).devices == here);
  CHECK(resolve({}, "aligned", two(), std::vector<ggml_backend_dev_t>{}).devices.empty());
  CHECK(resolve({.devices = {"MADE0"}}, "aligned", two(), here).devices == std::vector{two()[0]});

  wish = {};
  wish.split = {1, 1, 1};
  CHECK_EQUAL(refusal(wish, two()),
              "`tensorSplit` of the base model has 3 numbers, and its GPUs are MADE0, MADE1: give one number for each");
  CHECK(refusal(wish, {}).empty());
  wish = {};
  wish.main_gpu = 2;
  CHECK_EQUAL(refusal(wish, two()), "`mainGpu` of the base model is 2, and its GPUs are MADE0, MADE1: count them from 0");
  wish.main_gpu = 1;
  CHECK(resolve(wish, "base", two()).devices == std::vector{two()[1]});
  wish = {};
  wish.split_mode = SplitMode::row;
  CHECK(refusal(wish, two()).find(R"(is "row", which MADE0 cannot do)") != std::string::npos);
  wish.devices = {"MADE0"};
  CHECK(refusal(wish, two()).empty());
}

TEST("placement: weights are moved only to GPUs that the model may use") {
  PlacementWish wish;
  wish.devices = {"MADE0"};
  wish.overrides = {{"ffn_up", "MADE1"}};
  CHECK(refusal(wish, two()).find(R"(puts "ffn_up" on "MADE1", and its GPUs are MADE0: name one of these, or CPU)") != std::string::npos);
  CHECK(refusal(wish, {}).find("no GPU") != std::string::npos);
  wish.overrides = {{"ffn_up", "cpu"}};
  wish.cpu_experts = 2;
  const LanePlacement placement = resolve(wish, "base", two());
  CHECK_EQUAL(placement.overrides.size(), 2U);
  CHECK_EQUAL(placement.overrides[1].pattern, R"(^blk\.(0|1)\.ffn_(up|down|gate|gate_up)_(ch|)exps)");
  wish.cpu_experts = all_layers;
  CHECK_EQUAL(resolve(wish, "base", two()).overrides[1].pattern, R"(\.ffn_(up|down|gate|gate_up)_(ch|)exps)");
}

TEST("placement: what an override says of no weight, or of one that the GPU cannot compute with, is refused before llama.cpp aborts") {
  const std::vector<ggml_backend_dev_t> gpus = made_up_gpus({{"MADE0", plenty, false}});
  const auto opened_with = [&](const std::string& pattern) {
    return refusal([&] {
      MemoryMeter meter(demo + "/base.gguf", {.batch = 8}, CpuBuffers{}, true, gpus,
                        resolve({.overrides = {{pattern, "MADE0"}}}, "base", gpus));
    });
  };
  CHECK_EQUAL(opened_with("ffn_up"), "");
  CHECK(opened_with("nowhere").find(R"("nowhere", which is found in no weight of)") != std::string::npos);
  CHECK(opened_with("token_embd").find("cannot compute with a weight of type") != std::string::npos);
}

TEST("placement: by default the base is over both GPUs and the aligned model whole on one, and both say what they say on the CPU") {
  const LoadedLanes on_cpu = load(options_on({}));
  const LoadedLanes loaded = load(options_on(two()));
  const ModelInfo& base = loaded.report.models[base_lane];
  const ModelInfo& aligned = loaded.report.models[aligned_lane];
  CHECK_EQUAL(shares_of(base).size(), 2U);
  CHECK_EQUAL(shares_of(base)["MADE0"] + shares_of(base)["MADE1"], base.gpu_layers);
  CHECK_EQUAL(shares_of(aligned).size(), 1U);
  CHECK_EQUAL(shares_of(aligned).begin()->second, aligned.gpu_layers);
  // What is reported is where llama.cpp has put them.
  CHECK(base.memory.buffers.at("MADE0") > 0);
  CHECK(base.memory.buffers.at("MADE1") > 0);
  CHECK_EQUAL(aligned.memory.buffers.count("MADE0") + aligned.memory.buffers.count("MADE1"), 1U);

  const std::uint64_t before[] = {computed_by(two()[0]), computed_by(two()[1])};
  for (const std::size_t lane : {base_lane, aligned_lane}) CHECK(said_by(loaded, lane) == said_by(on_cpu, lane));
  CHECK(computed_by(two()[0]) > before[0]);
  CHECK(computed_by(two()[1]) > before[1]);
}

TEST("placement: one that was asked for is had, whichever way it divides the model") {
  const LoadedLanes on_cpu = load(options_on({}));
  const std::vector<float> said = said_by(on_cpu, base_lane);
  std::map<std::string, std::uint64_t> bytes;
  const auto shares_with = [&](const PlacementWish& wish, std::int32_t layers = all_gpu_layers) {
    EngineOptions options = options_on(two());
    options.lanes[base_lane].placement = wish;
    options.lanes[base_lane].gpu_layers = layers;
    const LoadedLanes loaded = load(options);
    CHECK(said_by(loaded, base_lane) == said);
    for (const char* gpu : {"MADE0", "MADE1"})
      bytes[gpu] =
          loaded.report.models[base_lane].memory.buffers.contains(gpu) ? loaded.report.models[base_lane].memory.buffers.at(gpu) : 0;
    return shares_of(loaded.report.models[base_lane]);
  };
  const std::uint32_t all = shares_with({.devices = {"MADE1"}})["MADE1"];
  CHECK(all > 2);
  CHECK((shares_with({.main_gpu = 1}) == Shares{{"MADE1", all}}));
  CHECK_EQUAL(shares_with({.split_mode = SplitMode::none}).size(), 1U);
  CHECK((shares_with({.split = {static_cast<float>(all - 1), 1}}) == Shares{{"MADE0", all - 1}, {"MADE1", 1}}));
  const std::uint64_t mostly = bytes["MADE0"];
  // The first of the devices gets the first layers.
  CHECK((shares_with({.devices = {"MADE1", "MADE0"}, .split = {static_cast<float>(all - 1), 1}}) ==
         Shares{{"MADE0", 1}, {"MADE1", all - 1}}));
  CHECK_EQUAL(bytes["MADE1"], mostly);
  CHECK(shares_with({.split = {1, static_cast<float>(all - 1)}})["MADE1"] == all - 1);
  CHECK(bytes["MADE0"] < mostly);
  CHECK((shares_with({.split = {1, 1}}, 2) == Shares{{"MADE0", 1}, {"MADE1", 1}}));
  CHECK(shares_with({}, 0).empty());
  CHECK_EQUAL(shares_with({.overrides = {{"ffn_(up|down)", "MADE1"}, {"attn_q", "CPU"}}}).size(), 2U);
}

TEST("placement: a second engine shares what is loaded, though the first took the room, unless it asks for other GPUs") {
  const LoadedLanes first = load(options_on(two()));
  EngineOptions options = options_on(two());
  options.lanes[base_lane].gpu_layers = fitting_gpu_layers;
  set_free(two()[0], plenty / 8);
  const LoadedLanes second = load(options);
  CHECK(&first.lanes[base_lane]->model() == &second.lanes[base_lane]->model());
  CHECK(&first.lanes[aligned_lane]->model() == &second.lanes[aligned_lane]->model());
  options.lanes[base_lane].placement.devices = {"MADE0"};
  const LoadedLanes third = load(options);
  CHECK(&first.lanes[base_lane]->model() != &third.lanes[base_lane]->model());
  CHECK(&first.lanes[aligned_lane]->model() == &third.lanes[aligned_lane]->model());
  set_free(two()[0], plenty);
}

TEST("placement: the likeliest tokens are tried where all of a model is on GPUs, and nothing gives way for that") {
  const std::vector one = {two()[0]};
  EngineOptions options = options_on(one);
  const auto computes_while_loading = [&] {
    const std::uint64_t before = computed_by(one[0]);
    load(options);
    return computed_by(one[0]) > before;
  };
  CHECK(!computes_while_loading());
  options.device_top1 = true;
  CHECK(!computes_while_loading());
  options.device_top1.reset();
  CHECK(computes_while_loading());
  options.lanes[base_lane].gpu_layers = 1;
  options.lanes[aligned_lane].gpu_layers = 0;
  CHECK(!computes_while_loading());

  // As little room as all layers take without it.
  for (const std::size_t lane : {base_lane, aligned_lane}) options.lanes[lane].gpu_layers = fitting_gpu_layers;
  const auto layers_with = [&](std::optional<bool> device_top1) {
    EngineOptions wanted = options;
    wanted.device_top1 = device_top1;
    std::vector<std::uint32_t> layers;
    for (const ModelInfo& model : load(wanted).report.models) layers.push_back(model.gpu_layers);
    return layers;
  };
  const std::vector<std::uint32_t> all = layers_with(false);
  std::size_t room = 1'000'000;
  for (set_free(one[0], room); layers_with(false) != all; set_free(one[0], room)) room += 1'000'000;
  CHECK(layers_with(true) != all);
  CHECK(layers_with({}) == all);
  CHECK(!computes_while_loading());
  set_free(one[0], plenty);
}

TEST("placement: weights that move, move the memory that is planned") {
  const auto measured = [&](const PlacementWish& wish) {
    MemoryMeter meter(demo + "/base.gguf", {.batch = 8}, CpuBuffers{}, true, two(), resolve(wish, "base", two()));
    const std::uint32_t all = meter.most_gpu_layers();
    return meter.measure({all, 256, 1, {all - 1, 1}}, plenty);
  };
  const LaneDemand as_is = measured({});
  const LaneDemand moved = measured({.overrides = {{"ffn_down", "MADE1"}}});
  CHECK(moved.weights[1] < as_is.weights[1]);
  CHECK_EQUAL(moved.weights[1] + moved.weights[2], as_is.weights[1] + as_is.weights[2]);
  const LaneDemand home = measured({.overrides = {{"ffn_down", "CPU"}}});
  CHECK(home.weights[0] > as_is.weights[0]);
  CHECK_EQUAL(home.weights[1], moved.weights[1]);
}

TEST("placement: all GPUs may work on every layer together") {
  EngineOptions options = options_on(two());
  options.lanes[base_lane].placement.split_mode = SplitMode::tensor;
  const LoadedLanes loaded = load(options);
  const std::vector<float> together = said_by(loaded, base_lane);
  const std::vector<float> alone = said_by(load(options_on({})), base_lane);
  float apart = 0;
  for (std::size_t i = 0; i < alone.size(); ++i) apart = std::max(apart, std::abs(together[i] - alone[i]));
  // Sums in two parts, of numbers of 16 bits.
  CHECK(apart < 0.05F);
}
