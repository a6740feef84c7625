#include "engine/loading.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "basics/failure.h"
#include "engine/planning.h"
#include "lanes/top1_trial.h"
#include "models/model_registry.h"
#include "text/one_vocabulary.h"
#include "trust/tie_tolerance.h"

namespace nudging {

namespace {

/// Sequences beside each one, for what branches off: the longest word that is asked about at once has about as many letters.
constexpr std::size_t most_branches = 16;

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
bool may_overlap(const EngineOptions& options, const LoadingPlan& plan) {
  const std::span<const ggml_backend_dev_t> far(plan.gpus.data(), plan.far);
  bool on_gpus = false;
  std::size_t lanes_far = 0;
  for (std::size_t i = 0; i < plan.memory.lanes.size(); ++i) {
    if (plan.memory.lanes[i].gpu_layers == 0) continue;
    on_gpus = true;
    const auto is_far = [&](ggml_backend_dev_t device) { return std::ranges::find(far, device) != far.end(); };
    if (std::ranges::any_of(plan.placements[i].devices, is_far)) ++lanes_far;
  }
  if (lanes_far < 2) return options.overlap.value_or(on_gpus);
  if (options.overlap == true)
    throw Failure(FailureKind::device_unsuitable, "models on RPC servers take turns: leave out `overlap`, or let one be elsewhere");
  return false;
}

/// The models that are in this process.
LoadedLanes load_here(const EngineOptions& options, const std::atomic<bool>& stopping, const std::function<void(LoadProgress)>& on_progress,
                      const std::function<void(Warning)>& on_warning, KernelTrust& trust) {
  const LoadingPlan plan = plan_loading(options, trust, on_warning);
  if (stopping.load(std::memory_order_relaxed)) throw Failure(FailureKind::load_aborted, "loading was aborted");

  std::vector<std::shared_ptr<const Model>> models(options.lanes.size());
  for (std::size_t i = 0; i < options.lanes.size(); ++i) {
    float told = -1;
    models[i] = ModelRegistry::instance().load(model_options(options, plan, i, plan.memory.lanes[i]), [&](float fraction) {
      // llama.cpp calls this for every tensor.
      if (fraction - told >= 0.01F || (fraction >= 1 && told < 1)) on_progress({options.lanes[i].name, told = fraction});
      return !stopping.load(std::memory_order_relaxed);
    });
  }

  const bool overlap = may_overlap(options, plan);
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

  loaded.report.parallel = plan.memory.lanes[0].sequences;
  loaded.report.deterministic = plan.deterministic;
  loaded.report.why_not = plan.why_not;
  for (std::size_t i = 0; i < options.lanes.size(); ++i) {
    const LaneNumbers& numbers = plan.memory.lanes[i];
    ContextOptions context_options = plan.contexts[i];
    context_options.threads = threads[i];
    context_options.readers = readers_for(numbers, options);
    ModelContext& context = *loaded.contexts.emplace_back(
        std::make_unique<ModelContext>(models[i], context_options, loaded.threadpools[overlap ? i : 0].get(), stopping));
    if (plan.tries_top1[i] && context.device_top1()) settle_device_top1(context, *models[i], on_warning);
    const LoadedLane::Traits traits{
        .length = numbers.length,
        .batch = context.batch(),
        .can_cut = can_cut_cells(models[i]->handle()),
        .can_share = context.can_share(),
        .branches = context.can_share() && context.padding().sequences == 0 ? branches_of_each(numbers.sequences) : 0,
        .sequences = numbers.sequences,
        .apart = overlap,
        .tolerance = plan.tolerance[i],
        .padding = context.padding(),
        .vocabulary_kind = kinds[i]};
    const LoadedLane& lane = *loaded.lanes.emplace_back(std::make_unique<LoadedLane>(options.lanes[i].name, models[i], traits));
    const MemoryUse& use = plan.tries_top1[i] && !context.device_top1() ? plan.without_top1[i] : plan.memory.use[i];
    loaded.report.models.push_back(
        describe(lane, context.device_top1(), numbers, plan.placements[i].devices, use, context_options.cache_type));
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
