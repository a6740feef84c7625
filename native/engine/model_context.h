#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/costs.h"
#include "engine/model.h"
#include "engine/sampling.h"
#include "nudge/record.h"

namespace nudging {

class SequenceLane;

/// One model with its llama.cpp context: the KV cache of all sequences, and decoding. Owned by the scheduler, and used by one thread at a time: the
/// scheduler's, or for the length of a tick the one that decodes beside it.
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
    /// How far other company moves what it says.
    Tolerance tolerance = {};
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
  const Model& model() const { return *model_; }
  const Vocabulary& vocabulary() const { return model_->vocabulary(); }
  /// What decoding costs, as measured so far.
  const Costs& costs() const { return costs_; }
  /// The questions of the last decode that had any.
  const Batch& last_batch() const { return last_batch_; }
  /// Tokens that a sequence can hold.
  std::size_t length() const { return length_; }

  /// How far other company moves what it says.
  Tolerance tolerance() const { return tolerance_; }

  bool can_cut() const { return can_cut(model_->handle()); }
  /// True if sequences can have tokens in common.
  bool can_share() const { return shares_; }

  /// Empties a sequence.
  void clear(llama_seq_id sequence);
  /// Keeps the first `length` tokens of a sequence. False if this kind of memory cannot be cut there; it is unchanged then.
  bool cut(llama_seq_id sequence, std::size_t length);

  /// Replaces a sequence by the first `length` tokens of another one, whose cells they share from then on. Only if `can_share`.
  void copy(llama_seq_id from, llama_seq_id to, std::size_t length);

  /// Decodes one batch for the lanes that ask, at most as many as the batch has tokens: whole questions first, then stretches of prompts, the same for each; and of
  /// those only as much as does not hold up the questions. Answers the lanes that have all their tokens, and what they guessed to follow. Throws Failure: decode_failed, and every lane's cache is empty then; device_failed, then and from then on.
  void decode(std::span<SequenceLane* const> lanes);

  /// Decodes one token more for each lane, the one that the model itself says next, before anybody asks. Only lanes that `can_anticipate`.
  /// Throws as `decode`.
  void anticipate(std::span<SequenceLane* const> lanes);

 private:
  /// What one lane puts into a batch.
  struct Share {
    SequenceLane* lane;
    std::size_t count;
    std::size_t guessed;
    /// Places in the batch of the token that completes the context, and of the first guess.
    std::size_t last;
    std::size_t guessed_at;
  };

  /// Takes `count` missing tokens of a lane into the batch.
  Share take(SequenceLane& lane, std::size_t count, std::size_t used);
  void put(std::size_t place, const SequenceLane& lane, Token token, std::size_t position, bool asked);
  /// Decodes the first `used` tokens of the batch.
  void run(std::span<const Share> shares, std::size_t used);
  /// llama.cpp's status. Throws Failure(device_failed).
  int32_t decode_and_wait(const llama_batch& batch);
  Top1 read(std::size_t output, const Draw& draw) const;

  std::shared_ptr<const Model> model_;
  ContextHandle context_;
  /// A decode was left by an exception: nothing more may be asked of the context.
  bool lost_ = false;
  std::size_t length_;
  std::size_t batch_size_;
  bool shares_;
  Tolerance tolerance_;
  Costs costs_;
  Batch last_batch_;
  std::vector<Token> tokens_;
  std::vector<llama_pos> positions_;
  std::vector<int32_t> sequence_counts_;
  std::vector<llama_seq_id> sequences_;
  std::vector<llama_seq_id*> sequence_pointers_;
  std::vector<int8_t> outputs_;
};

}  // namespace nudging
