#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "basics/stopwatch.h"
#include "engine/event.h"
#include "engine/request.h"
#include "lanes/remote_question.h"

namespace nudging {

/// What the engine's thread and everybody else have to tell each other: requests in, events out. Thread-safe.
class Mailbox {
 public:
  struct Submitted {
    Request request;
    Clock::time_point at;
  };
  struct Inbox {
    std::deque<Submitted> submitted;
    std::vector<RequestId> cancelled;
    std::vector<std::pair<RequestId, bool>> parked;
    std::vector<RemoteAnswers> answered;
    bool closing = false;
    /// Something else is new: a preparation is done, or the engine closes.
    bool woken = false;
  };

  /// `notify` is called on the thread that emits, whenever events wait to be drained.
  explicit Mailbox(std::function<void()> notify) : notify_(std::move(notify)) {}

  // From any thread; `Engine` says what each means.

  void submit(Request request);
  void cancel(RequestId id);
  void park(RequestId id, bool parked);
  void answer(RemoteAnswers answers);
  void close(bool abandon);
  std::vector<Event> drain();
  /// Ends a `receive`.
  void wake();

  // On the engine's thread.

  /// What has come in. Waits for it, at most until `until`.
  Inbox receive(Clock::time_point until);
  void emit(std::vector<Event> events);
  void emit(Event event);
  /// Whether everything is to be given up, a running decode as well.
  const std::atomic<bool>& stopping() const { return stopping_; }

 private:
  std::function<void()> notify_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  Inbox inbox_;                // guarded by mutex_
  std::vector<Event> outbox_;  // guarded by mutex_
};

}  // namespace nudging
