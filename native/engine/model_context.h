#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/costs.h"
#include "engine/model.h"
#include "engine/sampling.h"

namespace nudging {

class SequenceLane;

/// One model with its llama.cpp context: the KV cache of all sequences, and decoding. Owned and used by the scheduler's
/// thread alone.
class ModelContext {
 public:
  struct Options {
    /// Tokens per sequence: prompt and output together.
    std::uint32_t length = 0;
    std::uint32_t sequences = 1;
    /// Most tokens in one decode call.
    std::uint32_t batch = 512;
    std::int32_t threads = 1;
  };

  /// Throws Failure: context_too_large, out_of_memory. `threadpool` may be null. `stopping` makes a running decode give up (on a CPU).
  ModelContext(std::shared_ptr<const Model> model, const Options& options, ggml_threadpool* threadpool, const std::atomic<bool>& stopping);

  const llama_context* handle() const { return context_.get(); }
  const Model& model() const { return *model_; }
  const Vocabulary& vocabulary() const { return model_->vocabulary(); }
  /// What decoding costs, as measured so far.
  const Costs& costs() const { return costs_; }
  /// Tokens that a sequence can hold.
  std::size_t length() const { return length_; }

  /// Empties a sequence.
  void clear(llama_seq_id sequence);
  /// Keeps the first `length` tokens of a sequence. False if this kind of memory cannot be cut there; it is unchanged then.
  bool cut(llama_seq_id sequence, std::size_t length);

  /// Decodes one batch for the lanes that ask: as much of each one's missing tokens as fits, first come, first served, no lane
  /// more than its share while others wait. Answers the questions of lanes that have all their tokens, and what they guessed to follow.
  /// Throws Failure(decode_failed); every lane's cache is empty then.
  void decode(std::span<SequenceLane* const> lanes);

 private:
  Top1 read(std::size_t output, const Draw& draw) const;

  std::shared_ptr<const Model> model_;
  ContextHandle context_;
  std::size_t length_;
  std::size_t batch_size_;
  Costs costs_;
  std::vector<Token> tokens_;
  std::vector<llama_pos> positions_;
  std::vector<int32_t> sequence_counts_;
  std::vector<llama_seq_id> sequences_;
  std::vector<llama_seq_id*> sequence_pointers_;
  std::vector<int8_t> outputs_;
};

}  // namespace nudging
