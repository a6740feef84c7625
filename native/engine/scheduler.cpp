#include "engine/scheduler.h"

#include <algorithm>
#include <new>

#include "engine/auto_context.h"
#include "engine/failure.h"

namespace nudging {

namespace {

ModelInfo describe(const ModelContext& context) {
  const Model& model = context.model();
  return {model.path(),
          model.description(),
          model.parameters(),
          model.bytes(),
          static_cast<std::uint32_t>(context.length()),
          model.trained_context(),
          static_cast<std::uint32_t>(model.vocabulary().size()),
          llama_model_chat_template(model.handle(), nullptr) != nullptr};
}

/// A token reads every weight once. Below this share of the weights per thread (about a millisecond of reading) more threads are a bad bet: ggml's threads
/// spin while they wait for each other. With the demo pair on 2 cores, two threads took 0.26 ms a token and one 0.4 to 0.5 when nothing else ran, but on
/// busy cores two took about 500 ms a token. `threads` overrides the rule.
constexpr std::uint64_t bytes_worth_a_thread = 16'000'000;

std::int32_t threads_for(const Model& model, const EngineOptions& options) {
  if (options.threads > 0) return options.threads;
  return static_cast<std::int32_t>(std::clamp<std::uint64_t>(model.bytes() / bytes_worth_a_thread, 1, static_cast<std::uint64_t>(options.cores)));
}

std::array<std::uint32_t, lane_count> context_lengths(const std::array<std::shared_ptr<const Model>, lane_count>& models, const EngineOptions& options) {
  std::array<std::uint32_t, lane_count> lengths{};
  bool fit = false;
  for (std::size_t i = 0; i < lane_count; ++i) {
    const std::int32_t wanted = options.lanes[i].context;
    fit = fit || wanted == longest_context;
    if (wanted > 0) lengths[i] = static_cast<std::uint32_t>(wanted);
    if (wanted == 0) lengths[i] = std::min(models[i]->trained_context(), default_context);
  }
  return fit ? fit_contexts(models, lengths, {0, options.parallel, options.batch, 1}, options.host_memory) : lengths;
}

RequestFailed failure_event(RequestId id) {
  try {
    throw;
  } catch (const Failure& failure) {
    return {id, failure.kind(), failure.what()};
  } catch (const std::bad_alloc&) {
    return {id, FailureKind::out_of_memory, "out of memory"};
  } catch (const std::exception& error) {
    return {id, FailureKind::internal, error.what()};
  }
}

}  // namespace

Scheduler::Scheduler(Engine& engine) : engine_(engine) {
  const EngineOptions& options = engine.options_;
  const std::array<std::shared_ptr<const Model>, lane_count> models = {load(LaneName::base), load(LaneName::aligned)};
  const std::int32_t threads = std::max(threads_for(*models[0], options), threads_for(*models[1], options));
  ggml_threadpool_params pool = ggml_threadpool_params_default(threads);
  threadpool_.reset(ggml_threadpool_new(&pool));
  if (!threadpool_) throw Failure(FailureKind::out_of_memory, "cannot start " + std::to_string(threads) + " threads: lower `threads`");

  Loaded loaded;
  const std::array<std::uint32_t, lane_count> lengths = context_lengths(models, options);
  for (std::size_t i = 0; i < lane_count; ++i) {
    const ModelContext::Options context{lengths[i], options.parallel, options.batch, threads_for(*models[i], options)};
    contexts_[i] = std::make_unique<ModelContext>(models[i], context, threadpool_.get(), engine.stopping_);
    loaded.models[i] = describe(*contexts_[i]);
  }
  slots_.resize(options.parallel);
  for (std::size_t s = 0; s < slots_.size(); ++s) {
    for (std::size_t i = 0; i < lane_count; ++i) slots_[s].lanes[i] = std::make_unique<SequenceLane>(*contexts_[i], static_cast<llama_seq_id>(s));
  }
  engine_.emit({std::move(loaded)});
}

std::shared_ptr<const Model> Scheduler::load(LaneName lane) {
  const EngineOptions::Lane& options = engine_.options_.lanes[static_cast<std::size_t>(lane)];
  float told = -1;
  const auto progress = [&](float fraction) {
    // llama.cpp calls this for every tensor.
    if (fraction - told >= 0.01F || fraction >= 1) engine_.emit({LoadProgress{lane, told = fraction}});
    return !engine_.stopping_.load(std::memory_order_relaxed);
  };
  return std::make_shared<const Model>(Model::Options{options.path, options.gpu_layers}, progress);
}

void Scheduler::run() {
  bool closing = false;
  while (!engine_.stopping_.load(std::memory_order_relaxed) && !(closing && idle())) {
    Engine::Inbox inbox = engine_.receive(!idle());
    closing = inbox.closing;
    take_in(std::move(inbox));
    admit();
    for (std::size_t lane = 0; lane < lane_count; ++lane) decode(lane);
    report();
  }
}

bool Scheduler::idle() const {
  return queue_.empty() && std::none_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.job != nullptr; });
}

void Scheduler::take_in(Engine::Inbox inbox) {
  for (Queued& queued : inbox.submitted) queue_.push_back(std::move(queued));
  for (const RequestId id : inbox.cancelled) {
    const auto waiting = std::find_if(queue_.begin(), queue_.end(), [id](const Queued& queued) { return queued.first.id == id; });
    if (waiting != queue_.end()) {
      events_.push_back(Finished{id, StopReason::aborted, {}, {}, {}, {}});
      queue_.erase(waiting);
    }
    for (Slot& slot : slots_) {
      if (slot.job && slot.job->id() == id && !slot.job->done()) slot.job->stop(StopReason::aborted);
    }
  }
}

void Scheduler::admit() {
  for (Slot& slot : slots_) {
    while (!slot.job && !queue_.empty()) {
      Queued queued = std::move(queue_.front());
      queue_.pop_front();
      const RequestId id = queued.first.id;
      try {
        slot.job = std::make_unique<Job>(std::move(queued.first), Job::Lanes{slot.lanes[0].get(), slot.lanes[1].get()}, queued.second);
      } catch (...) {
        events_.push_back(failure_event(id));
      }
    }
  }
}

void Scheduler::decode(std::size_t lane) {
  std::vector<SequenceLane*> asking;
  for (Slot& slot : slots_) {
    if (!slot.job || slot.job->stopped() || !slot.lanes[lane]->asking()) continue;
    if (slot.lanes[lane]->overflows()) {
      slot.job->stop(StopReason::context);
    } else {
      asking.push_back(slot.lanes[lane].get());
    }
  }
  if (asking.empty()) return;
  try {
    contexts_[lane]->decode(asking);
  } catch (...) {
    if (engine_.stopping_.load(std::memory_order_relaxed)) return;
    for (Slot& slot : slots_) {
      if (!slot.job || std::find(asking.begin(), asking.end(), slot.lanes[lane].get()) == asking.end()) continue;
      events_.push_back(failure_event(slot.job->id()));
      slot.job.reset();
    }
    return;
  }
  for (SequenceLane* answered : asking) {
    if (answered->missing() == 0) answered->resume();
  }
}

void Scheduler::report() {
  for (Slot& slot : slots_) {
    if (!slot.job) continue;
    if (auto pieces = slot.job->report()) events_.push_back(std::move(*pieces));
    if (!slot.job->done() && !slot.job->stopped()) continue;
    try {
      events_.push_back(slot.job->finish());
    } catch (...) {
      events_.push_back(failure_event(slot.job->id()));
    }
    slot.job.reset();
  }
  engine_.emit(std::exchange(events_, {}));
}

}  // namespace nudging
