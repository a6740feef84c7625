#pragma once

#include <array>
#include <cstdint>

#include "engine/model_context.h"
#include "engine/request.h"

namespace nudging {

/// The longest contexts, at most what each model was trained with, whose KV caches and compute buffers fit beside the weights. What a context costs is
/// measured on two short ones. If both do not fit at full length, both get the same share of theirs.
///
/// `fixed` says which lanes have a given length (0: to be found). `host_memory` is what this process may still allocate, in bytes; a GPU is asked itself.
/// Throws Failure(out_of_memory) if not even `smallest_context` tokens fit.
std::array<std::uint32_t, lane_count> fit_contexts(const std::array<std::shared_ptr<const Model>, lane_count>& models, const std::array<std::uint32_t, lane_count>& fixed,
                                                   const ModelContext::Options& options, std::uint64_t host_memory);

constexpr std::uint32_t smallest_context = 256;

}  // namespace nudging
