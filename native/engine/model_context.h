#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/model.h"
#include "engine/pass.h"

namespace nudging {

/// One model with its llama.cpp context: the KV cache of all sequences, and decoding. Belongs to one thread at a time, its decoder's.
class ModelContext {
 public:
  struct Options {
    /// Tokens per sequence: prompt and output together.
    std::uint32_t length = 0;
    std::uint32_t sequences = 1;
    /// Most tokens in one decode call.
    std::uint32_t batch = 512;
    std::int32_t threads = 1;
    /// Of the KV cache. One that is quantised needs flash attention, and heads that are multiples of a block (32); `MemoryMeter` finds out.
    ggml_type cache_type = GGML_TYPE_F16;
    /// Nothing: llama.cpp finds out whether the devices can.
    std::optional<bool> flash_attention;
    /// The same bits for a token whatever is decoded beside it. Only what `why_not_deterministic` has nothing against.
    bool deterministic = false;
  };
  /// Throws Failure(context_too_large) if `length` is more than the model at `path` was trained for.
  static void check_length(std::uint32_t length, std::uint32_t trained, const std::string& path);
  /// What llama.cpp is asked for.
  static llama_context_params parameters(const llama_model* model, const Options& options);
  /// False for recurrent memories, which hold no past to go back to.
  static bool can_cut(const llama_model* model);

  /// Throws Failure: context_too_large, out_of_memory. `threadpool` may be null. `stopping` makes a running decode give up (on a CPU).
  ModelContext(std::shared_ptr<const Model> model, const Options& options, ggml_threadpool* threadpool, const std::atomic<bool>& stopping);

  const llama_context* handle() const { return context_.get(); }
  /// Most tokens of one pass.
  std::size_t batch() const { return batch_size_; }
  /// True if sequences can have tokens in common.
  bool can_share() const { return shares_; }

  /// Decodes a pass, whose entries must not be more than `batch()`. Throws nothing: failures are part of the result.
  PassResult decode(const Pass& pass);

 private:
  bool edit(const MemoryEdit& edit);
  void clear(llama_seq_id sequence);
  void run(const Pass& pass, PassResult& result);
  PassResult::Said read(std::size_t output, const Pass::Entry& entry, const Draw& draw) const;

  std::shared_ptr<const Model> model_;
  ContextHandle context_;
  std::size_t batch_size_;
  bool shares_;
  std::vector<Token> tokens_;
  std::vector<llama_pos> positions_;
  std::vector<int32_t> sequence_counts_;
  std::vector<llama_seq_id> sequences_;
  std::vector<llama_seq_id*> sequence_pointers_;
  std::vector<int8_t> outputs_;
};

}  // namespace nudging
