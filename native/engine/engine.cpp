#include "engine/engine.h"

#include <memory>
#include <utility>

#include "engine/log.h"
#include "engine/scheduler.h"

namespace nudging {

namespace {

void start_backends() {
  static std::once_flag once;
  std::call_once(once, [] {
    capture_log();
    llama_backend_init();
  });
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
  inbox_.submitted.emplace_back(std::move(request), std::chrono::steady_clock::now());
  changed_.notify_one();
}

void Engine::cancel(RequestId id) {
  const std::scoped_lock lock(mutex_);
  inbox_.cancelled.push_back(id);
  changed_.notify_one();
}

void Engine::close(bool abandon) {
  if (abandon) stopping_.store(true, std::memory_order_relaxed);
  const std::scoped_lock lock(mutex_);
  inbox_.closing = true;
  changed_.notify_one();
}

std::vector<Event> Engine::drain() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(outbox_, {});
}

Engine::Inbox Engine::receive(bool busy) {
  std::unique_lock lock(mutex_);
  if (!busy) changed_.wait(lock, [this] { return inbox_.closing || !inbox_.submitted.empty() || !inbox_.cancelled.empty(); });
  // `closing` stays set: it is a state, not a message.
  return Inbox{std::exchange(inbox_.submitted, {}), std::exchange(inbox_.cancelled, {}), inbox_.closing};
}

void Engine::emit(std::vector<Event> events) {
  if (events.empty()) return;
  {
    const std::scoped_lock lock(mutex_);
    outbox_.insert(outbox_.end(), std::make_move_iterator(events.begin()), std::make_move_iterator(events.end()));
  }
  notify_();
}

void Engine::main() {
  try {
    start_backends();
    Scheduler scheduler(*this);
    scheduler.run();
  } catch (const Failure& failure) {
    emit({LoadFailed{failure.kind(), failure.what(), failure.shortage()}});
  } catch (const std::bad_alloc&) {
    emit({LoadFailed{FailureKind::out_of_memory, "out of memory while loading", {}}});
  } catch (const std::exception& error) {
    emit({LoadFailed{FailureKind::internal, error.what(), {}}});
  }
  emit({Closed{}});
}

}  // namespace nudging
