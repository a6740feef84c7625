#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "backend/cpu_buffers.h"
#include "engine/event.h"
#include "engine/options.h"
#include "models/context_options.h"
#include "models/memory_plan.h"
#include "models/model.h"
#include "models/placement.h"
#include "nudge/tolerance.h"
#include "trust/kernel_trust.h"

namespace nudging {

/// Sequences that a plan takes by itself. With the demo pair a pass over four tokens takes 1.5 times as long as over one, over eight 2.6
/// times (docs/cost-model.md): four have most of the gain. Each costs a KV cache, used or not.
inline constexpr std::uint32_t most_automatic_sequences = 4;

/// The longest context that can be asked for (lib/options.ts), in tokens. Some headers promise more.
inline constexpr std::uint32_t most_context = 10'000'000;

/// What is settled of the models before their weights are read. By lane, where it is a list and nothing else is said.
struct LoadingPlan {
  /// Of other machines the first `far`.
  std::vector<ggml_backend_dev_t> gpus;
  std::size_t far = 0;
  std::vector<LanePlacement> placements;
  CpuBuffers cpu_buffers;
  bool deterministic = false;
  /// Why not, where nobody had declined it.
  std::string why_not;
  std::vector<Tolerance> tolerance;
  MemoryPlan memory;
  /// All but how many threads they have.
  std::vector<ContextOptions> contexts;
  /// Whether it is to be tried if the likeliest tokens are found on the GPU: there is room for it that nothing else could have had.
  std::vector<bool> tries_top1;
  /// What is taken if they are not after all; only where something is tried.
  std::vector<MemoryUse> without_top1;
};

/// Plans where models are, with which kernels, and the memory of all of them together. Throws Failure.
LoadingPlan plan_loading(const EngineOptions& options, KernelTrust& trust, const std::function<void(Warning)>& on_warning);

/// How a lane's weights are loaded, with these numbers of a plan's.
Model::Options model_options(const EngineOptions& options, const LoadingPlan& plan, std::size_t lane, const LaneNumbers& numbers);

}  // namespace nudging
