#include "trust/determinism.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "backend/architecture.h"

namespace nudging {

namespace {

/// Up to so many tokens llama.cpp's flash attention on a CPU is no slower than attention without it.
constexpr std::uint32_t short_context = 512;

struct OwnWay {
  std::string_view architecture;
  std::string_view reason;
};

/// Architectures that llama.cpp computes in other steps for one token than for several, whatever kernels there are. `npm run
/// test:architectures` finds them. A recurrent memory is no reason by itself: on a CPU its state is carried on a token at a time, however
/// many there are.
constexpr std::array own_ways = {
    OwnWay{"deepseek4", "compresses its memory in other steps for one token than for several"},
    OwnWay{"minimax-01", "has a linear attention with other sums for one token than for several"},
    // These two end the process in some batches of several sequences (an assertion of ggml's), so nothing is known of them.
    OwnWay{"kimi-linear", "has not been shown to compute a token alike in every batch"},
    OwnWay{"plamo2", "has not been shown to compute a token alike in every batch"},
    // No model of these is among those that the check has.
    OwnWay{"rwkv6", "has not been shown to compute a token alike in every batch"},
    OwnWay{"rwkv6qwen2", "has not been shown to compute a token alike in every batch"},
    OwnWay{"rwkv7", "has not been shown to compute a token alike in every batch"},
    OwnWay{"arwkv7", "has not been shown to compute a token alike in every batch"},
};
/// With flash attention only; without it, MiniMax-M3 attends to all cells.
constexpr OwnWay chosen_blocks = {"minimax-m3",
                                  "attends to chosen blocks, in other steps for one token than for several: set `flashAttention` to false"};

std::optional<std::string> own_way(const std::string& architecture, bool flash_attention) {
  if (flash_attention && architecture == chosen_blocks.architecture) return std::string(chosen_blocks.reason);
  const auto* const found = std::ranges::find(own_ways, architecture, &OwnWay::architecture);
  if (found == own_ways.end()) return std::nullopt;
  return std::string(found->reason);
}

}  // namespace

std::optional<std::string> why_not_deterministic(const LaneTraits& lane, KernelTrust& trust) {
  const std::string who = "\"" + lane.path + "\"";
  if (lane.on_gpu) return who + " runs on a GPU, whose kernels depend on the shape of a batch: set `gpuLayers` to 0";
  const std::string architecture = architecture_of(lane.model);
  if (const auto way = own_way(architecture, lane.flash_attention)) return who + " (" + architecture + ") " + *way;
  if (!lane.flash_attention && lane.cache_type == GGML_TYPE_F32) {
    return who + " has a KV cache of 32-bit numbers without flash attention: set `flashAttention` to true or `kvCache` to \"f16\"";
  }
  for (const Kernel& kernel : lane.kernels) {
    if (!trust.treats_columns_alike(kernel)) return "this CPU multiplies one column of " + name_of(kernel) + " otherwise than several";
  }
  return std::nullopt;
}

bool can_have_flash_attention(const llama_model* model) { return architecture_of(model) != "grok"; }

bool attention_by_itself(bool deterministic, bool on_gpu, std::uint32_t context, ggml_type cache_type) {
  return deterministic || on_gpu || context <= short_context || ggml_is_quantized(cache_type);
}

}  // namespace nudging
