#include "engine/scheduler.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <new>
#include <system_error>

#include "basics/failure.h"
#include "lanes/local_decoder.h"
#include "lanes/prefix_sharing.h"

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

std::unique_ptr<Finished> never_started(RequestId id, StopReason reason, std::size_t lanes) {
  GenerationStats stats{};
  stats.lanes.resize(lanes);
  return std::make_unique<Finished>(Finished{id, reason, {}, {}, {}, {}, {}, std::move(stats), {}});
}

}  // namespace

Scheduler::Scheduler(const EngineOptions& options, Mailbox& mailbox) : mailbox_(mailbox) {
  LoadedLanes loaded = load_lanes(
      options, mailbox.stopping(), [&mailbox](LoadProgress progress) { mailbox.emit(std::move(progress)); },
      [&mailbox](Warning warning) { mailbox.emit(std::move(warning)); });
  threadpools_ = std::move(loaded.threadpools);
  for (std::size_t i = 0; i < loaded.lanes.size(); ++i) {
    const auto on_done = [&mailbox] { mailbox.wake(); };
    std::unique_ptr<Decoder> decoder;
    if (loaded.lanes[i]->remote()) {
      RemoteLine& line = *lines_.emplace_back(std::make_unique<Line>(*this, i));
      Seat& seat = seats_.emplace_back();
      for (std::size_t s = 0; s < loaded.report.parallel; ++s) {
        auto far = std::make_unique<RemoteDecoder>(loaded.lanes[i]->vocabulary(), line);
        seat.remote.push_back(far.get());
        seat.workers.push_back({std::move(far), std::nullopt});
      }
      seat.lane = std::move(loaded.lanes[i]);
      continue;
    }
    if (loaded.lanes[i]->apart()) {
      decoder = std::make_unique<ThreadDecoder>(std::move(loaded.contexts[i]), on_done);
    } else {
      decoder = std::make_unique<TurnDecoder>(std::move(loaded.contexts[i]));
    }
    if (options.wrap_decoder) decoder = options.wrap_decoder(i, std::move(decoder), on_done);
    Seat& seat = seats_.emplace_back();
    seat.lane = std::move(loaded.lanes[i]);
    seat.workers.push_back({std::move(decoder), std::nullopt});
  }
  slots_.resize(loaded.report.parallel);
  for (std::size_t s = 0; s < slots_.size(); ++s) {
    for (const Seat& seat : seats_) slots_[s].lanes.push_back(std::make_unique<SequenceLane>(*seat.lane, static_cast<llama_seq_id>(s)));
  }
  mailbox_.emit(std::make_unique<Loaded>(std::move(loaded.report)));
}

void Scheduler::run() {
  bool closing = false;
  while (!mailbox_.stopping().load(std::memory_order_relaxed) && !(closing && idle())) {
    Mailbox::Inbox inbox = mailbox_.receive(next_work());
    closing = inbox.closing;
    take_answers(inbox.answered);
    take_in(std::move(inbox));
    collect();
    expire();
    prepare();
    count();
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
  const bool room = has_room();
  for (const Waiting& waiting : queue_) {
    // A preparation that is done wakes the engine.
    if (waiting.ready() && (room || waiting.counts())) return Clock::time_point::min();
    next = std::min(next, deadline_of(*waiting.request, waiting.at));
  }
  for (const Slot& slot : slots_) {
    if (slot.job) next = std::min(next, waits_for_lane(slot) ? slot.job->deadline() : Clock::time_point::min());
  }
  for (const Slot& slot : suspended_) {
    const bool goes_on = slot.job->stopped() || (!slot.job->parked() && room);
    next = std::min(next, goes_on ? Clock::time_point::min() : slot.job->deadline());
  }
  return next;
}

/// Whether a place is free, or somebody who is parked would leave one.
bool Scheduler::has_room() const {
  return std::any_of(slots_.begin(), slots_.end(),
                     [](const Slot& slot) { return !slot.job || (slot.job->parked() && !slot.job->stopped()); });
}

/// True if a request goes on only when a lane wakes the engine, or somebody wants it again.
bool Scheduler::waits_for_lane(const Slot& slot) const {
  if (slot.job->done() || slot.job->stopped()) return false;
  if (slot.job->parked()) return true;
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    const SequenceLane& lane = *slot.lanes[i];
    if (lane.asking() && !lane.asks_ahead() && !seats_[i].workers[seats_[i].worker_of(lane)].under_way) return false;
  }
  return true;
}

