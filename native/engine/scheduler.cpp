#include "engine/scheduler.h"

#include <algorithm>
#include <atomic>
#include <new>

#include "engine/auto_context.h"
#include "engine/failure.h"
#include "engine/prefix_sharing.h"

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

/// Threads of both lanes. Where they decode at the same time they share the cores, and the base, whose tokens cost more, gets what the aligned model leaves.
std::array<std::int32_t, lane_count> threads_of(const std::array<std::shared_ptr<const Model>, lane_count>& models, const EngineOptions& options, bool overlap) {
  std::array<std::int32_t, lane_count> threads = {threads_for(*models[0], options), threads_for(*models[1], options)};
  if (overlap && options.threads == 0) {
    threads[1] = std::clamp(threads[1], 1, std::max(options.cores / 4, 1));
    threads[0] = std::clamp(threads[0], 1, std::max(options.cores - threads[1], 1));
  }
  return threads;
}

/// Whether a model runs on a GPU, where a second one finds room beside it.
bool on_gpu(const EngineOptions& options) {
  const bool wanted = std::any_of(std::begin(options.lanes), std::end(options.lanes), [](const EngineOptions::Lane& lane) { return lane.gpu_layers != 0; });
  return wanted && ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_GPU) != nullptr;
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

RequestFailed failure_event(RequestId id, const std::exception_ptr& thrown = std::current_exception()) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Failure& failure) {
    return {id, failure.kind(), failure.what()};
  } catch (const std::bad_alloc&) {
    return {id, FailureKind::out_of_memory, "out of memory"};
  } catch (const std::exception& error) {
    return {id, FailureKind::internal, error.what()};
  }
}

Finished never_started(RequestId id, StopReason reason) { return {id, reason, {}, {}, {}, {}, {}}; }

}  // namespace

Scheduler::Scheduler(Engine& engine) : engine_(engine) {
  const EngineOptions& options = engine.options_;
  const std::array<std::shared_ptr<const Model>, lane_count> models = {load(LaneName::base), load(LaneName::aligned)};
  const bool overlap = options.overlap.value_or(on_gpu(options));
  const std::array<std::int32_t, lane_count> threads = threads_of(models, options, overlap);
  // One pool is enough for models that take turns.
  const std::size_t pools = overlap ? lane_count : 1;
  for (std::size_t i = 0; i < pools; ++i) {
    const std::int32_t most = overlap ? threads[i] : std::max(threads[0], threads[1]);
    ggml_threadpool_params pool = ggml_threadpool_params_default(most);
    threadpools_[i].reset(ggml_threadpool_new(&pool));
    if (!threadpools_[i]) throw Failure(FailureKind::out_of_memory, "cannot start " + std::to_string(most) + " threads: lower `threads`");
  }
  if (overlap) second_thread_.emplace();

  Loaded loaded;
  const std::array<std::uint32_t, lane_count> lengths = context_lengths(models, options);
  for (std::size_t i = 0; i < lane_count; ++i) {
    const ModelContext::Options context{lengths[i], options.parallel, options.batch, threads[i]};
    contexts_[i] = std::make_unique<ModelContext>(models[i], context, threadpools_[overlap ? i : 0].get(), engine.stopping_);
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
    Engine::Inbox inbox = engine_.receive(next_work());
    closing = inbox.closing;
    take_in(std::move(inbox));
    expire();
    admit();
    decode();
    report();
  }
}

bool Scheduler::idle() const {
  return queue_.empty() && std::none_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.job != nullptr; });
}

Clock::time_point Scheduler::next_work() const {
  const bool free = std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.job == nullptr; });
  Clock::time_point next = free && !queue_.empty() ? Clock::time_point::min() : Clock::time_point::max();
  for (const Slot& slot : slots_) {
    if (slot.job) next = std::min(next, slot.job->parked() ? slot.job->deadline() : Clock::time_point::min());
  }
  for (const Queued& queued : queue_) next = std::min(next, deadline_of(queued.request, queued.at));
  return next;
}

