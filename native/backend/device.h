#pragma once

#include <string_view>

namespace nudging {

/// Whether NUDGING_CUDA_GRAPHS, whose value this is (or null), asks for CUDA graphs: set to anything but nothing, `0` or `OFF`.
bool wants_cuda_graphs(const char* value);

/// Tells the CUDA backend, where there is one, whether to use graphs and what to do about an error. Once, after llama.cpp's backends are
/// there and before anything is computed.
void prepare_devices();

/// Whether a GPU has failed in this process. CUDA gives such a process nothing more: whatever is asked of the device fails again, and
/// freeing what is on it ends the process.
bool device_failed();

/// While one lives, an error of the GPU in its thread is thrown as Failure(device_failed); without one it ends the process, as llama.cpp
/// wants it. Only for calls through which an exception may pass, and whose results nobody needs after it.
class DeviceErrorsThrown {
 public:
  DeviceErrorsThrown();
  ~DeviceErrorsThrown();
  DeviceErrorsThrown(const DeviceErrorsThrown&) = delete;
  DeviceErrorsThrown& operator=(const DeviceErrorsThrown&) = delete;

 private:
  bool before_;
};

/// What `prepare_devices` has the backend call with CUDA's own words: throws or returns, see `DeviceErrorsThrown`.
void on_device_error(const char* message);

/// Throws Failure(device_failed) in a process whose GPU has failed: nothing can be loaded there.
void check_devices();

}  // namespace nudging
