#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "backend/llama_handles.h"
#include "llama.h"

namespace nudging {

/// What a model's context is to be like.
struct ContextOptions {
  /// Tokens per sequence: prompt and output together.
  std::uint32_t length = 0;
  std::uint32_t sequences = 1;
  /// Most tokens in one decode call.
  std::uint32_t batch = 512;
  std::int32_t threads = 1;
  /// Threads that read what the model says from its logits, the one that decodes among them.
  std::size_t readers = 1;
  /// Of the KV cache. One that is quantised needs flash attention, and heads that are multiples of a block (32); `MemoryMeter` finds out.
  ggml_type cache_type = GGML_TYPE_F16;
  /// Nothing: llama.cpp finds out whether the devices can.
  std::optional<bool> flash_attention;
  /// The same bits for a token whatever is decoded beside it. Only what `why_not_deterministic` has nothing against.
  bool deterministic = false;
  /// Where the output layer is, the likeliest token is found as well, if the device can.
  bool device_top1 = false;
  /// Room for dummies that fill up passes (lanes/padding.h): tokens and sequences of their own. Only where sequences share a buffer, and as
  /// far as llama.cpp's sequences reach.
  bool padded = false;
};

/// Whether a context made like this has room for dummies: as many sequences again. Without top-1 on the device nothing is filled up.
bool has_dummies(const llama_model* model, const ContextOptions& options);

/// What llama.cpp is asked for.
llama_context_params context_parameters(const llama_model* model, const ContextOptions& options);

struct MadeContext {
  /// Null if llama.cpp could not, and its log says why.
  ContextHandle handle;
  /// The likeliest tokens are found where the output layer is.
  bool device_top1 = false;
};

MadeContext make_context(llama_model* model, const llama_context_params& parameters, const ContextOptions& options);

/// Most tokens in one decode call of such a context.
std::size_t batch_size(const ContextOptions& options);

/// Throws Failure(context_too_large) if `length` is more than the model at `path` was trained for.
void check_context_length(std::uint32_t length, std::uint32_t trained, const std::string& path);

/// False for recurrent memories, which hold no past to go back to.
bool can_cut_cells(const llama_model* model);

/// Whether one buffer for all sequences is safe: in a shared one, a sequence may take cells that another one's sliding window has left and
/// a rewind would need. And without flash attention sums are taken in the order of cells, which is that of the text only in a buffer of its
/// own.
bool shares_cells(const llama_model* model, const ContextOptions& options);

}  // namespace nudging
