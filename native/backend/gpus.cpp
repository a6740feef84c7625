#include "backend/gpus.h"

#include <algorithm>
#include <string_view>

namespace nudging {

namespace {

/// What tells one card from another; empty if the backend does not know.
std::string_view id_of(ggml_backend_dev_t device) {
  ggml_backend_dev_props properties{};
  ggml_backend_dev_get_props(device, &properties);
  return properties.device_id == nullptr ? std::string_view() : properties.device_id;
}

}  // namespace

std::vector<ggml_backend_dev_t> usable_gpus() {
  std::vector<ggml_backend_dev_t> gpus;
  std::vector<ggml_backend_dev_t> integrated;
  for (std::size_t i = 0; i < ggml_backend_dev_count(); ++i) {
    const ggml_backend_dev_t device = ggml_backend_dev_get(i);
    const auto type = ggml_backend_dev_type(device);
    if (type == GGML_BACKEND_DEVICE_TYPE_GPU) {
      const std::string_view id = id_of(device);
      const auto is_same = [&](ggml_backend_dev_t other) { return !id.empty() && id_of(other) == id; };
      if (std::ranges::none_of(gpus, is_same)) gpus.push_back(device);
    } else if (type == GGML_BACKEND_DEVICE_TYPE_IGPU) {
      // Two backends would both see the same one.
      if (integrated.empty() || ggml_backend_dev_backend_reg(integrated.back()) == ggml_backend_dev_backend_reg(device))
        integrated.push_back(device);
    }
  }
  return gpus.empty() ? integrated : gpus;
}

std::string names_of(const std::vector<ggml_backend_dev_t>& devices) {
  std::string names;
  for (const ggml_backend_dev_t device : devices) names += (names.empty() ? "" : ", ") + std::string(ggml_backend_dev_name(device));
  return names;
}

bool can_split_rows(ggml_backend_dev_t device) {
  const ggml_backend_reg_t backend = ggml_backend_dev_backend_reg(device);
  return backend != nullptr && ggml_backend_reg_get_proc_address(backend, "ggml_backend_split_buffer_type") != nullptr;
}

bool is_whole_backend(const std::vector<ggml_backend_dev_t>& devices) {
  const ggml_backend_reg_t backend = devices.empty() ? nullptr : ggml_backend_dev_backend_reg(devices.front());
  if (backend == nullptr || ggml_backend_reg_dev_count(backend) != devices.size()) return false;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if (ggml_backend_reg_dev_get(backend, i) != devices[i]) return false;
  }
  return true;
}

}  // namespace nudging
