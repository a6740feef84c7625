#include "engine/engine.h"

#include <memory>
#include <utility>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "engine/device.h"
#include "engine/log.h"
#include "engine/scheduler.h"
#include "kernels/attention.h"

namespace nudging {

namespace {

void start_backends() {
  static std::once_flag once;
  std::call_once(once, [] {
    capture_log();
    llama_backend_init();
    prepare_devices();
    install_attention();
  });
}

/// Gives back what the models and caches had taken. glibc keeps blocks of many megabytes for a next time that may never come.
void trim_heap() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace

Engine::Engine(EngineOptions options, std::function<void()> notify)
    : options_(std::move(options)), notify_(std::move(notify)), thread_([this] { main(); }) {}

Engine::~Engine() {
  close(true);
  thread_.join();
}

void Engine::submit(Request request) {
  const std::scoped_lock lock(mutex_);
  inbox_.submitted.push_back({std::move(request), Clock::now()});
  changed_.notify_one();
}

void Engine::cancel(RequestId id) {
  const std::scoped_lock lock(mutex_);
  inbox_.cancelled.push_back(id);
  changed_.notify_one();
}

void Engine::park(RequestId id, bool parked) {
  const std::scoped_lock lock(mutex_);
  inbox_.parked.emplace_back(id, parked);
  changed_.notify_one();
}

void Engine::close(bool abandon) {
  if (abandon) stopping_.store(true, std::memory_order_relaxed);
  const std::scoped_lock lock(mutex_);
  inbox_.closing = true;
  inbox_.woken = true;
  changed_.notify_one();
}

void Engine::wake() {
  const std::scoped_lock lock(mutex_);
  inbox_.woken = true;
  changed_.notify_one();
}

std::vector<Event> Engine::drain() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(outbox_, {});
}

Engine::Inbox Engine::receive(Clock::time_point until) {
  std::unique_lock lock(mutex_);
  const auto something = [this] {
    return inbox_.woken || !inbox_.submitted.empty() || !inbox_.cancelled.empty() || !inbox_.parked.empty();
  };
  if (until == Clock::time_point::max()) {
    changed_.wait(lock, something);
  } else if (until > Clock::time_point::min()) {
    changed_.wait_until(lock, until, something);
  }
  // `closing` stays set: it is a state, not a message.
  const bool closing = inbox_.closing;
  Inbox received = std::exchange(inbox_, {});
  inbox_.closing = received.closing = closing;
  return received;
}

void Engine::emit(std::vector<Event> events) {
  if (events.empty()) return;
  {
    const std::scoped_lock lock(mutex_);
    if (outbox_.empty()) {
      outbox_ = std::move(events);
    } else {
      outbox_.insert(outbox_.end(), std::make_move_iterator(events.begin()), std::make_move_iterator(events.end()));
    }
  }
  notify_();
}

void Engine::emit(Event event) {
  std::vector<Event> events;
  events.push_back(std::move(event));
  emit(std::move(events));
}

void Engine::main() {
  try {
    start_backends();
    check_devices();
    Scheduler scheduler(*this);
    scheduler.run();
  } catch (const Failure& failure) {
    emit(LoadFailed{failure.kind(), failure.what(), failure.shortage()});
  } catch (const std::bad_alloc&) {
    emit(LoadFailed{FailureKind::out_of_memory, "out of memory while loading", {}});
  } catch (const std::exception& error) {
    emit(LoadFailed{FailureKind::internal, error.what(), {}});
  }
  trim_heap();
  emit(Closed{});
}

}  // namespace nudging
