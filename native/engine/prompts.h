#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/event.h"
#include "engine/request.h"
#include "lanes/loaded_lane.h"
#include "text/prompt.h"

namespace nudging {

/// A request's prompts as tokens and text, by lane; nothing for those that it does not use.
using Prompts = std::vector<std::optional<Prompt>>;

/// Renders and compiles the prompts of a request. Throws Failure.
Prompts compile_prompts(const Request& request, std::span<const LoadedLane* const> lanes);

/// The answer to a `Counting`, whose prompts these are.
Counted count(const Request& request, const Prompts& prompts, std::span<const LoadedLane* const> lanes);

}  // namespace nudging
