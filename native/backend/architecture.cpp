#include "backend/architecture.h"

#include <array>

namespace nudging {

std::string architecture_of(const llama_model* model) {
  std::array<char, 64> name{};
  llama_model_meta_val_str(model, "general.architecture", name.data(), name.size());
  return name.data();
}

}  // namespace nudging
