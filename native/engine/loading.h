#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>

#include "engine/event.h"
#include "engine/options.h"
#include "lanes/model_context.h"
#include "trust/kernel_trust.h"

namespace nudging {

/// Both models with their contexts, ready to decode.
struct LoadedPair {
  // Before the contexts, which use them. One for models that take turns, one each for those that decode at the same time.
  std::array<ThreadpoolHandle, lane_count> threadpools;
  std::array<std::unique_ptr<ModelContext>, lane_count> contexts;
  /// Whether they are to decode at the same time.
  bool overlap = false;
  /// What to tell: what was loaded, and the numbers that were chosen.
  Loaded report;
};

/// Plans the memory of both models together, then loads them (or shares them with other engines of the process) and makes their contexts. Throws Failure; what
/// was loaded until then is freed.
///
/// `stopping` gives up while weights are read, and later makes a running decode give up.
LoadedPair load_pair(const EngineOptions& options, const std::atomic<bool>& stopping, const std::function<void(LoadProgress)>& on_progress,
                     const std::function<void(Warning)>& on_warning, KernelTrust& trust = KernelTrust::instance());

}  // namespace nudging
