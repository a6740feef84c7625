#include "backend/cpu_buffers.h"

#include "ggml-cpu.h"

namespace nudging {

namespace {

bool is_allowed(ggml_backend_buffer_type_t type, void* allowed) {
  return static_cast<const CpuBuffers*>(allowed)->contains(ggml_backend_buft_name(type));
}

}  // namespace

const std::vector<ggml_backend_buffer_type_t>& extra_cpu_buffers() {
  static const std::vector<ggml_backend_buffer_type_t> all = [] {
    std::vector<ggml_backend_buffer_type_t> types;
    const ggml_backend_reg_t cpu = ggml_backend_cpu_reg();
    void* address = ggml_backend_reg_get_proc_address(cpu, "ggml_backend_dev_get_extra_bufts");
    const auto list = reinterpret_cast<ggml_backend_dev_get_extra_bufts_t>(address);
    if (list == nullptr) return types;
    // Not what a scope on this thread leaves of them.
    ggml_backend_cpu_set_extra_buft_filter(nullptr, nullptr);
    ggml_backend_buffer_type_t* each = list(ggml_backend_reg_dev_get(cpu, 0));
    for (; each != nullptr && *each != nullptr; ++each) types.push_back(*each);
    return types;
  }();
  return all;
}

std::vector<std::string> extra_cpu_buffer_names() {
  std::vector<std::string> names;
  for (const ggml_backend_buffer_type_t type : extra_cpu_buffers()) names.emplace_back(ggml_backend_buft_name(type));
  return names;
}

CpuBuffers all_cpu_buffers() {
  const std::vector<std::string> names = extra_cpu_buffer_names();
  return {names.begin(), names.end()};
}

CpuBufferScope::CpuBufferScope(const CpuBuffers& allowed) : allowed_(allowed) {
  // First, because it may have to look at all of them.
  extra_cpu_buffers();
  ggml_backend_cpu_set_extra_buft_filter(is_allowed, const_cast<CpuBuffers*>(&allowed_));
}

CpuBufferScope::~CpuBufferScope() { ggml_backend_cpu_set_extra_buft_filter(nullptr, nullptr); }

}  // namespace nudging