std::vector<const LoadedLane*> Scheduler::loaded() const {
  std::vector<const LoadedLane*> lanes;
  for (const Seat& seat : seats_) lanes.push_back(seat.lane.get());
  return lanes;
}

void Scheduler::take_in(Mailbox::Inbox inbox) {
  for (Mailbox::Submitted& submitted : inbox.submitted) {
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
  events_.push_back(never_started(waiting.request->id, reason, seats_.size()));
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
      waiting.preparation = std::make_unique<Preparation>(waiting.request, loaded(), [&mailbox = mailbox_] { mailbox.wake(); });
      ++running;
      ++held;
    } catch (const std::system_error&) {
      // No thread is to be had. It is prepared where it is admitted.
      waiting.apart = false;
    }
  }
}

/// Answers what only asks for numbers of tokens, which needs no place.
void Scheduler::count() {
  std::erase_if(queue_, [&](Waiting& waiting) {
    if (!waiting.counts() || !waiting.ready()) return false;
    try {
      const std::vector<const LoadedLane*> lanes = loaded();
      events_.push_back(nudging::count(
          *waiting.request, waiting.preparation ? waiting.preparation->take() : compile_prompts(*waiting.request, lanes), lanes));
    } catch (...) {
      events_.push_back(failure_event(waiting.request->id));
    }
    return true;
  });
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
    const auto next =
        std::find_if(queue_.begin(), queue_.end(), [](const Waiting& waiting) { return waiting.ready() && !waiting.counts(); });
    if (next == queue_.end() || !make_room()) return;
    const Waiting waiting = std::move(*next);
    queue_.erase(next);
    try {
      Prompts prompts = waiting.preparation ? waiting.preparation->take() : compile_prompts(*waiting.request, loaded());
      Slot& slot = best_slot(prompts);
      slot.since = ++admitted_;
      Job::Lanes lanes;
      for (const auto& lane : slot.lanes) lanes.push_back(lane.get());
      slot.job = std::make_unique<Job>(*waiting.request, std::move(prompts), std::move(lanes), waiting.at);
      if (const auto begun = slot.job->begun()) events_.push_back(*begun);
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
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    left.lanes.push_back(std::exchange(slot.lanes[i], std::make_unique<SequenceLane>(*seats_[i].lane, -1)));
    slot.lanes[i]->trade_caches(*left.lanes[i]);
  }
  suspended_.push_back(std::move(left));
}

/// Says that a slot's lanes will be gone: passes that are under way have nothing to tell them.
void Scheduler::retire(Slot& slot) {
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    for (Worker& worker : seats_[i].workers) {
      if (!worker.under_way) continue;
      for (PlannedPass::Share& share : worker.under_way->shares) {
        if (share.lane == slot.lanes[i].get()) share.lane = nullptr;
      }
    }
  }
}

void Scheduler::resume(Slot& slot, Slot suspended) {
  retire(slot);
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    suspended.lanes[i]->trade_caches(*slot.lanes[i]);
    slot.lanes[i] = std::move(suspended.lanes[i]);
  }
  slot.job = std::move(suspended.job);
  slot.since = suspended.since;
}

