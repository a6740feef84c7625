#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "engine/event.h"
#include "engine/options.h"
#include "trust/kernel_trust.h"
#include "lanes/loaded_lane.h"
#include "lanes/model_context.h"

namespace nudging {

/// The models with their contexts, ready to decode.
struct LoadedLanes {
  // Before the contexts, which use them. One for models that take turns, one each for those that decode at the same time.
  std::vector<ThreadpoolHandle> threadpools;
  /// In the order of the options, as are the contexts, which are null for models on other machines.
  std::vector<std::unique_ptr<LoadedLane>> lanes;
  std::vector<std::unique_ptr<ModelContext>> contexts;
  /// What to tell: what was loaded, and the numbers that were chosen.
  Loaded report;
};

/// Plans the memory of all models together, then loads them (or shares them with other engines of the process) and makes their contexts.
/// Throws Failure; what was loaded until then is freed.
///
/// `stopping` gives up while weights are read, and later makes a running decode give up.
LoadedLanes load_lanes(const EngineOptions& options, const std::atomic<bool>& stopping,
                       const std::function<void(LoadProgress)>& on_progress, const std::function<void(Warning)>& on_warning,
                       KernelTrust& trust = KernelTrust::instance());

}  // namespace nudging
