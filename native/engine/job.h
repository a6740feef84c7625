#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "basics/stopwatch.h"
#include "engine/byte_mixing.h"
#include "engine/event.h"
#include "engine/prompts.h"
#include "engine/request.h"
#include "lanes/sequence_lane.h"
#include "nudge/guard.h"
#include "nudge/mixture.h"
#include "nudge/nudge.h"
#include "nudge/paper.h"
#include "nudge/task.h"

namespace nudging {

/// When a request that was submitted at `submitted` is to end; the end of time if it has no limit.
Clock::time_point deadline_of(const Request& request, Clock::time_point submitted);

/// One request at work: its coroutine, what it has committed, and the lanes it runs in. Used by the scheduler's thread
/// alone. Destroying it cancels the request; the lanes keep their caches for the next one.
class Job {
 public:
  using Lanes = std::vector<SequenceLane*>;

  /// Runs the request up to its first question. Throws Failure.
  Job(const Request& request, Prompts prompts, Lanes lanes, Clock::time_point submitted);
  ~Job();
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  RequestId id() const { return id_; }
  bool done() const { return task_->done(); }

  /// Ends the request before its time: `context`, `aborted`.
  void stop(StopReason reason);
  bool stopped() const { return stopped_.has_value(); }
  /// When its time is up; the end of time if it has no limit.
  Clock::time_point deadline() const { return deadline_; }

  /// A parked request decodes nothing until it is wanted again.
  void park(bool parked) { parked_ = parked; }
  bool parked() const { return parked_; }

  /// True if the aligned lane may decode on while the base's is busy: what it says next is likely to be asked.
  bool anticipates() const { return anticipates_; }

  /// That it has begun, if somebody wants to know.
  std::optional<Begun> begun() const { return begun_; }

  /// Adds the pieces since the last call, if there are any that may be shown.
  void report(PiecesReady& ready);
  /// The last event. Only when done or stopped; call `report` first. Throws what the request threw.
  Event finish();

 private:
  void begin(const Generation& generation, Prompts prompts);
  void begin(const Inspection& inspection, Prompts prompts);
  Task<StopReason> writing(const Generation& generation);
  Task<StopReason> together(const Generation& generation);
  std::vector<DecodeSpan> spans() const;

  RequestId id_;
  Lanes lanes_;
  Clock::time_point submitted_;
  Clock::time_point started_ = Clock::now();
  std::optional<Clock::time_point> first_piece_;
  std::optional<Answer> answer_;
  std::optional<Guard> guard_;
  std::optional<Begun> begun_;
  Record record_;
  /// Of several models together.
  std::unique_ptr<Mixer> mixer_;
  std::optional<ByteMixing> byte_mixing_;
  std::unique_ptr<Likeliest> likeliest_;
  SequenceLane* inspected_ = nullptr;
  std::vector<Candidate> candidates_;
  std::vector<Score> scores_;
  Clock::time_point deadline_;
  bool anticipates_ = false;
  bool streams_ = true;
  bool parked_ = false;
  std::optional<StopReason> stopped_;
  std::size_t reported_ = 0;
  // Last: the coroutine refers to everything above and is destroyed first.
  std::optional<Task<StopReason>> task_;
};

}  // namespace nudging
