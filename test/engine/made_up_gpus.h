#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ggml-backend.h"

namespace nudging {

/// A GPU that is none: it has a name and a memory of its own as far as llama.cpp can tell, and the CPU computes for it.
struct MadeUpGpu {
  std::string name;
  /// Bytes that it claims to have free, however much is taken.
  std::size_t memory;
  /// Whether it can look up rows of weights, as those of embeddings are.
  bool gets_rows = true;
};

/// Devices for `devices` of llama.cpp. They are in no registry and live as long as the process.
std::vector<ggml_backend_dev_t> made_up_gpus(const std::vector<MadeUpGpu>& gpus);

/// From now on it has so many bytes free.
void set_free(ggml_backend_dev_t gpu, std::size_t bytes);

/// Nodes that have been computed for it so far.
std::uint64_t computed_by(ggml_backend_dev_t gpu);

}  // namespace nudging
