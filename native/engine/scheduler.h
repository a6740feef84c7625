#pragma once

#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "engine/engine.h"
#include "engine/job.h"
#include "engine/model_context.h"

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
  };
  using Queued = std::pair<Request, Clock::time_point>;

  void take_in(Engine::Inbox inbox);
  void admit();
  void decode(std::size_t lane);
  void report();
  bool idle() const;

  Engine& engine_;
  ThreadpoolHandle threadpool_;
  std::array<std::unique_ptr<ModelContext>, lane_count> contexts_;
  std::vector<Slot> slots_;
  std::deque<Queued> queue_;
  std::vector<Event> events_;
};

}  // namespace nudging
