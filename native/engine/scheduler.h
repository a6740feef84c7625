#pragma once

#include <algorithm>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/job.h"
#include "engine/loading.h"
#include "engine/mailbox.h"
#include "engine/options.h"
#include "engine/preparation.h"
#include "lanes/decoder.h"
#include "lanes/loaded_lane.h"
#include "lanes/planned_pass.h"
#include "lanes/remote_decoder.h"
#include "lanes/sequence_lane.h"

namespace nudging {

/// The loop on the engine's thread. A tick: take in what was submitted and cancelled, and what lanes have decoded, let every request that
/// can run do so, give each lane that is free a pass over all requests that ask it, report what was committed.
///
/// Lanes that share their cores decode on this thread, one after the other. Where each has a thread or a device of its own, none waits for
/// another: each takes its next pass as soon as it is free, over whatever requests wait for it then.
class Scheduler {
 public:
  /// Loads the models, reporting progress. Throws Failure.
  Scheduler(const EngineOptions& options, Mailbox& mailbox);

  /// Runs until the engine closes.
  void run();

 private:
  /// Somebody who decodes, and what is under way there.
  struct Worker {
    std::unique_ptr<Decoder> decoder;
    std::optional<PlannedPass> under_way;
  };
  /// A model that decodes. One that is in this process has one worker for all requests. One on another machine has a worker for each
  /// sequence, by its number, because whoever asks there should wait for nobody else.
  struct Seat {
    std::unique_ptr<LoadedLane> lane;
    std::vector<Worker> workers;
    /// The workers again, of a model on another machine.
    std::vector<RemoteDecoder*> remote;
    bool busy() const {
      return std::any_of(workers.begin(), workers.end(), [](const Worker& worker) { return worker.under_way.has_value(); });
    }
    /// Whose affair a sequence is.
    std::size_t worker_of(const SequenceLane& one) const { return lane->remote() ? static_cast<std::size_t>(one.sequence()) : 0; }
  };
  /// A place for one running request: its sequence in each lane, whose caches outlive it.
  struct Slot {
    std::vector<std::unique_ptr<SequenceLane>> lanes;
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
    bool counts() const { return std::holds_alternative<Counting>(request->work); }
    bool ready() const { return !apart || (preparation && preparation->done()); }
  };

  void take_in(Mailbox::Inbox inbox);
  void expire();
  void prepare();
  std::vector<const LoadedLane*> loaded() const;
  /// What was asked to end before it began.
  void leave(Waiting& waiting, StopReason reason);
  void count();
  void admit();
  bool make_room();
  void suspend(Slot& slot);
  void resume(Slot& slot, Slot suspended);
  /// Every request that has begun and not ended.
  std::vector<Job*> jobs() const;
  Slot& best_slot(const Prompts& prompts);
  void decode();
  void start(std::size_t lane, Worker& worker, PlannedPass planned);
  void ask_far_away(std::size_t lane);
  void take_answers(std::span<const RemoteAnswers> answers);
  void rest_far_away();
  std::vector<SequenceLane*> asking(std::size_t lane);
  std::vector<SequenceLane*> ahead(std::size_t lane);
  bool others_work(std::size_t lane) const;
  bool somebody_waits(std::size_t lane) const;
  bool pays_ahead(std::size_t lane, AheadOf what);
  void collect();
  void collect(std::size_t lane, Worker& worker);
  void retire(Slot& slot);
  void forget(std::size_t lane, std::span<const llama_seq_id> sequences);
  void fail(std::size_t lane, const PlannedPass& planned, const std::exception_ptr& failure);
  void report();
  void end(Slot& slot);
  bool idle() const;
  /// When there is something to do even if nothing comes in: now, at the next deadline, or never.
  Clock::time_point next_work() const;
  bool has_room() const;
  bool waits_for_lane(const Slot& slot) const;

  /// Makes events of the questions for other machines.
  class Line final : public RemoteLine {
   public:
    Line(Scheduler& scheduler, std::size_t lane) : scheduler_(scheduler), lane_(lane) {}
    RemoteCall ask(RemoteQuestion question) override;
    void give_up(RemoteCall call) override { scheduler_.events_.push_back(RemoteGivenUp{call}); }

   private:
    Scheduler& scheduler_;
    std::size_t lane_;
  };

  Mailbox& mailbox_;
  std::vector<ThreadpoolHandle> threadpools_;
  std::vector<std::unique_ptr<Line>> lines_;
  RemoteCall calls_ = 0;
  std::vector<Seat> seats_;
  std::vector<Slot> slots_;
  /// Parked requests that have left their places to others, with lanes that have no sequence; those of them that are wanted again wait for
  /// a place.
  std::deque<Slot> suspended_;
  std::deque<Waiting> queue_;
  /// Preparations that nobody waits for any more, until their threads have noticed. Like those in the queue they read the lanes above.
  std::vector<std::unique_ptr<Preparation>> given_up_;
  std::uint64_t admitted_ = 0;
  std::vector<Event> events_;
};

}  // namespace nudging
