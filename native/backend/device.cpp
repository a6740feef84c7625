#include "backend/device.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <utility>

#include "backend/log.h"
#include "basics/failure.h"
#include "ggml-backend.h"

namespace nudging {

namespace {

std::atomic<bool> failed = false;
thread_local bool thrown = false;

constexpr const char* remedy =
    "its process cannot use it again. With `isolate: true` the next request starts another one; without, restart this one";

/// A function of the CUDA backend by its name; null in an addon without it.
template <typename Function>
Function cuda_function(const char* name) {
  ggml_backend_reg_t cuda = ggml_backend_reg_by_name("CUDA");
  return cuda == nullptr ? nullptr : reinterpret_cast<Function>(ggml_backend_reg_get_proc_address(cuda, name));
}

}  // namespace

bool wants_cuda_graphs(const char* value) {
  const std::string_view wanted = value == nullptr ? "" : value;
  return !wanted.empty() && wanted != "0" && wanted != "OFF";
}

void prepare_devices() {
  if (const auto set_graphs = cuda_function<void (*)(bool)>("ggml_backend_cuda_set_graphs"))
    set_graphs(wants_cuda_graphs(std::getenv("NUDGING_CUDA_GRAPHS")));
  if (const auto set_handler = cuda_function<void (*)(void (*)(const char*))>("ggml_backend_cuda_set_error_handler"))
    set_handler(on_device_error);
}

bool device_failed() { return failed.load(std::memory_order_relaxed); }

DeviceErrorsThrown::DeviceErrorsThrown() : before_(std::exchange(thrown, true)) {}

DeviceErrorsThrown::~DeviceErrorsThrown() { thrown = before_; }

void on_device_error(const char* message) {
  failed.store(true, std::memory_order_relaxed);
  // What fails while an exception is on its way is a destructor's, and must not throw.
  if (!thrown || std::uncaught_exceptions() > 0) {
    std::fprintf(stderr, "CUDA error: %s\n", message);
    return;
  }
  take_log();
  throw Failure(FailureKind::device_failed, "the GPU failed (" + std::string(message) + "): " + remedy);
}

void check_devices() {
  if (device_failed()) throw Failure(FailureKind::device_failed, std::string("the GPU failed earlier: ") + remedy);
}

}  // namespace nudging
