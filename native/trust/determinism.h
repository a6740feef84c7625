#pragma once

#include <optional>
#include <string>

#include "llama.h"
#include "trust/kernel_trust.h"

namespace nudging {

/// What must be known of a lane to say whether its passes give the same bits whatever is decoded beside them.
struct LaneTraits {
  std::string path;
  const llama_model* model = nullptr;
  /// Without or with its weights; what it would be multiplied with on the CPU.
  std::vector<Kernel> kernels;
  bool on_gpu = false;
  bool flash_attention = true;
  ggml_type cache_type = GGML_TYPE_F16;
};

/// Why the lane's passes may differ in their last bits from one batch to another; nothing: they do not. A sentence's end, such as "…
/// because it runs on a GPU".
std::optional<std::string> why_not_deterministic(const LaneTraits& lane, KernelTrust& trust);

/// Whether llama.cpp computes this architecture's attention in tiles at all. What it does not, it computes without them whatever is asked.
bool can_have_flash_attention(const llama_model* model);

/// The attention that `auto` stands for. Ours (deterministic) is seldom slower than any other on a CPU. llama.cpp's own flash attention
/// loses half the speed there from some hundred tokens on (docs/determinism.md), but a quantised cache needs it.
bool attention_by_itself(bool deterministic, bool on_gpu, std::uint32_t context, ggml_type cache_type);

}  // namespace nudging
