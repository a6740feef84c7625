#pragma once

#include <string>
#include <vector>

#include "ggml-backend.h"

namespace nudging {

/// The GPUs that models may be put on, in ggml's order: each once, however many backends know it, and integrated ones only where there are
/// no others. llama.cpp would take the same by itself.
std::vector<ggml_backend_dev_t> usable_gpus();

/// "CUDA0, CUDA1".
std::string names_of(const std::vector<ggml_backend_dev_t>& devices);

/// Whether the device's backend can split single weights by their rows.
bool can_split_rows(ggml_backend_dev_t device);

/// Whether all devices of its backend, in their order, are these: rows are split over all.
bool is_whole_backend(const std::vector<ggml_backend_dev_t>& devices);

}  // namespace nudging
