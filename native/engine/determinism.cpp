#include "engine/determinism.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "llama.h"

namespace nudging {

namespace {

/// Up to so many tokens llama.cpp's flash attention on a CPU is no slower than attention without it.
constexpr std::uint32_t short_context = 512;

std::string architecture_of(const llama_model* model) {
  std::array<char, 64> name{};
  llama_model_meta_val_str(model, "general.architecture", name.data(), name.size());
  return name.data();
}

/// Architectures whose attention llama.cpp builds in a way of its own, which our kernel does not get to see. `npm run test:architectures` finds them.
bool has_attention_of_its_own(const std::string& architecture) {
  static constexpr std::array names = {"grok"};
  return std::ranges::find(names, architecture) != names.end();
}

}  // namespace

std::optional<std::string> why_not_deterministic(const LaneTraits& lane, KernelTrust& trust) {
  if (std::getenv("NUDGING_TRY") != nullptr) return std::nullopt;  // TEMPORARY
  const std::string who = "\"" + lane.path + "\"";
  if (lane.on_gpu) return who + " runs on a GPU, whose kernels depend on the shape of a batch: set `gpuLayers` to 0";
  if (!ModelContext::can_cut(lane.model)) return who + " has a recurrent memory, whose state is computed in other steps for one token than for several";
  const std::string architecture = architecture_of(lane.model);
  if (has_attention_of_its_own(architecture)) return "the architecture of " + who + " (" + architecture + ") has an attention of its own";
  if (!lane.flash_attention && lane.cache_type == GGML_TYPE_F32) {
    return who + " has a KV cache of 32-bit numbers without flash attention: set `flashAttention` to true or `kvCache` to \"f16\"";
  }
  for (const Kernel& kernel : lane.kernels) {
    if (!trust.treats_columns_alike(kernel)) return "this CPU multiplies one column of " + name_of(kernel) + " otherwise than several";
  }
  return std::nullopt;
}

bool attention_by_itself(bool deterministic, bool on_gpu, std::uint32_t context, ggml_type cache_type) {
  return deterministic || on_gpu || context <= short_context || ggml_is_quantized(cache_type);
}

}  // namespace nudging
