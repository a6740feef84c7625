#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backend/cpu_buffers.h"
#include "backend/llama_handles.h"
#include "models/context_options.h"
#include "models/memory_plan.h"
#include "models/placement.h"
#include "trust/kernel_check.h"

namespace nudging {

/// Finds out what a model and its context would take, without taking it: llama.cpp lays out weights, caches and compute graphs of a model
/// file whose weights were not read. Exact up to what llama.cpp itself does not count (the logits it hands out, and stacks).
class MemoryMeter {
 public:
  /// Reads the file's header and vocabulary. Throws Failure as `Model` does. `context` says what is the same in every question.
  /// Weights go into no other extra CPU buffers than these; nothing: into all. They are pages of the file only if `mapped`. `gpus` are the
  /// places of a plan behind the host, and `placement` says which of them the model may use and how.
  MemoryMeter(std::string path, ContextOptions context, std::optional<CpuBuffers> cpu_buffers = std::nullopt, bool mapped = true,
              std::vector<ggml_backend_dev_t> gpus = {}, LanePlacement placement = {});

  /// The kernels that the model would be multiplied with if all of it were on the CPU, and those of them that belong to extra CPU buffers.
  const std::vector<Kernel>& kernels() const { return kernels_; }
  std::vector<Kernel> extra_kernels() const;
  /// The model without weights. It lives as long as the meter, and only until the meter is asked about another number of GPU layers.
  const llama_model* skeleton() const { return skeleton_.get(); }
  /// What contexts are laid out like from now on.
  void set_context(const ContextOptions& context);

  std::uint32_t trained_context() const;
  /// All layers and the output layer; 0 without a GPU.
  std::uint32_t most_gpu_layers() const;
  const LanePlacement& placement() const { return placement_; }

  /// What the model takes with these numbers. More than `limit` bytes are only estimated: even laying out a context takes memory.
  /// Throws Failure: kv_cache_unsupported, model_unsupported (a model that needs another one beside it), out_of_memory.
  LaneDemand measure(const LaneNumbers& numbers, std::uint64_t limit);

 private:
  void open(const std::vector<std::uint32_t>& split);
  void check_overrides() const;
  ContextHandle try_context(const LaneNumbers& numbers, ggml_type cache_type) const;
  LaneDemand lay_out(const LaneNumbers& numbers) const;

  std::string path_;
  ContextOptions context_;
  std::optional<CpuBuffers> cpu_buffers_;
  bool mapped_;
  std::vector<ggml_backend_dev_t> gpus_;
  LanePlacement placement_;
  /// Of the skeleton.
  std::vector<std::uint32_t> split_;
  ModelHandle skeleton_;
  std::vector<Kernel> kernels_;
  /// One sequence in the shortest context, and what each cell and sequence add to the caches, in bytes.
  std::optional<LaneDemand> least_;
  double per_cell_ = 0;
  double per_sequence_ = 0;
};

/// The host and the GPUs, with what is free there. `host_memory` is what this process may still allocate, in bytes.
std::vector<MemoryPlace> memory_places(const std::vector<ggml_backend_dev_t>& gpus, std::uint64_t host_memory);

/// The place of a GPU in such a plan; one that does not tell its memory is taken to use the host's.
std::size_t place_of(ggml_backend_dev_t gpu, const std::vector<ggml_backend_dev_t>& gpus);

}  // namespace nudging
