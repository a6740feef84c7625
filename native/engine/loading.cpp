#include "engine/loading.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "backend/gpus.h"
#include "backend/rpc.h"
#include "basics/failure.h"
#include "lanes/top1_trial.h"
#include "models/file_identity.h"
#include "models/memory_meter.h"
#include "models/memory_plan.h"
#include "models/model_registry.h"
#include "text/one_vocabulary.h"
#include "trust/determinism.h"
#include "trust/tie_tolerance.h"

namespace nudging {

namespace {

/// Sequences that a plan takes by itself. With the demo pair a pass over four tokens takes 1.5 times as long as over one, over eight 2.6
/// times (docs/cost-model.md): four have most of the gain. Each costs a KV cache, used or not.
constexpr std::uint32_t most_automatic_sequences = 4;

/// Sequences beside each one, for what branches off: the longest word that is asked about at once has about as many letters.
constexpr std::size_t most_branches = 16;

/// The longest context that can be asked for (lib/options.ts), in tokens. Some headers promise more.
constexpr std::uint32_t most_context = 10'000'000;

/// A token reads every weight once. Below this share of the weights per thread (about a millisecond of reading) more threads are a bad bet:
/// ggml's threads spin while they wait for each other. With the demo pair on 2 cores, two threads took 0.26 ms a token and one 0.4 to 0.5
/// when nothing else ran, but on busy cores two took about 500 ms a token. `threads` overrides the rule.
constexpr std::uint64_t bytes_worth_a_thread = 16'000'000;

std::int32_t threads_for(const Model& model, const EngineOptions& options) {
  if (options.threads > 0) return options.threads;
  return static_cast<std::int32_t>(
      std::clamp<std::uint64_t>(model.bytes() / bytes_worth_a_thread, 1, static_cast<std::uint64_t>(options.cores)));
}

/// Threads of each lane. Where they decode at the same time they share the cores, and the base, whose tokens cost more, gets what the
/// others leave.
std::vector<std::int32_t> threads_of(const std::vector<std::shared_ptr<const Model>>& models, const EngineOptions& options, bool overlap) {
  std::vector<std::int32_t> threads;
  for (const auto& model : models) threads.push_back(threads_for(*model, options));
  if (!overlap || options.threads != 0) return threads;
  std::int32_t left = options.cores;
  for (std::size_t i = 0; i < threads.size(); ++i) {
    if (i == base_lane) continue;
    threads[i] = std::clamp(threads[i], 1, std::max(options.cores / 4, 1));
    left -= threads[i];
  }
  threads[base_lane] = std::clamp(threads[base_lane], 1, std::max(left, 1));
  return threads;
}

/// Where the model is on a GPU the cores have nothing else to do, and a vocabulary's logits take the host longer (0.42 ms for 128,256
/// tokens) than a small model's pass takes the GPU.
std::size_t readers_for(const LaneNumbers& numbers, const EngineOptions& options) {
  constexpr std::int32_t most = 8;
  return numbers.gpu_layers == 0 ? 1 : static_cast<std::size_t>(std::clamp(options.cores / 2, 1, most));
}

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

/// What is known of the models before their weights are read.
struct Sketch {
  std::vector<ggml_backend_dev_t> gpus;
  /// So many of them, the first ones, are of other machines.
  std::size_t far = 0;
  std::vector<LanePlacement> placements;
  std::vector<MemoryMeter> meters;
  CpuBuffers cpu_buffers;
  bool deterministic = false;
  /// Why not, where nobody had declined it.
  std::string why_not;
  std::vector<std::optional<bool>> flash_attention;
  std::vector<Tolerance> tolerance;
  /// What contexts are laid out like, but for their sizes.
  std::vector<ContextOptions> contexts;

