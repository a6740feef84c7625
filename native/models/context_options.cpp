#include "models/context_options.h"

#include <algorithm>

#include "backend/architecture.h"
#include "basics/failure.h"
#include "src/llama-ext.h"

namespace nudging {

namespace {

/// Tokens in one pass.
constexpr std::uint32_t most_dummies = 64;

/// MiniMax-M3 finds its blocks by their places in a buffer of each sequence's own; in a shared one llama.cpp attends to everything, which
/// it was not trained for.
bool finds_blocks_by_place(const llama_model* model) { return architecture_of(model) == "minimax-m3"; }

}  // namespace

std::size_t batch_size(const ContextOptions& options) {
  return std::min<std::size_t>(options.batch, std::size_t{options.length} * options.sequences);
}

bool can_cut_cells(const llama_model* model) { return !llama_model_is_recurrent(model) && !llama_model_is_hybrid(model); }

bool shares_cells(const llama_model* model, const ContextOptions& options) {
  return can_cut_cells(model) && llama_model_n_swa(model) == 0 && !finds_blocks_by_place(model) &&
         !(options.deterministic && options.flash_attention == false);
}

bool has_dummies(const llama_model* model, const ContextOptions& options) {
  return options.padded && options.device_top1 && shares_cells(model, options) &&
         std::size_t{2} * options.sequences <= llama_max_parallel_sequences();
}

llama_context_params context_parameters(const llama_model* model, const ContextOptions& options) {
  llama_context_params parameters = llama_context_default_params();
  parameters.n_ctx = options.length * options.sequences;
  parameters.n_seq_max = options.sequences;
  if (has_dummies(model, options)) {
    parameters.n_ctx += most_dummies;
    parameters.n_seq_max *= 2;
  }
  // With a buffer for each, llama.cpp cuts a batch into one forward pass for every stretch of neighbouring sequences with equally many
  // tokens, and sequences that nudge are hardly ever in step.
  parameters.kv_unified = shares_cells(model, options);
  parameters.n_batch = static_cast<std::uint32_t>(batch_size(options));
  parameters.n_ubatch = std::min(parameters.n_ubatch, parameters.n_batch);
  parameters.n_threads = options.threads;
  parameters.n_threads_batch = options.threads;
  parameters.type_k = options.cache_type;
  parameters.type_v = options.cache_type;
  parameters.batch_invariant = options.deterministic;
  if (options.flash_attention)
    parameters.flash_attn_type = *options.flash_attention ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
  // A GPU that helps with big batches would round otherwise than the CPU does with small ones.
  if (options.deterministic) parameters.op_offload = false;
  // A sliding-window cache that keeps only its window cannot be cut back to a shorter context.
  parameters.swa_full = true;
  parameters.no_perf = true;
  return parameters;
}

MadeContext make_context(llama_model* model, const llama_context_params& parameters, const ContextOptions& options) {
  MadeContext made{ContextHandle(llama_init_from_model(model, parameters))};
  if (made.handle && options.device_top1) made.device_top1 = llama_set_top(made.handle.get(), true);
  return made;
}

void check_context_length(std::uint32_t length, std::uint32_t trained, const std::string& path) {
  if (length <= trained) return;
  throw Failure(FailureKind::context_too_large, "a context of " + std::to_string(length) + " tokens is more than the " +
                                                    std::to_string(trained) + " that \"" + path + "\" was trained for: lower `context`");
}

}  // namespace nudging
