#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ggml-backend.h"

namespace nudging {

/// ggml's kinds of CPU memory that hold weights in an order of their own, for kernels of their own: such as "AMX" and "CPU_REPACK". The
/// first one that takes a weight gets it; what none takes is in plain memory. Does not change while the process lives.
const std::vector<ggml_backend_buffer_type_t>& extra_cpu_buffers();

/// The same by name.
std::vector<std::string> extra_cpu_buffer_names();

/// Which of them a load may use, by ggml's names. Ordered, so that it can be part of a key.
using CpuBuffers = std::set<std::string>;

/// All of this machine's.
CpuBuffers all_cpu_buffers();

/// While it lives, llama.cpp puts the weights of models that this thread opens into no other extra buffers than these.
class CpuBufferScope {
 public:
  explicit CpuBufferScope(const CpuBuffers& allowed);
  ~CpuBufferScope();
  CpuBufferScope(const CpuBufferScope&) = delete;
  CpuBufferScope& operator=(const CpuBufferScope&) = delete;

 private:
  const CpuBuffers& allowed_;
};

}  // namespace nudging