void Scheduler::take_in(Engine::Inbox inbox) {
  for (Queued& queued : inbox.submitted) queue_.push_back(std::move(queued));
  for (const auto& [id, parked] : inbox.parked) {
    for (Slot& slot : slots_) {
      if (slot.job && slot.job->id() == id) slot.job->park(parked);
    }
  }
  // Nobody has to read on for an engine to close.
  if (inbox.closing) {
    for (Slot& slot : slots_) {
      if (slot.job) slot.job->park(false);
    }
  }
  for (const RequestId id : inbox.cancelled) {
    const auto waiting = std::find_if(queue_.begin(), queue_.end(), [id](const Queued& queued) { return queued.request.id == id; });
    if (waiting != queue_.end()) {
      events_.push_back(never_started(id, StopReason::aborted));
      queue_.erase(waiting);
    }
    for (Slot& slot : slots_) {
      if (slot.job && slot.job->id() == id && !slot.job->done()) slot.job->stop(StopReason::aborted);
    }
  }
}

void Scheduler::expire() {
  const Clock::time_point now = Clock::now();
  std::erase_if(queue_, [&](const Queued& queued) {
    if (deadline_of(queued.request, queued.at) > now) return false;
    events_.push_back(never_started(queued.request.id, StopReason::timeout));
    return true;
  });
  for (Slot& slot : slots_) {
    if (slot.job && slot.job->deadline() <= now && !slot.job->done() && !slot.job->stopped()) slot.job->stop(StopReason::timeout);
  }
}

void Scheduler::admit() {
  const auto is_free = [](const Slot& slot) { return slot.job == nullptr; };
  while (!queue_.empty() && std::any_of(slots_.begin(), slots_.end(), is_free)) {
    const Queued queued = std::move(queue_.front());
    queue_.pop_front();
    try {
      Prompts prompts = compile_prompts(queued.request, {contexts_[0].get(), contexts_[1].get()});
      Slot& slot = best_slot(prompts);
      slot.since = ++admitted_;
      slot.job = std::make_unique<Job>(queued.request, std::move(prompts), Job::Lanes{slot.lanes[0].get(), slot.lanes[1].get()}, queued.at);
    } catch (...) {
      events_.push_back(failure_event(queued.request.id));
    }
  }
}

/// The free slot whose caches begin most like these prompts, where most of them would be kept; else the one that has been free for longest. Only if one is free.
Scheduler::Slot& Scheduler::best_slot(const Prompts& prompts) {
  std::array<std::vector<Token>, lane_count> tokens;
  for (std::size_t i = 0; slots_.size() > 1 && i < lane_count; ++i) {
    if (!prompts[i]) continue;
    tokens[i] = prompts[i]->head;
    const std::vector<Token> tail = contexts_[i]->vocabulary().tokenize(prompts[i]->tail);
    tokens[i].insert(tokens[i].end(), tail.begin(), tail.end());
  }
  Slot* best = nullptr;
  double most = 0;
  for (Slot& slot : slots_) {
    if (slot.job) continue;
    double kept = 0;
    for (std::size_t i = 0; i < lane_count; ++i) {
      const std::size_t tokens_kept = slot.lanes[i]->kept_of(tokens[i]);
      if (2 * tokens_kept >= slot.lanes[i]->cached()) kept += static_cast<double>(tokens_kept) * static_cast<double>(contexts_[i]->model().bytes());
    }
    if (best == nullptr || kept > most || (kept == most && slot.since < best->since)) {
      best = &slot;
      most = kept;
    }
  }
  return *best;
}

