#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/context_options.h"
#include "models/model.h"
#include "lanes/logit_reader.h"
#include "lanes/padding.h"
#include "lanes/pass.h"
#include "lanes/team.h"

namespace nudging {

/// One model with its llama.cpp context: the KV cache of all sequences, and decoding. Belongs to one thread at a time, its decoder's.
class ModelContext {
 public:
  /// Throws Failure: context_too_large, out_of_memory. `threadpool` may be null. `stopping` makes a running decode give up (on a CPU).
  ModelContext(std::shared_ptr<const Model> model, const ContextOptions& options, ggml_threadpool* threadpool,
               const std::atomic<bool>& stopping);

  const llama_context* handle() const { return context_.get(); }
  /// Most tokens of one pass.
  std::size_t batch() const { return batch_size_; }
  /// True if sequences can have tokens in common.
  bool can_share() const { return shares_; }
  /// True if the likeliest tokens are found where the output layer is, and only the logits of which more is wanted come to the host.
  bool device_top1() const { return device_top1_; }
  /// How passes are filled up.
  const Padding& padding() const { return padding_; }

  /// Has the likeliest tokens found there, or by the host. Only of a context that was made to have them found there, and could.
  void use_device_top1(bool used);
  /// Forgets a sequence.
  void clear(llama_seq_id sequence);

  /// Decodes a pass, whose entries must not be more than `batch()`. Throws nothing: failures are part of the result.
  PassResult decode(const Pass& pass);

 private:
  bool edit(const MemoryEdit& edit);
  void run(const Pass& pass, PassResult& result);
  /// llama.cpp's status. Throws Failure(device_failed).
  int32_t decode_and_wait(const llama_batch& batch);
  /// Adds dummies to `count` tokens; returns how many there are then.
  std::size_t pad(const Pass& pass);
  void read(const Pass& pass, PassResult& result);

  std::shared_ptr<const Model> model_;
  ContextHandle context_;
  /// A decode was left by an exception: nothing more may be asked of the context.
  bool lost_ = false;
  std::size_t batch_size_;
  bool shares_;
  bool device_top1_ = false;
  /// While the device finds them.
  Padding padding_;
  std::size_t dummies_for_ = 0;
  Team team_;
  /// One for each member of the team.
  std::vector<LogitReader> readers_;
  std::vector<Token> tokens_;
  std::vector<llama_pos> positions_;
  std::vector<int32_t> sequence_counts_;
  std::vector<llama_seq_id> sequences_;
  std::vector<llama_seq_id*> sequence_pointers_;
  std::vector<int8_t> outputs_;
  /// Of which the logits themselves are needed.
  std::vector<int8_t> logits_wanted_;
};

}  // namespace nudging