/// The free slot whose caches begin most like these prompts, unless more would be cut from them than kept: then what is common is copied
/// from there, and the slot that has been free for longest is taken. Only if one is free.
Scheduler::Slot& Scheduler::best_slot(const Prompts& prompts) {
  std::vector<std::vector<Token>> tokens(seats_.size());
  for (std::size_t i = 0; slots_.size() > 1 && i < seats_.size(); ++i) {
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
    for (std::size_t i = 0; i < seats_.size(); ++i) {
      const LoadedLane& lane = *seats_[i].lane;
      const std::size_t tokens_kept = slot.lanes[i]->kept_of(tokens[i]);
      if (2 * tokens_kept >= slot.lanes[i]->cached() || !lane.can_share())
        kept += static_cast<double>(tokens_kept) * static_cast<double>(lane.model().bytes());
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
    if (!slot.job || slot.job->stopped() || slot.job->parked() || !slot.lanes[lane]->asking() || slot.lanes[lane]->asks_ahead()) continue;
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

/// The lanes that may decode what nobody waits for: those that ask ahead, and the aligned model's of requests that wait for the base.
std::vector<SequenceLane*> Scheduler::ahead(std::size_t lane) {
  std::vector<SequenceLane*> lanes;
  if (!seats_[lane].lane->apart()) return lanes;
  for (Slot& slot : slots_) {
    if (!slot.job || slot.job->stopped() || slot.job->parked()) continue;
    SequenceLane& one = *slot.lanes[lane];
    if (one.asking()) {
      if (one.asks_ahead() && !one.overflows()) lanes.push_back(&one);
    } else if (lane == aligned_lane && slot.job->anticipates() && slot.lanes[base_lane]->asking() && one.can_anticipate()) {
      lanes.push_back(&one);
    }
  }
  const auto asks = [](const SequenceLane* one) { return one->asking(); };
  if (std::any_of(lanes.begin(), lanes.end(), asks) && !pays_ahead(lane, AheadOf::questions)) std::erase_if(lanes, asks);
  if (!std::all_of(lanes.begin(), lanes.end(), asks) && !pays_ahead(lane, AheadOf::answers)) std::erase_if(lanes, std::not_fn(asks));
  return lanes;
}

/// Whether another lane has a pass under way.
bool Scheduler::others_work(std::size_t lane) const {
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    if (i != lane && seats_[i].busy()) return true;
  }
  return false;
}

/// Whether somebody waits for a lane: for the pass that it has under way, or for the next one.
bool Scheduler::somebody_waits(std::size_t lane) const {
  for (const Worker& worker : seats_[lane].workers) {
    if (worker.under_way && worker.under_way->waited()) return true;
  }
  return std::any_of(slots_.begin(), slots_.end(), [lane](const Slot& slot) {
    return slot.job && !slot.job->parked() && slot.lanes[lane]->asking() && !slot.lanes[lane]->asks_ahead();
  });
}

/// Whether a lane's work for nobody in particular is worth what it costs those who wait for others.
bool Scheduler::pays_ahead(std::size_t lane, AheadOf what) {
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    if (i != lane && somebody_waits(i) && !nudging::pays_ahead(seats_[lane].lane->company(), seats_[i].lane->company(), what)) return false;
  }
  return true;
}

/// Gives every lane that is free what there is to decode.
void Scheduler::decode() {
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    Seat& seat = seats_[i];
    if (seat.lane->remote()) {
      ask_far_away(i);
      continue;
    }
    Worker& worker = seat.workers[0];
    if (worker.under_way) continue;
    // Asked for each lane in turn: answers of the one before may have led to questions for it.
    const std::vector<SequenceLane*> waiting = asking(i);
    const std::vector<SequenceLane*> others = ahead(i);
    if (waiting.empty() && others.empty()) continue;
    start(i, worker, plan_pass(*seat.lane, waiting, others));
  }
}

void Scheduler::start(std::size_t lane, Worker& worker, PlannedPass planned) {
  planned.beside = others_work(lane);
  Pass pass = std::exchange(planned.pass, Pass{});
  worker.under_way.emplace(std::move(planned));
  worker.decoder->start(std::move(pass));
  collect(lane, worker);
}

