#include "engine/scheduler.h"

#include <algorithm>
#include <new>

#include "engine/failure.h"
#include "engine/loading.h"

namespace nudging {

namespace {

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
  LoadedPair pair = load_pair(engine.options_, engine.stopping_, [&engine](LoadProgress progress) { engine.emit({progress}); });
  threadpool_ = std::move(pair.threadpool);
  contexts_ = std::move(pair.contexts);
  slots_.resize(pair.report.parallel);
  for (std::size_t s = 0; s < slots_.size(); ++s) {
    for (std::size_t i = 0; i < lane_count; ++i) slots_[s].lanes[i] = std::make_unique<SequenceLane>(*contexts_[i], static_cast<llama_seq_id>(s));
  }
  engine_.emit({std::move(pair.report)});
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
