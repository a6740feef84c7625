#include "engine/engine.h"

#include <mutex>
#include <utility>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "backend/device.h"
#include "backend/log.h"
#include "basics/failure.h"
#include "engine/scheduler.h"
#include "kernels/attention.h"
#include "llama.h"

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
    : options_(std::move(options)), mailbox_(std::move(notify)), thread_([this] { main(); }) {}

Engine::~Engine() {
  close(true);
  thread_.join();
}

void Engine::main() {
  try {
    start_backends();
    check_devices();
    Scheduler scheduler(options_, mailbox_);
    scheduler.run();
  } catch (const Failure& failure) {
    mailbox_.emit(LoadFailed{failure.kind(), failure.what(), failure.shortage()});
  } catch (const std::bad_alloc&) {
    mailbox_.emit(LoadFailed{FailureKind::out_of_memory, "out of memory while loading", {}});
  } catch (const std::exception& error) {
    mailbox_.emit(LoadFailed{FailureKind::internal, error.what(), {}});
  }
  trim_heap();
  mailbox_.emit(Closed{});
}

}  // namespace nudging
