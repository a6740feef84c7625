#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace nudging {

/// A processor or GPU that this binary can compute on.
struct DeviceInfo {
  /// ggml's name, such as "CUDA0".
  std::string name;
  std::string description;
  /// "cpu", "gpu", "igpu" (shares the host's memory) or "accelerator".
  std::string kind;
  /// Bytes of its memory; of a CPU, the machine's.
  std::uint64_t free = 0;
  std::uint64_t total = 0;
};

/// All of them, in ggml's order. Asking a GPU's backend for the first time may take a second.
std::vector<DeviceInfo> devices();

/// What the backends were compiled for and with, such as {"AVX2", "1"}: names and values are ggml's.
std::vector<std::pair<std::string, std::string>> backend_features();

}  // namespace nudging
