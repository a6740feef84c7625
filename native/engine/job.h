#pragma once

#include <array>
#include <chrono>
#include <optional>

#include "engine/event.h"
#include "engine/request.h"
#include "engine/sequence_lane.h"
#include "nudge/nudge.h"
#include "nudge/task.h"

namespace nudging {

using Clock = std::chrono::steady_clock;

/// One request at work: its coroutine, what it has committed, and the two lanes it runs in. Used by the scheduler's thread
/// alone. Destroying it cancels the request; the lanes keep their caches for the next one.
class Job {
 public:
  using Lanes = std::array<SequenceLane*, lane_count>;

  /// Renders and tokenises the prompts and runs the request up to its first question. Throws Failure.
  Job(Request request, Lanes lanes, Clock::time_point submitted);
  ~Job();
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  RequestId id() const { return id_; }
  bool done() const { return task_->done(); }

  /// Ends the request before its time: `context`, `aborted`.
  void stop(StopReason reason);
  bool stopped() const { return stopped_.has_value(); }

  /// The piece events since the last call; none if nothing new may be shown.
  std::optional<PiecesReady> report();
  /// The last event. Only when done or stopped; call `report` first. Throws what the request threw.
  Event finish();

 private:
  void begin(const Generation& generation);
  void begin(const Inspection& inspection);

  RequestId id_;
  Lanes lanes_;
  Clock::time_point submitted_;
  Clock::time_point started_ = Clock::now();
  std::optional<Clock::time_point> first_piece_;
  std::optional<Answer> answer_;
  Trace trace_;
  SequenceLane* inspected_ = nullptr;
  std::optional<StopReason> stopped_;
  std::size_t reported_ = 0;
  // Last: the coroutine refers to everything above and is destroyed first.
  std::optional<Task<StopReason>> task_;
};

}  // namespace nudging
