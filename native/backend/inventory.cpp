#include "backend/inventory.h"

#include "ggml-backend.h"

namespace nudging {

namespace {

const char* kind_of(ggml_backend_dev_t device) {
  switch (ggml_backend_dev_type(device)) {
    case GGML_BACKEND_DEVICE_TYPE_CPU: return "cpu";
    case GGML_BACKEND_DEVICE_TYPE_GPU: return "gpu";
    case GGML_BACKEND_DEVICE_TYPE_IGPU: return "igpu";
    default: return "accelerator";
  }
}

}  // namespace

std::vector<DeviceInfo> devices() {
  std::vector<DeviceInfo> all;
  for (std::size_t i = 0; i < ggml_backend_dev_count(); ++i) {
    const ggml_backend_dev_t device = ggml_backend_dev_get(i);
    std::size_t free = 0;
    std::size_t total = 0;
    ggml_backend_dev_memory(device, &free, &total);
    all.push_back({ggml_backend_dev_name(device), ggml_backend_dev_description(device), kind_of(device), free, total});
  }
  return all;
}

std::vector<std::pair<std::string, std::string>> backend_features() {
  std::vector<std::pair<std::string, std::string>> all;
  for (std::size_t i = 0; i < ggml_backend_reg_count(); ++i) {
    const auto list = reinterpret_cast<ggml_backend_get_features_t>(
        ggml_backend_reg_get_proc_address(ggml_backend_reg_get(i), "ggml_backend_get_features"));
    if (list == nullptr) continue;
    for (const ggml_backend_feature* feature = list(ggml_backend_reg_get(i)); feature->name != nullptr; ++feature) {
      all.emplace_back(feature->name, feature->value);
    }
  }
  return all;
}

}  // namespace nudging