/// The lanes that are to decode now, those of the oldest request first.
std::vector<SequenceLane*> Scheduler::asking(std::size_t lane) {
  std::vector<const Slot*> by_age;
  std::vector<SequenceLane*> all;
  for (Slot& slot : slots_) {
    all.push_back(slot.lanes[lane].get());
    if (!slot.job || slot.job->stopped() || slot.job->parked() || !slot.lanes[lane]->asking()) continue;
    if (slot.lanes[lane]->overflows()) {
      slot.job->stop(StopReason::context);
    } else {
      by_age.push_back(&slot);
    }
  }
  std::sort(by_age.begin(), by_age.end(), [](const Slot* a, const Slot* b) { return a->since < b->since; });
  std::vector<SequenceLane*> asking;
  for (const Slot* slot : by_age) asking.push_back(slot->lanes[lane].get());
  return share_prefixes(asking, all);
}

/// The aligned lanes of requests that wait for the base.
std::vector<SequenceLane*> Scheduler::worth_anticipating() {
  std::vector<SequenceLane*> lanes;
  for (Slot& slot : slots_) {
    if (slot.job && !slot.job->stopped() && !slot.job->parked() && slot.job->anticipates() && slot.lanes[0]->asking() && slot.lanes[1]->can_anticipate()) lanes.push_back(slot.lanes[1].get());
  }
  return lanes;
}

void Scheduler::decode() {
  const std::vector<SequenceLane*> base = asking(0);
  if (second_thread_ && !base.empty()) {
    const std::vector<SequenceLane*> aligned = asking(1);
    return decode_side_by_side(base, aligned, worth_anticipating());
  }
  for (std::size_t i = 0; i < lane_count; ++i) {
    // Asked again for the second lane: answers of the first may have led to questions for it.
    const std::vector<SequenceLane*> lanes = i == 0 ? base : asking(i);
    if (lanes.empty()) continue;
    std::exception_ptr failure;
    try {
      contexts_[i]->decode(lanes);
    } catch (...) {
      failure = std::current_exception();
    }
    answer(lanes, failure);
  }
}

/// Both lanes at once. Until both are done, the aligned model's context and its lanes belong to the second thread, the base's to this one.
void Scheduler::decode_side_by_side(std::span<SequenceLane* const> base, std::span<SequenceLane* const> aligned, std::vector<SequenceLane*> ahead) {
  std::atomic<bool> base_is_done = false;
  const bool both = !aligned.empty() || !ahead.empty();
  if (both) {
    second_thread_->start([this, aligned, &ahead, &base_is_done] {
      ModelContext& context = *contexts_[1];
      if (!aligned.empty()) context.decode(aligned);
      try {
        while (!ahead.empty() && !base_is_done.load(std::memory_order_relaxed)) {
          context.anticipate(ahead);
          std::erase_if(ahead, [](const SequenceLane* lane) { return !lane->can_anticipate(); });
        }
      } catch (const Failure&) {
        // Nobody had asked. Whoever does will be told.
      }
    });
  }
  std::exception_ptr base_failure;
  try {
    contexts_[0]->decode(base);
  } catch (...) {
    base_failure = std::current_exception();
  }
  base_is_done.store(true, std::memory_order_relaxed);
  std::exception_ptr aligned_failure;
  try {
    if (both) second_thread_->wait();
  } catch (...) {
    aligned_failure = std::current_exception();
  }
  answer(base, base_failure);
  answer(aligned, aligned_failure);
}

/// Resumes the requests whose questions were answered, or fails them all.
void Scheduler::answer(std::span<SequenceLane* const> lanes, std::exception_ptr failure) {
  if (!failure) {
    for (SequenceLane* lane : lanes) {
      if (lane->missing() == 0) lane->resume();
    }
    return;
  }
  if (engine_.stopping_.load(std::memory_order_relaxed)) return;
  for (Slot& slot : slots_) {
    const auto is_its = [&slot](const SequenceLane* lane) { return lane == slot.lanes[0].get() || lane == slot.lanes[1].get(); };
    if (!slot.job || std::none_of(lanes.begin(), lanes.end(), is_its)) continue;
    events_.push_back(failure_event(slot.job->id(), failure));
    slot.job.reset();
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
