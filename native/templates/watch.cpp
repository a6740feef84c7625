#include "templates/watch.h"

#include <stdexcept>

#include "text/give_up.h"

namespace nudging::template_limits {

namespace {

/// The smallest stack of a thread that we meet is 512 KiB (macOS).
constexpr std::uintptr_t most_stack = 192 * 1024;
/// Ten thousand messages, a megabyte of them, take some 30 MiB.
constexpr std::size_t most_memory = 256 * 1024 * 1024;
/// Macros put out again what the macros that they call have put out, so this is more than a prompt may have.
constexpr std::size_t most_output = 64 * 1024 * 1024;

thread_local Watch* watch = nullptr;

std::uintptr_t stack_address() {
#if defined(__GNUC__)
  return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
#else
  const volatile char here = 0;
  return reinterpret_cast<std::uintptr_t>(&here);
#endif
}

}  // namespace

Watch::Watch() : time_(std::chrono::steady_clock::now()), stack_(stack_address()) { watch = this; }
Watch::~Watch() { watch = nullptr; }
Watch* Watch::current() { return watch; }

void Watch::fail(const char* reason) {
  passed_ = true;
  throw std::runtime_error(reason);
}

void Watch::check() {
  // Passed on as it is; nobody will read it.
  const std::atomic<bool>* given_up = GiveUpScope::current();
  if (given_up != nullptr && given_up->load(std::memory_order_relaxed)) fail("nobody waits for it");
  if (std::chrono::steady_clock::now() - time_ > most_time) fail("it takes longer than 5 seconds");
  const std::uintptr_t here = stack_address();
  if ((here < stack_ ? stack_ - here : here - stack_) > most_stack) fail("its macros call each other too deep");
}

void Watch::take(std::size_t bytes) {
  if (bytes > most_memory - memory_) fail("its values take more than 256 MiB");
  memory_ += bytes;
}

void Watch::put_out(std::size_t bytes) {
  if (bytes > most_output - output_) fail("its statements put out more than 64 MiB");
  output_ += bytes;
}

}  // namespace nudging::template_limits