/// Asks another machine whatever is not asked there yet.
void Scheduler::ask_far_away(std::size_t lane) {
  Seat& seat = seats_[lane];
  for (SequenceLane* one : asking(lane)) {
    Worker& worker = seat.workers[seat.worker_of(*one)];
    if (worker.under_way) continue;
    const auto its = std::ranges::find_if(slots_, [&](const Slot& slot) { return slot.lanes[lane].get() == one; });
    PlannedPass planned = plan_pass(*seat.lane, std::span(&one, 1), {});
    planned.pass.request = its->job->id();
    start(lane, worker, std::move(planned));
  }
}

RemoteCall Scheduler::Line::ask(RemoteQuestion question) {
  question.call = ++scheduler_.calls_;
  scheduler_.events_.push_back(RemoteAsked{lane_, std::move(question)});
  return scheduler_.calls_;
}

void Scheduler::take_answers(std::span<const RemoteAnswers> answers) {
  for (const RemoteAnswers& some : answers) {
    for (Seat& seat : seats_) {
      if (std::ranges::any_of(seat.remote, [&](RemoteDecoder* decoder) { return decoder->take(some); })) break;
    }
  }
}

/// Ends the calls of requests that have ended.
void Scheduler::rest_far_away() {
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    Seat& seat = seats_[i];
    if (seat.remote.empty()) continue;
    std::vector<bool> needed(seat.workers.size(), false);
    for (const Slot& slot : slots_) {
      if (slot.job) needed[static_cast<std::size_t>(slot.lanes[i]->sequence())] = true;
    }
    for (std::size_t s = 0; s < seat.workers.size(); ++s) {
      if (needed[s]) continue;
      seat.remote[s]->rest();
      collect(i, seat.workers[s]);
    }
  }
}

void Scheduler::collect() {
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    for (Worker& worker : seats_[i].workers) collect(i, worker);
  }
}

/// Takes in what a lane has decoded, if it is done, and resumes the requests whose questions are answered.
void Scheduler::collect(std::size_t lane, Worker& worker) {
  if (!worker.under_way || !worker.decoder->done()) return;
  PlannedPass planned = *std::exchange(worker.under_way, std::nullopt);
  planned.beside = planned.beside || others_work(lane);
  PassResult result = worker.decoder->collect();
  if (result.failure || !result.uncut.empty()) {
    // Those that ask do so again, or are told. What there was is decoded from its start.
    forget(lane, result.uncut);
    forget(lane, planned.sequences);
    if (result.failure) fail(lane, planned, result.failure);
    return;
  }
  settle(*seats_[lane].lane, planned, result);
  for (const PlannedPass::Share& share : planned.shares) {
    if (share.lane != nullptr && share.lane->asking() && share.lane->knows()) share.lane->resume();
  }
}

void Scheduler::forget(std::size_t lane, std::span<const llama_seq_id> sequences) {
  for (Slot& slot : slots_) {
    if (std::find(sequences.begin(), sequences.end(), slot.lanes[lane]->sequence()) != sequences.end()) slot.lanes[lane]->forget();
  }
}

/// Fails the requests whose questions a pass was to answer.
void Scheduler::fail(std::size_t lane, const PlannedPass& planned, const std::exception_ptr& failure) {
  if (mailbox_.stopping().load(std::memory_order_relaxed)) return;
  for (Slot& slot : slots_) {
    const auto is_its = [&](const PlannedPass::Share& share) {
      return share.asked && share.lane == slot.lanes[lane].get() && share.lane->still_asks(share.stamp);
    };
    if (!slot.job || std::none_of(planned.shares.begin(), planned.shares.end(), is_its)) continue;
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
  for (Slot& slot : suspended_) {
    end(slot);
    if (!slot.job) retire(slot);
  }
  std::erase_if(suspended_, [](const Slot& slot) { return slot.job == nullptr; });
  rest_far_away();
  if (events_.empty()) return;
  mailbox_.emit(std::exchange(events_, {}));
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
