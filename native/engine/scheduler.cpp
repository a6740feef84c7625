#include "engine/scheduler.h"

#include <algorithm>
#include <atomic>
#include <new>
#include <system_error>

#include "engine/failure.h"
#include "engine/loading.h"
#include "engine/prefix_sharing.h"

namespace nudging {

namespace {

/// Preparations at a time. One long text after another would hold up a third; more threads would take cores from those that decode.
constexpr std::size_t most_preparations = 2;

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

std::unique_ptr<Finished> never_started(RequestId id, StopReason reason) { return std::make_unique<Finished>(Finished{id, reason, {}, {}, {}, {}, {}}); }

}  // namespace

Scheduler::Scheduler(Engine& engine) : engine_(engine) {
  LoadedPair pair = load_pair(engine.options_, engine.stopping_, [&engine](LoadProgress progress) { engine.emit(progress); },
                              [&engine](Warning warning) { engine.emit(std::move(warning)); });
  threadpools_ = std::move(pair.threadpools);
  contexts_ = std::move(pair.contexts);
  if (pair.overlap) second_thread_.emplace();
  slots_.resize(pair.report.parallel);
  for (std::size_t s = 0; s < slots_.size(); ++s) {
    for (std::size_t i = 0; i < lane_count; ++i) slots_[s].lanes[i] = std::make_unique<SequenceLane>(*contexts_[i], static_cast<llama_seq_id>(s));
  }
  engine_.emit(std::make_unique<Loaded>(std::move(pair.report)));
}

void Scheduler::run() {
  bool closing = false;
  while (!engine_.stopping_.load(std::memory_order_relaxed) && !(closing && idle())) {
    Engine::Inbox inbox = engine_.receive(next_work());
    closing = inbox.closing;
    take_in(std::move(inbox));
    expire();
    prepare();
    admit();
    decode();
    report();
  }
}

bool Scheduler::idle() const { return queue_.empty() && jobs().empty(); }

std::vector<Job*> Scheduler::jobs() const {
  std::vector<Job*> jobs;
  jobs.reserve(slots_.size() + suspended_.size());
  for (const Slot& slot : slots_) {
    if (slot.job) jobs.push_back(slot.job.get());
  }
  for (const Slot& slot : suspended_) jobs.push_back(slot.job.get());
  return jobs;
}

Clock::time_point Scheduler::next_work() const {
  Clock::time_point next = Clock::time_point::max();
  for (const Waiting& waiting : queue_) {
    // A place is free, or someone in it works, or is parked and leaves it. A preparation that is done wakes the engine.
    if (waiting.ready()) return Clock::time_point::min();
    next = std::min(next, deadline_of(*waiting.request, waiting.at));
  }
  for (const Job* job : jobs()) next = std::min(next, job->parked() ? job->deadline() : Clock::time_point::min());
  return next;
}

void Scheduler::take_in(Engine::Inbox inbox) {
  for (Engine::Submitted& submitted : inbox.submitted) {
    const bool apart = Preparation::pays(submitted.request);
    queue_.push_back({std::make_shared<const Request>(std::move(submitted.request)), submitted.at, apart});
  }
  if (inbox.parked.empty() && inbox.cancelled.empty() && !inbox.closing) return;
  for (Job* job : jobs()) {
    for (const auto& [id, parked] : inbox.parked) {
      if (job->id() == id) job->park(parked);
    }
    // Nobody has to read on for an engine to close.
    if (inbox.closing) job->park(false);
    const bool cancelled = std::find(inbox.cancelled.begin(), inbox.cancelled.end(), job->id()) != inbox.cancelled.end();
    if (cancelled && !job->done()) job->stop(StopReason::aborted);
  }
  std::erase_if(queue_, [&](Waiting& waiting) {
    if (std::find(inbox.cancelled.begin(), inbox.cancelled.end(), waiting.request->id) == inbox.cancelled.end()) return false;
    leave(waiting, StopReason::aborted);
    return true;
  });
}

void Scheduler::expire() {
  const Clock::time_point now = Clock::now();
  std::erase_if(queue_, [&](Waiting& waiting) {
    if (deadline_of(*waiting.request, waiting.at) > now) return false;
    leave(waiting, StopReason::timeout);
    return true;
  });
  for (Job* job : jobs()) {
    if (job->deadline() <= now && !job->done() && !job->stopped()) job->stop(StopReason::timeout);
  }
}

void Scheduler::leave(Waiting& waiting, StopReason reason) {
  events_.push_back(never_started(waiting.request->id, reason));
  if (!waiting.preparation) return;
  // Not waited for here: its thread notices soon, and the others go on meanwhile.
  waiting.preparation->give_up();
  given_up_.push_back(std::move(waiting.preparation));
}

/// Begins to prepare what has long texts, in the order of the queue.
void Scheduler::prepare() {
  std::erase_if(given_up_, [](const auto& preparation) { return preparation->done(); });
  std::size_t running = given_up_.size();
  std::size_t held = 0;
  for (const Waiting& waiting : queue_) {
    if (!waiting.preparation) continue;
    ++held;
    if (!waiting.preparation->done()) ++running;
  }
  for (Waiting& waiting : queue_) {
    // Prompts that are ready take memory; more than can soon be used are of no use.
    if (running >= most_preparations || held >= slots_.size() + most_preparations) return;
    if (!waiting.apart || waiting.preparation) continue;
    try {
      waiting.preparation = std::make_unique<Preparation>(waiting.request, contexts(), [&engine = engine_] { engine.wake(); });
      ++running;
      ++held;
    } catch (const std::system_error&) {
      // No thread is to be had. It is prepared where it is admitted.
      waiting.apart = false;
    }
  }
}

void Scheduler::admit() {
  // Who has begun before goes first.
  for (auto back = suspended_.begin(); back != suspended_.end();) {
    if (back->job->parked() || back->job->stopped()) {
      ++back;
      continue;
    }
    const auto is_free = [](const Slot& slot) { return slot.job == nullptr; };
    if (!make_room()) return;
    resume(*std::find_if(slots_.begin(), slots_.end(), is_free), std::move(*back));
    back = suspended_.erase(back);
  }
  while (true) {
    const auto next = std::find_if(queue_.begin(), queue_.end(), [](const Waiting& waiting) { return waiting.ready(); });
    if (next == queue_.end() || !make_room()) return;
    const Waiting waiting = std::move(*next);
    queue_.erase(next);
    try {
      Prompts prompts = waiting.preparation ? waiting.preparation->take() : compile_prompts(*waiting.request, contexts());
      Slot& slot = best_slot(prompts);
      slot.since = ++admitted_;
      const Job::Lanes lanes = {slot.lanes[0].get(), slot.lanes[1].get()};
      slot.job = std::make_unique<Job>(*waiting.request, std::move(prompts), lanes, waiting.at);
    } catch (...) {
      events_.push_back(failure_event(waiting.request->id));
    }
  }
}

/// True if a slot is free; a parked request leaves its own.
bool Scheduler::make_room() {
  Slot* parked = nullptr;
  for (Slot& slot : slots_) {
    if (!slot.job) return true;
    if (slot.job->parked() && !slot.job->stopped() && (parked == nullptr || slot.since < parked->since)) parked = &slot;
  }
  if (parked == nullptr) return false;
  suspend(*parked);
  return true;
}

void Scheduler::suspend(Slot& slot) {
  Slot left{{}, std::move(slot.job), slot.since};
  for (std::size_t i = 0; i < lane_count; ++i) {
    left.lanes[i] = std::exchange(slot.lanes[i], std::make_unique<SequenceLane>(*contexts_[i], -1));
    slot.lanes[i]->trade_caches(*left.lanes[i]);
  }
  suspended_.push_back(std::move(left));
}

void Scheduler::resume(Slot& slot, Slot suspended) {
  for (std::size_t i = 0; i < lane_count; ++i) {
    suspended.lanes[i]->trade_caches(*slot.lanes[i]);
    slot.lanes[i] = std::move(suspended.lanes[i]);
  }
  slot.job = std::move(suspended.job);
  slot.since = suspended.since;
}

/// The free slot whose caches begin most like these prompts, unless more would be cut from them than kept: then what is common is copied from there, and the slot
/// that has been free for longest is taken. Only if one is free.
Scheduler::Slot& Scheduler::best_slot(const Prompts& prompts) {
  std::array<std::vector<Token>, lane_count> tokens;
  for (std::size_t i = 0; slots_.size() > 1 && i < lane_count; ++i) {
    if (!prompts[i]) continue;
    tokens[i] = prompts[i]->head;
    const std::vector<Token>& tail = prompts[i]->followed.tokens();
    tokens[i].insert(tokens[i].end(), tail.begin(), tail.end());
  }
  Slot* best = nullptr;
  double most = 0;
  for (Slot& slot : slots_) {
    if (slot.job) continue;
    double kept = 0;
    for (std::size_t i = 0; i < lane_count; ++i) {
      const std::size_t tokens_kept = slot.lanes[i]->kept_of(tokens[i]);
      if (2 * tokens_kept >= slot.lanes[i]->cached() || !contexts_[i]->can_share()) kept += static_cast<double>(tokens_kept) * static_cast<double>(contexts_[i]->model().bytes());
    }
    if (best == nullptr || kept > most || (kept == most && slot.since < best->since)) {
      best = &slot;
      most = kept;
    }
  }
  return *best;  // NOLINT(clang-analyzer-core.uninitialized.UndefReturn): one is free
}

/// The lanes that are to decode now, those of the oldest request first.
std::vector<SequenceLane*> Scheduler::asking(std::size_t lane) {
  std::vector<const Slot*> by_age;
  std::vector<SequenceLane*> all;
  by_age.reserve(slots_.size());
  all.reserve(slots_.size());
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
  asking.reserve(by_age.size());
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
void Scheduler::answer(std::span<SequenceLane* const> lanes, const std::exception_ptr& failure) {
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
  const std::vector<Job*> all = jobs();
  PiecesReady ready;
  ready.parts.reserve(all.size());
  ready.pieces.reserve(all.size());
  for (Job* job : all) job->report(ready);
  if (!ready.parts.empty()) events_.push_back(std::move(ready));
  for (Slot& slot : slots_) end(slot);
  for (Slot& slot : suspended_) end(slot);
  std::erase_if(suspended_, [](const Slot& slot) { return slot.job == nullptr; });
  if (events_.empty()) return;
  engine_.emit(std::exchange(events_, {}));
}

/// Gives up the place of a request that has ended, once what it had to say is said.
void Scheduler::end(Slot& slot) {
  if (!slot.job || (!slot.job->done() && !slot.job->stopped())) return;
  try {
    events_.push_back(slot.job->finish());
  } catch (...) {
    events_.push_back(failure_event(slot.job->id()));
  }
  slot.job.reset();
}

}  // namespace nudging
