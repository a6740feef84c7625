#pragma once

#include <array>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/engine.h"
#include "engine/job.h"
#include "engine/model_context.h"
#include "engine/preparation.h"
#include "engine/second_thread.h"

namespace nudging {

/// The loop on the engine's thread. A tick: take in what was submitted and cancelled, let every request that can run do so,
/// decode one batch per lane over all requests that ask, report what was committed.
class Scheduler {
 public:
  /// Loads both models, reporting progress. Throws Failure.
  explicit Scheduler(Engine& engine);

  /// Runs until the engine closes.
  void run();

 private:
  /// A place for one running request: its sequence in either lane, whose caches outlive it.
  struct Slot {
    std::array<std::unique_ptr<SequenceLane>, lane_count> lanes;
    std::unique_ptr<Job> job;
    /// When it got its last request, as a count of requests. Jobs are in the order of it.
    std::uint64_t since = 0;
  };
  /// A request that has no place yet.
  struct Waiting {
    std::shared_ptr<const Request> request;
    Clock::time_point at;
    /// Its texts are long: it is prepared on a thread of its own, and keeps its turn meanwhile, but holds up nobody.
    bool apart = false;
    std::unique_ptr<Preparation> preparation = nullptr;
    bool ready() const { return !apart || (preparation && preparation->done()); }
  };

  void take_in(Engine::Inbox inbox);
  void expire();
  void prepare();
  Preparation::Contexts contexts() const { return {contexts_[0].get(), contexts_[1].get()}; }
  /// What was asked to end before it began.
  void leave(Waiting& waiting, StopReason reason);
  void admit();
  bool make_room();
  void suspend(Slot& slot);
  void resume(Slot& slot, Slot suspended);
  /// Every request that has begun and not ended.
  std::vector<Job*> jobs() const;
  Slot& best_slot(const Prompts& prompts);
  void decode();
  void decode_side_by_side(std::span<SequenceLane* const> base, std::span<SequenceLane* const> aligned, std::vector<SequenceLane*> ahead);
  std::vector<SequenceLane*> asking(std::size_t lane);
  std::vector<SequenceLane*> worth_anticipating();
  void answer(std::span<SequenceLane* const> lanes, const std::exception_ptr& failure);
  void report();
  void end(Slot& slot);
  bool idle() const;
  /// When there is something to do even if nothing comes in: now, at the next deadline, or never.
  Clock::time_point next_work() const;

  Engine& engine_;
  std::array<ThreadpoolHandle, lane_count> threadpools_;
  std::array<std::unique_ptr<ModelContext>, lane_count> contexts_;
  std::vector<Slot> slots_;
  /// Parked requests that have left their places to others, with lanes that have no sequence; those of them that are wanted again wait for a place.
  std::deque<Slot> suspended_;
  std::deque<Waiting> queue_;
  /// Preparations that nobody waits for any more, until their threads have noticed. Like those in the queue they read the contexts above.
  std::vector<std::unique_ptr<Preparation>> given_up_;
  std::uint64_t admitted_ = 0;
  std::vector<Event> events_;
  /// Only where both lanes decode at the same time. Last: what it works on is above.
  std::optional<SecondThread> second_thread_;
};

}  // namespace nudging
