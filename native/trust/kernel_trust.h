#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "backend/cpu_buffers.h"
#include "trust/kernel_check.h"

namespace nudging {

/// Which kernels of this process have given a known answer. Each is asked once. Thread-safe: every engine loads on its own thread.
class KernelTrust {
 public:
  explicit KernelTrust(Multiply multiply = nudging::multiply, Multiply invariantly = multiply_batch_invariantly)
      : multiply_(std::move(multiply)), invariantly_(std::move(invariantly)) {}
  /// The process's.
  static KernelTrust& instance();

  /// Takes some milliseconds for a kernel that was not asked for yet.
  bool is_right(const Kernel& kernel);
  /// Whether deterministic contexts can use it.
  bool treats_columns_alike(const Kernel& kernel);

 private:
  Multiply multiply_;
  Multiply invariantly_;
  std::mutex mutex_;
  std::map<Kernel, bool> answers_;  // guarded by mutex_
  std::map<Kernel, bool> alike_;    // guarded by mutex_
};

/// Those of the wanted buffers whose kernels multiply rightly whatever models bring. `kernels_with` says which kernels are used when only
/// the given buffers may be: weights that one does not get go into the next. `warn` is called for each buffer that is left out.
CpuBuffers trusted_buffers(CpuBuffers wanted, KernelTrust& trust, const std::function<std::vector<Kernel>(const CpuBuffers&)>& kernels_with,
                           const std::function<void(const std::string&)>& warn);

}  // namespace nudging