  /// Has the likeliest tokens found on the device or not, where that was not asked for.
  void lay_out(std::size_t lane, bool device_top1) {
    contexts[lane].device_top1 = device_top1;
    meters[lane].set_context(contexts[lane]);
  }
};

Model::Options model_options(const EngineOptions& options, const Sketch& sketch, std::size_t lane, const LaneNumbers& numbers) {
  return {options.lanes[lane].path, numbers.gpu_layers, Model::Weights::all,
          sketch.cpu_buffers,       options.mapped,     placement_of(sketch.placements[lane], numbers.split)};
}

/// False without a GPU, whatever was wanted; true if some layers may get there.
bool may_use_gpu(const EngineOptions::Lane& lane, const MemoryMeter& meter) { return meter.most_gpu_layers() > 0 && lane.gpu_layers != 0; }

/// Whether the lanes will be deterministic. Throws Failure(not_deterministic) if it must and cannot.
void settle_determinism(const EngineOptions& options, KernelTrust& trust, Sketch& sketch) {
  std::optional<std::string> why_not;
  for (std::size_t i = 0; i < options.lanes.size() && !why_not && options.deterministic != false; ++i) {
    const EngineOptions::Lane& lane = options.lanes[i];
    const MemoryMeter& meter = sketch.meters[i];
    const bool flash_attention = lane.flash_attention.value_or(true) && can_have_flash_attention(meter.skeleton());
    why_not = why_not_deterministic(
        {lane.path, meter.skeleton(), meter.kernels(), may_use_gpu(lane, meter), flash_attention, lane.cache_type}, trust);
  }
  if (why_not && options.deterministic == true) throw Failure(FailureKind::not_deterministic, "`deterministic` cannot be had: " + *why_not);
  sketch.deterministic = options.deterministic != false && !why_not;
  sketch.why_not = why_not.value_or("");
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
void place(const EngineOptions& options, Sketch& sketch) {
  const std::vector<ggml_backend_dev_t> here = options.gpus ? *options.gpus : usable_gpus();
  sketch.gpus = rpc_devices(options.rpc_servers, options.rpc_timeout);
  sketch.far = sketch.gpus.size();
  sketch.gpus.insert(sketch.gpus.end(), here.begin(), here.end());
  if (sketch.gpus.size() > llama_max_devices()) {
    throw Failure(FailureKind::device_unsuitable, "`rpcServers` and this machine have " + std::to_string(sketch.gpus.size()) +
                                                      " devices together, and llama.cpp can use " + std::to_string(llama_max_devices()) +
                                                      ": name fewer servers, or start them with fewer devices");
  }
  for (std::size_t i = 0; i < options.lanes.size(); ++i) {
    const EngineOptions::Lane& lane = options.lanes[i];
    sketch.placements.push_back(resolve(lane.placement, lane.name, sketch.gpus, i == base_lane ? sketch.gpus : here));
  }
}

/// Opens the models without weights, with the extra CPU buffers that are wanted and trusted.
Sketch sketch(const EngineOptions& options, KernelTrust& trust, const std::function<void(Warning)>& on_warning) {
  Sketch sketch;
  place(options, sketch);
  CpuBuffers wanted = all_cpu_buffers();
  std::erase_if(wanted, [&](const std::string& name) {
    return (options.cpu_buffers && !options.cpu_buffers->contains(name)) || options.harmful_cpu_buffers.contains(name);
  });
  const auto kernels_with = [&](const CpuBuffers& buffers) {
    sketch.meters.clear();
    std::vector<Kernel> kernels;
    for (std::size_t i = 0; i < options.lanes.size(); ++i) {
      const std::string& path = options.lanes[i].path;
      const MemoryMeter& meter =
          sketch.meters.emplace_back(path, context_options(options, i, {}), buffers, options.mapped, sketch.gpus, sketch.placements[i]);
      const std::vector<Kernel> its = meter.extra_kernels();
      kernels.insert(kernels.end(), its.begin(), its.end());
    }
    return kernels;
  };
  const auto warn = [&](const std::string& message) { on_warning({"WARN_KERNEL_DISABLED", message}); };
  sketch.cpu_buffers = trusted_buffers(std::move(wanted), trust, kernels_with, warn);
  settle_determinism(options, trust, sketch);
  for (std::size_t i = 0; i < options.lanes.size(); ++i) {
    sketch.tolerance.push_back(sketch.deterministic ? Tolerance{}
                                                    : measured_tolerance(sketch.meters[i].kernels(), options.lanes[i].cache_type));
    sketch.flash_attention.push_back(settled_attention(options.lanes[i], sketch.meters[i], sketch.deterministic));
    ContextOptions context = context_options(options, i, {});
    context.flash_attention = sketch.flash_attention[i];
    context.deterministic = sketch.deterministic;
    sketch.contexts.push_back(context);
    sketch.meters[i].set_context(context);
  }
  return sketch;
}

MemoryPlan plan_for(const EngineOptions& options, Sketch& sketch) {
  std::vector<MemoryMeter>& meters = sketch.meters;
  MemoryRequest request;
  for (std::size_t i = 0; i < options.lanes.size(); ++i) {
    const EngineOptions::Lane& lane = options.lanes[i];
    const auto is_same = [&](const EngineOptions::Lane& other) {
      return FileIdentity::of(other.path) == FileIdentity::of(lane.path) && other.placement == lane.placement;
    };
    const auto first = static_cast<std::size_t>(std::find_if(options.lanes.begin(), options.lanes.end(), is_same) - options.lanes.begin());
    const LanePlacement& placement = sketch.placements[i];
    std::vector<std::size_t> places;
    for (const ggml_backend_dev_t device : placement.devices) places.push_back(place_of(device, sketch.gpus));
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
  request.places = memory_places(sketch.gpus, options.host_memory);
  std::uint64_t limit = 0;
  for (const MemoryPlace& place : request.places) limit += place.available;

  return plan_memory(request, [&](std::size_t lane, const LaneNumbers& numbers) {
    LaneDemand demand = meters[lane].measure(numbers, limit);
    if (ModelRegistry::instance().holds(model_options(options, sketch, lane, numbers))) {
      // The copies are taken already. Mapped pages count as free memory even while they are used.
      std::fill(demand.weights.begin(), demand.weights.end(), 0);
      demand.weights[0] = demand.use.mapped;
    }
    return demand;
  });
}

struct Planned {
  MemoryPlan plan;
  /// Lanes whose likeliest tokens may be found on their GPUs: there is room for it that nothing else could have had.
  std::vector<bool> tries_top1;
  /// What they take if that is not done after all.
  std::vector<MemoryUse> without_top1;
};

/// Where nobody has said whether the likeliest tokens are found on the device, that is to be tried of models that are on GPUs as a whole,
/// if nothing has to be smaller for it.
Planned plan(const EngineOptions& options, Sketch& sketch) {
  std::vector<bool> tries(options.lanes.size(), false);
  const MemoryPlan without = plan_for(options, sketch);
  for (std::size_t i = 0; i < tries.size() && !options.device_top1; ++i) {
    const std::uint32_t layers = without.lanes[i].gpu_layers;
    tries[i] = layers > 0 && layers == sketch.meters[i].most_gpu_layers();
  }
  if (std::ranges::count(tries, true) == 0) return {without, tries, without.use};
  for (std::size_t i = 0; i < tries.size(); ++i) sketch.lay_out(i, tries[i]);
  try {
    MemoryPlan with = plan_for(options, sketch);
    if (with.lanes == without.lanes) return {std::move(with), std::move(tries), without.use};
  } catch (const Failure&) {
    // It fits without.
  }
  return {without, std::vector(tries.size(), false), without.use};
}

/// Finds out whether a lane's likeliest tokens are to be found on its GPU.
void settle_device_top1(ModelContext& context, const Model& model, const std::function<void(Warning)>& on_warning) {
  const std::optional<Top1Trial> trial = try_device_top1(context, model);
  if (!trial || trial->alike) return;
  on_warning({"WARN_KERNEL_DISABLED", "the GPU finds other likeliest tokens than the logits of \"" + model.path() +
                                          "\" have: they are left to the host. Another driver may mend it"});
}

/// For each model the place of the first one that has the same vocabulary. Comparing two takes a few milliseconds: less than a request
/// should wait for, and nothing beside loading them.
std::vector<std::size_t> vocabulary_kinds(const std::vector<std::shared_ptr<const Model>>& models) {
  std::vector<std::size_t> kinds;
  for (std::size_t i = 0; i < models.size(); ++i) {
    std::size_t first = 0;
    while (first < i && (kinds[first] != first || first_difference(models[first]->vocabulary(), models[i]->vocabulary()))) ++first;
    kinds.push_back(first);
  }
  return kinds;
}

/// Sequences beside each one: llama.cpp knows only so many in a cache that all of them share, used or not. They cost nothing.
std::size_t branches_of_each(std::size_t sequences) {
  return std::min(most_branches, (llama_max_parallel_sequences() - sequences) / sequences);
}

ModelInfo describe(const LoadedLane& lane, bool device_top1, const LaneNumbers& numbers, const std::vector<ggml_backend_dev_t>& gpus,
                   const MemoryUse& use, ggml_type cache_type) {
  const Model& model = lane.model();
  std::vector<std::pair<std::string, std::uint32_t>> devices;
  for (std::size_t i = 0; i < gpus.size(); ++i) {
    if (numbers.split[i] > 0) devices.emplace_back(ggml_backend_dev_name(gpus[i]), numbers.split[i]);
  }
  return {lane.name(),
          model.path(),
          model.description(),
          model.parameters(),
          model.bytes(),
          static_cast<std::uint32_t>(lane.length()),
          model.trained_context(),
          static_cast<std::uint32_t>(model.vocabulary().size()),
          llama_model_chat_template(model.handle(), nullptr) != nullptr,
          numbers.gpu_layers,
          std::move(devices),
          device_top1,
          ggml_type_name(cache_type),
          use};
}

std::string why_not(const EngineOptions::Lane& remote) { return "the model of `" + remote.name + "` is on another machine"; }

/// A model on another machine: its vocabulary, and what its sequences can hold there.
std::unique_ptr<LoadedLane> remote_lane(const EngineOptions::Lane& lane, std::size_t place, std::size_t sequences) {
  const auto model =
      std::make_shared<const Model>(Model::Options{.path = lane.path, .weights = Model::Weights::elsewhere}, [](float) { return true; });
  // What the server has room for is said by whoever asked it. The file may be one of a vocabulary alone, which does not know.
  const std::uint32_t usual = model->trained_context() > 0 ? std::min(model->trained_context(), default_context) : default_context;
  return std::make_unique<LoadedLane>(lane.name, model,
                                      LoadedLane::Traits{.length = lane.context > 0 ? static_cast<std::size_t>(lane.context) : usual,
                                                         .batch = most_context,
                                                         .can_share = false,
                                                         .sequences = sequences,
                                                         .remote = true,
                                                         .tolerance = unknown_tolerance(),
                                                         // Nobody mixes what is not known in full.
                                                         .vocabulary_kind = most_context + place});
}

ModelInfo describe_remote(const LoadedLane& lane) {
  const Model& model = lane.model();
  ModelInfo info{};
  info.name = lane.name();
  info.path = model.path();
  info.description = model.description();
  info.context = static_cast<std::uint32_t>(lane.length());
  info.trained_context = model.trained_context();
  info.vocabulary = static_cast<std::uint32_t>(model.vocabulary().size());
  info.has_chat_template = llama_model_chat_template(model.handle(), nullptr) != nullptr;
  info.kv_cache = "none";
  return info;
}

/// Whether lanes decode while others do: asked, or else where a GPU works for them. Models on RPC servers take turns: llama.cpp remembers
/// of a server, and not of a model, which graph it has, so two threads would run each other's.
bool may_overlap(const EngineOptions& options, const Sketch& sketch, const MemoryPlan& plan) {
  const std::span<const ggml_backend_dev_t> far(sketch.gpus.data(), sketch.far);
  bool on_gpus = false;
  std::size_t lanes_far = 0;
  for (std::size_t i = 0; i < plan.lanes.size(); ++i) {
    if (plan.lanes[i].gpu_layers == 0) continue;
    on_gpus = true;
    const auto is_far = [&](ggml_backend_dev_t device) { return std::ranges::find(far, device) != far.end(); };
    if (std::ranges::any_of(sketch.placements[i].devices, is_far)) ++lanes_far;
  }
  if (lanes_far < 2) return options.overlap.value_or(on_gpus);
  if (options.overlap == true)
    throw Failure(FailureKind::device_unsuitable, "models on RPC servers take turns: leave out `overlap`, or let one be elsewhere");
  return false;
}

/// The models that are in this process.
LoadedLanes load_here(const EngineOptions& options, const std::atomic<bool>& stopping, const std::function<void(LoadProgress)>& on_progress,
                      const std::function<void(Warning)>& on_warning, KernelTrust& trust) {
  // Gone before weights are read.
  auto [planned, drawn] = [&] {
    Sketch first = sketch(options, trust, on_warning);
    Planned found = nudging::plan(options, first);
    first.meters.clear();
    return std::pair(std::move(found), std::move(first));
  }();
  const MemoryPlan& plan = planned.plan;
  if (stopping.load(std::memory_order_relaxed)) throw Failure(FailureKind::load_aborted, "loading was aborted");

  std::vector<std::shared_ptr<const Model>> models(options.lanes.size());
  for (std::size_t i = 0; i < options.lanes.size(); ++i) {
    float told = -1;
    models[i] = ModelRegistry::instance().load(model_options(options, drawn, i, plan.lanes[i]), [&](float fraction) {
      // llama.cpp calls this for every tensor.
      if (fraction - told >= 0.01F || (fraction >= 1 && told < 1)) on_progress({options.lanes[i].name, told = fraction});
      return !stopping.load(std::memory_order_relaxed);
    });
  }

  const bool overlap = may_overlap(options, drawn, plan);
  const std::vector<std::int32_t> threads = threads_of(models, options, overlap);
  const std::vector<std::size_t> kinds = vocabulary_kinds(models);
  LoadedLanes loaded;
  for (std::size_t i = 0; i < (overlap ? threads.size() : 1); ++i) {
    const std::int32_t most = overlap ? threads[i] : *std::max_element(threads.begin(), threads.end());
    ggml_threadpool_params pool = ggml_threadpool_params_default(most);
    if (!loaded.threadpools.emplace_back(ggml_threadpool_new(&pool))) {
      throw Failure(FailureKind::out_of_memory, "cannot start " + std::to_string(most) + " threads: lower `threads`");
    }
  }

  loaded.report.parallel = plan.lanes[0].sequences;
  loaded.report.deterministic = drawn.deterministic;
  loaded.report.why_not = drawn.why_not;
  for (std::size_t i = 0; i < options.lanes.size(); ++i) {
    ContextOptions options_of_context = context_options(options, i, plan.lanes[i]);
    options_of_context.threads = threads[i];
    options_of_context.readers = readers_for(plan.lanes[i], options);
    options_of_context.flash_attention = drawn.flash_attention[i];
    options_of_context.deterministic = drawn.deterministic;
    if (planned.tries_top1[i]) options_of_context.device_top1 = true;
    ModelContext& context = *loaded.contexts.emplace_back(
        std::make_unique<ModelContext>(models[i], options_of_context, loaded.threadpools[overlap ? i : 0].get(), stopping));
    if (planned.tries_top1[i] && context.device_top1()) settle_device_top1(context, *models[i], on_warning);
    const LoadedLane::Traits traits{
        .length = plan.lanes[i].length,
        .batch = context.batch(),
        .can_cut = can_cut_cells(models[i]->handle()),
        .can_share = context.can_share(),
        .branches = context.can_share() && context.padding().sequences == 0 ? branches_of_each(plan.lanes[i].sequences) : 0,
        .sequences = plan.lanes[i].sequences,
        .apart = overlap,
        .tolerance = drawn.tolerance[i],
        .padding = context.padding(),
        .vocabulary_kind = kinds[i]};
    const LoadedLane& lane = *loaded.lanes.emplace_back(std::make_unique<LoadedLane>(options.lanes[i].name, models[i], traits));
    const MemoryUse& use = planned.tries_top1[i] && !context.device_top1() ? planned.without_top1[i] : plan.use[i];
    loaded.report.models.push_back(
        describe(lane, context.device_top1(), plan.lanes[i], drawn.placements[i].devices, use, options_of_context.cache_type));
  }
  return loaded;
}

}  // namespace

LoadedLanes load_lanes(const EngineOptions& options, const std::atomic<bool>& stopping,
                       const std::function<void(LoadProgress)>& on_progress, const std::function<void(Warning)>& on_warning,
                       KernelTrust& trust) {
  const auto is_remote = [](const EngineOptions::Lane& lane) { return lane.remote; };
  const auto remote = std::ranges::find_if(options.lanes, is_remote);
  if (remote == options.lanes.end()) return load_here(options, stopping, on_progress, on_warning, trust);
  if (options.deterministic == true) throw Failure(FailureKind::not_deterministic, "`deterministic` cannot be had: " + why_not(*remote));
  EngineOptions here = options;
  std::erase_if(here.lanes, is_remote);
  // While a server is asked, this machine has time for the others.
  if (!here.overlap) here.overlap = true;
  if (here.parallel == 0 && here.lanes.empty()) here.parallel = most_automatic_sequences;
  LoadedLanes loaded = here.lanes.empty() ? LoadedLanes{} : load_here(here, stopping, on_progress, on_warning, trust);
  if (here.lanes.empty()) loaded.report.parallel = here.parallel;
  loaded.report.deterministic = false;
  if (options.deterministic != false) loaded.report.why_not = why_not(*remote);
  for (std::size_t i = 0; i < options.lanes.size(); ++i) {
    if (!options.lanes[i].remote) continue;
    const auto at = static_cast<std::ptrdiff_t>(i);
    std::unique_ptr<LoadedLane> lane = remote_lane(options.lanes[i], i, loaded.report.parallel);
    loaded.report.models.insert(loaded.report.models.begin() + at, describe_remote(*lane));
    loaded.lanes.insert(loaded.lanes.begin() + at, std::move(lane));
    loaded.contexts.insert(loaded.contexts.begin() + at, nullptr);
  }
  return loaded;
}

}  // namespace nudging
