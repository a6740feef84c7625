#include "trust/kernel_trust.h"

#include <algorithm>

namespace nudging {

KernelTrust& KernelTrust::instance() {
  static KernelTrust trust;
  return trust;
}

bool KernelTrust::is_right(const Kernel& kernel) {
  // Whoever comes second waits for the first: the answer takes less than asking twice.
  const std::scoped_lock lock(mutex_);
  const auto known = answers_.find(kernel);
  if (known != answers_.end()) return known->second;
  return answers_[kernel] = gives_known_answer(kernel, 1, multiply_);
}

bool KernelTrust::treats_columns_alike(const Kernel& kernel) {
  const std::scoped_lock lock(mutex_);
  const auto known = alike_.find(kernel);
  if (known != alike_.end()) return known->second;
  return alike_[kernel] = nudging::treats_columns_alike(kernel, invariantly_);
}

CpuBuffers trusted_buffers(CpuBuffers wanted, KernelTrust& trust, const std::function<std::vector<Kernel>(const CpuBuffers&)>& kernels_with,
                           const std::function<void(const std::string&)>& warn) {
  while (true) {
    const std::vector<Kernel> kernels = kernels_with(wanted);
    const auto wrong = std::ranges::find_if(kernels, [&](const Kernel& kernel) { return !trust.is_right(kernel); });
    if (wrong == kernels.end()) return wanted;
    const std::string buffer = ggml_backend_buft_name(wrong->buffer);
    warn("the kernel for " + name_of(*wrong) + " multiplies wrongly on this machine: " + buffer +
         " is not used for these models, which costs time");
    // Nothing more to leave out would go round for ever.
    if (wanted.erase(buffer) == 0) return wanted;
  }
}

}  // namespace nudging
