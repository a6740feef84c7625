#include "engine/planning.h"

#include <algorithm>
#include <utility>

#include "backend/gpus.h"
#include "backend/rpc.h"
#include "basics/failure.h"
#include "basics/lane_name.h"
#include "models/file_identity.h"
#include "models/memory_meter.h"
#include "models/model_registry.h"
#include "trust/determinism.h"
#include "trust/tie_tolerance.h"

namespace nudging {

namespace {

std::optional<std::uint32_t> wanted_length(const EngineOptions::Lane& lane, std::uint32_t trained) {
  if (lane.context == longest_context) {
    if (trained == 0)
      throw Failure(FailureKind::model_invalid, "\"" + lane.path + "\" does not say how long a context it was trained with: set `context`");
    return std::nullopt;
  }
  const std::uint32_t length = lane.context > 0 ? static_cast<std::uint32_t>(lane.context) : std::min(trained, default_context);
  if (length == 0)
    throw Failure(FailureKind::model_invalid, "\"" + lane.path + "\" does not say how long a context it was trained with: set `context`");
  check_context_length(length, trained, lane.path);
  return length;
}

/// What was asked for; nothing: as many as fit.
std::optional<std::uint32_t> wanted_layers(const EngineOptions::Lane& lane, std::uint32_t most) {
  if (lane.gpu_layers >= 0) return std::min(static_cast<std::uint32_t>(lane.gpu_layers), most);
  if (lane.gpu_layers == all_gpu_layers) return most;
  return std::nullopt;
}

/// Weights that are there already cost nothing, and layers elsewhere could not share them: where the file is loaded as the lane may have
/// it, it stays so. `lane.gpus` are the places of the placement's devices.
void stay_with_loaded(const EngineOptions& options, const LanePlacement& placement, MemoryRequest::Lane& lane) {
  for (const auto& [layers, loaded] : ModelRegistry::instance().all_of(lane.model, options.mapped)) {
    if (!loaded || layers > lane.most_gpu_layers || (lane.gpu_layers && *lane.gpu_layers != layers)) continue;
    if (loaded->mode != placement.mode || loaded->overrides != placement.overrides) continue;
    std::vector<float> split(placement.devices.size(), 0);
    bool suits = layers == 0 || loaded->devices.size() == loaded->split.size();
    for (std::size_t i = 0; i < loaded->split.size() && suits; ++i) {
      const auto device = std::ranges::find(placement.devices, loaded->devices[i]);
      suits = device != placement.devices.end();
      if (suits) split[static_cast<std::size_t>(device - placement.devices.begin())] = loaded->split[i];
    }
    const auto used = std::ranges::count_if(split, [](float share) { return share > 0; });
    if (!suits || (placement.whole && used > 1)) continue;
    if (!placement.split.empty() && share_layers(layers, placement.split) != share_layers(layers, split)) continue;
    lane.gpu_layers = layers;
    if (layers > 0) lane.split = split;
    return;
  }
}

ContextOptions context_options(const EngineOptions& options, std::size_t lane, const LaneNumbers& numbers) {
  ContextOptions context;
  context.length = numbers.length;
  context.sequences = numbers.sequences;
  context.batch = options.batch;
  context.cache_type = options.lanes[lane].cache_type;
  context.device_top1 = options.device_top1.value_or(false);
  context.padded = options.padded;
  return context;
}

/// False without a GPU, whatever was wanted; true if some layers may get there.
bool may_use_gpu(const EngineOptions::Lane& lane, const MemoryMeter& meter) { return meter.most_gpu_layers() > 0 && lane.gpu_layers != 0; }

/// Whether the lanes will be deterministic. Throws Failure(not_deterministic) if it must and cannot.
void settle_determinism(const EngineOptions& options, KernelTrust& trust, const std::vector<MemoryMeter>& meters, LoadingPlan& plan) {
  std::optional<std::string> why_not;
  for (std::size_t i = 0; i < options.lanes.size() && !why_not && options.deterministic != false; ++i) {
    const EngineOptions::Lane& lane = options.lanes[i];
    const MemoryMeter& meter = meters[i];
    const bool flash_attention = lane.flash_attention.value_or(true) && can_have_flash_attention(meter.skeleton());
    why_not = why_not_deterministic(
        {lane.path, meter.skeleton(), meter.kernels(), may_use_gpu(lane, meter), flash_attention, lane.cache_type}, trust);
  }
  if (why_not && options.deterministic == true) throw Failure(FailureKind::not_deterministic, "`deterministic` cannot be had: " + *why_not);
  plan.deterministic = options.deterministic != false && !why_not;
  plan.why_not = why_not.value_or("");
}

/// Which attention a lane will have; nothing: as llama.cpp finds the devices able.
std::optional<bool> settled_attention(const EngineOptions::Lane& lane, const MemoryMeter& meter, bool deterministic) {
  if (!can_have_flash_attention(meter.skeleton())) return false;
  if (lane.flash_attention) return lane.flash_attention;
  const bool on_gpu = may_use_gpu(lane, meter);
  if (on_gpu) return std::nullopt;
  const std::uint32_t length = lane.context > 0 ? static_cast<std::uint32_t>(lane.context) : default_context;
  return attention_by_itself(deterministic, on_gpu, length, lane.cache_type);
}

/// Which GPUs there are, and which of them each lane may use. Unasked, other machines' are the base's alone: it is what does not fit here,
/// and every pass of what is there waits for the network. They come first, so that a pass crosses it once in each direction.
void place(const EngineOptions& options, LoadingPlan& plan) {
  const std::vector<ggml_backend_dev_t> here = options.gpus ? *options.gpus : usable_gpus();
  plan.gpus = rpc_devices(options.rpc_servers, options.rpc_timeout);
  plan.far = plan.gpus.size();
  plan.gpus.insert(plan.gpus.end(), here.begin(), here.end());
  if (plan.gpus.size() > llama_max_devices()) {
    throw Failure(FailureKind::device_unsuitable, "`rpcServers` and this machine have " + std::to_string(plan.gpus.size()) +
                                                      " devices together, and llama.cpp can use " + std::to_string(llama_max_devices()) +
                                                      ": name fewer servers, or start them with fewer devices");
  }
  for (std::size_t i = 0; i < options.lanes.size(); ++i) {
    const EngineOptions::Lane& lane = options.lanes[i];
    plan.placements.push_back(resolve(lane.placement, lane.name, plan.gpus, i == base_lane ? plan.gpus : here));
  }
}

/// Opens the models without weights, with the extra CPU buffers that are wanted and trusted, and settles what depends on no size.
std::vector<MemoryMeter> open(const EngineOptions& options, KernelTrust& trust, const std::function<void(Warning)>& on_warning,
                              LoadingPlan& plan) {
  CpuBuffers wanted = all_cpu_buffers();
  std::erase_if(wanted, [&](const std::string& name) {
    return (options.cpu_buffers && !options.cpu_buffers->contains(name)) || options.harmful_cpu_buffers.contains(name);
  });
  std::vector<MemoryMeter> meters;
  const auto kernels_with = [&](const CpuBuffers& buffers) {
    meters.clear();
    std::vector<Kernel> kernels;
    for (std::size_t i = 0; i < options.lanes.size(); ++i) {
      const MemoryMeter& meter = meters.emplace_back(options.lanes[i].path, context_options(options, i, {}), buffers, options.mapped,
                                                     plan.gpus, plan.placements[i]);
      const std::vector<Kernel> its = meter.extra_kernels();
      kernels.insert(kernels.end(), its.begin(), its.end());
    }
    return kernels;
  };
  const auto warn = [&](const std::string& message) { on_warning({"WARN_KERNEL_DISABLED", message}); };
  plan.cpu_buffers = trusted_buffers(std::move(wanted), trust, kernels_with, warn);
  settle_determinism(options, trust, meters, plan);
  for (std::size_t i = 0; i < options.lanes.size(); ++i) {
    plan.tolerance.push_back(plan.deterministic ? Tolerance{} : measured_tolerance(meters[i].kernels(), options.lanes[i].cache_type));
    ContextOptions& context = plan.contexts.emplace_back(context_options(options, i, {}));
    context.flash_attention = settled_attention(options.lanes[i], meters[i], plan.deterministic);
    context.deterministic = plan.deterministic;
    meters[i].set_context(context);
  }
  return meters;
}

/// How large everything is to be.
MemoryPlan plan_sizes(const EngineOptions& options, std::vector<MemoryMeter>& meters, const LoadingPlan& plan) {
  MemoryRequest request;
  for (std::size_t i = 0; i < options.lanes.size(); ++i) {
    const EngineOptions::Lane& lane = options.lanes[i];
    const auto is_same = [&](const EngineOptions::Lane& other) {
      return FileIdentity::of(other.path) == FileIdentity::of(lane.path) && other.placement == lane.placement;
    };
    const auto first = static_cast<std::size_t>(std::find_if(options.lanes.begin(), options.lanes.end(), is_same) - options.lanes.begin());
    const LanePlacement& placement = plan.placements[i];
    std::vector<std::size_t> places;
    for (const ggml_backend_dev_t device : placement.devices) places.push_back(place_of(device, plan.gpus));
    using Spread = MemoryRequest::Lane::Spread;
    MemoryRequest::Lane& wanted = request.lanes.emplace_back(
        MemoryRequest::Lane{lane.path, first, wanted_layers(lane, meters[i].most_gpu_layers()), meters[i].most_gpu_layers(),
                            wanted_length(lane, meters[i].trained_context()), std::min(meters[i].trained_context(), most_context),
                            !ggml_is_quantized(lane.cache_type), places,
                            placement.whole     ? Spread::whole
                            : placement.divided ? Spread::divided
                                                : Spread::automatic,
                            placement.split});
    stay_with_loaded(options, placement, wanted);
  }
  if (options.parallel > 0) request.parallel = options.parallel;
  // Every sequence may ask in the same decode call.
  request.most_parallel = std::min(most_automatic_sequences, options.batch);
  request.places = memory_places(plan.gpus, options.host_memory);
  std::uint64_t limit = 0;
  for (const MemoryPlace& place : request.places) limit += place.available;

  return plan_memory(request, [&](std::size_t lane, const LaneNumbers& numbers) {
    LaneDemand demand = meters[lane].measure(numbers, limit);
    if (ModelRegistry::instance().holds(model_options(options, plan, lane, numbers))) {
      // The copies are taken already. Mapped pages count as free memory even while they are used.
      std::fill(demand.weights.begin(), demand.weights.end(), 0);
      demand.weights[0] = demand.use.mapped;
    }
    return demand;
  });
}

/// Where nobody has said whether the likeliest tokens are found on the device, that is to be tried of models that are on GPUs as a whole,
/// if nothing has to be smaller for it.
void plan_trials(const EngineOptions& options, std::vector<MemoryMeter>& meters, LoadingPlan& plan) {
  const std::vector<ContextOptions> contexts = plan.contexts;
  std::vector<bool> tries(options.lanes.size(), false);
  for (std::size_t i = 0; i < tries.size(); ++i) {
    const std::uint32_t layers = plan.memory.lanes[i].gpu_layers;
    tries[i] = layers > 0 && layers == meters[i].most_gpu_layers();
    plan.contexts[i].device_top1 = tries[i];
    meters[i].set_context(plan.contexts[i]);
  }
  if (std::ranges::count(tries, true) == 0) return;
  try {
    MemoryPlan with = plan_sizes(options, meters, plan);
    if (with.lanes == plan.memory.lanes) {
      plan.without_top1 = std::exchange(plan.memory, std::move(with)).use;
      plan.tries_top1 = std::move(tries);
      return;
    }
  } catch (const Failure&) {
    // It fits without.
  }
  plan.contexts = contexts;
}

}  // namespace

Model::Options model_options(const EngineOptions& options, const LoadingPlan& plan, std::size_t lane, const LaneNumbers& numbers) {
  return {options.lanes[lane].path, numbers.gpu_layers, Model::Weights::all,
          plan.cpu_buffers,         options.mapped,     placement_of(plan.placements[lane], numbers.split)};
}

LoadingPlan plan_loading(const EngineOptions& options, KernelTrust& trust, const std::function<void(Warning)>& on_warning) {
  LoadingPlan plan;
  place(options, plan);
  std::vector<MemoryMeter> meters = open(options, trust, on_warning, plan);
  plan.memory = plan_sizes(options, meters, plan);
  plan.tries_top1.assign(options.lanes.size(), false);
  if (!options.device_top1) plan_trials(options, meters, plan);
  for (std::size_t i = 0; i < options.lanes.size(); ++i) {
    plan.contexts[i].length = plan.memory.lanes[i].length;
    plan.contexts[i].sequences = plan.memory.lanes[i].sequences;
  }
  return plan;
}

}  // namespace nudging
