#include "engine/model_context.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>

#include "engine/failure.h"
#include "engine/log.h"
#include "engine/sequence_lane.h"
#include "engine/stopwatch.h"
#include "engine/top1.h"

namespace nudging {

namespace {

bool is_set(void* flag) { return static_cast<const std::atomic<bool>*>(flag)->load(std::memory_order_relaxed); }

}  // namespace

ModelContext::ModelContext(std::shared_ptr<const Model> model, const Options& options, ggml_threadpool* threadpool, const std::atomic<bool>& stopping)
    : model_(std::move(model)), length_(options.length), batch_size_(std::min<std::size_t>(options.batch, std::size_t{options.length} * options.sequences)) {
  if (options.length > model_->trained_context()) {
    throw Failure(FailureKind::context_too_large, "a context of " + std::to_string(options.length) + " tokens is more than the " +
                                                      std::to_string(model_->trained_context()) + " that \"" + model_->path() + "\" was trained for: lower `context`");
  }
  llama_context_params parameters = llama_context_default_params();
  parameters.n_ctx = options.length * options.sequences;
  parameters.n_seq_max = options.sequences;
  parameters.n_batch = static_cast<std::uint32_t>(batch_size_);
  parameters.n_ubatch = std::min(parameters.n_ubatch, parameters.n_batch);
  parameters.n_threads = options.threads;
  parameters.n_threads_batch = options.threads;
  // A sliding-window cache that keeps only its window cannot be cut back to a shorter context.
  parameters.swa_full = true;
  parameters.no_perf = true;
  parameters.abort_callback = is_set;
  parameters.abort_callback_data = const_cast<std::atomic<bool>*>(&stopping);

  take_log();
  context_.reset(llama_init_from_model(model_->handle(), parameters));
  if (!context_) {
    throw Failure(FailureKind::out_of_memory, "no room for a context of " + std::to_string(options.length) + " tokens for \"" + model_->path() +
                                                  "\": lower `context` (" + take_log() + ")");
  }
  if (threadpool != nullptr) llama_attach_threadpool(context_.get(), threadpool, threadpool);

  tokens_.resize(batch_size_);
  positions_.resize(batch_size_);
  sequence_counts_.assign(batch_size_, 1);
  sequences_.resize(batch_size_);
  outputs_.resize(batch_size_);
  for (llama_seq_id& sequence : sequences_) sequence_pointers_.push_back(&sequence);
}

void ModelContext::clear(llama_seq_id sequence) { llama_memory_seq_rm(llama_get_memory(context_.get()), sequence, -1, -1); }

bool ModelContext::cut(llama_seq_id sequence, std::size_t length) {
  return llama_memory_seq_rm(llama_get_memory(context_.get()), sequence, static_cast<llama_pos>(length), -1);
}

void ModelContext::decode(std::span<SequenceLane* const> lanes) {
  struct Share {
    SequenceLane* lane;
    std::size_t count;
    std::size_t guessed;
    /// Place in the batch of the token that completes the context.
    std::size_t last;
  };
  std::vector<Share> shares;
  std::size_t used = 0;
  for (std::size_t i = 0; i < lanes.size() && used < batch_size_; ++i) {
    SequenceLane& lane = *lanes[i];
    lane.prepare();
    const std::size_t fair = std::max<std::size_t>(1, (batch_size_ - used) / (lanes.size() - i));
    const std::size_t count = std::min(lane.missing(), fair);
    const bool complete = count == lane.missing();
    const std::span<const Token> guesses = complete && count <= Costs::most_tokens ? lane.guesses(fair - count) : std::span<const Token>();
    for (std::size_t k = 0; k < count + guesses.size(); ++k) {
      tokens_[used + k] = k < count ? lane.tokens()[lane.cached() + k] : guesses[k - count];
      positions_[used + k] = static_cast<llama_pos>(lane.cached() + k);
      sequences_[used + k] = lane.sequence();
      // Only the token that completes the context is asked about, and the guesses behind it.
      outputs_[used + k] = complete && k + 1 >= count ? 1 : 0;
    }
    shares.push_back({&lane, count, guesses.size(), used + count - 1});
    used += count + guesses.size();
  }

  double elapsed_ms = 0;
  int32_t status = 0;
  {
    const Stopwatch watch(elapsed_ms);
    const llama_batch batch{static_cast<int32_t>(used), tokens_.data(), nullptr, positions_.data(), sequence_counts_.data(), sequence_pointers_.data(), outputs_.data()};
    status = llama_decode(context_.get(), batch);
    if (status == 0) llama_synchronize(context_.get());
  }
  if (status != 0) {
    for (const Share& share : shares) share.lane->forget();
    throw Failure(FailureKind::decode_failed, "llama.cpp could not decode a batch of " + std::to_string(used) + " tokens (status " + std::to_string(status) + "): " + take_log());
  }

  costs_.note(used, elapsed_ms);

  for (const Share& share : shares) {
    SequenceLane& lane = *share.lane;
    lane.decoded(share.count, share.guessed);
    lane.stats().decode_ms += elapsed_ms * static_cast<double>(share.count + share.guessed) / static_cast<double>(used);
    if (lane.missing() > 0) continue;
    const Stopwatch watch(lane.stats().top1_ms);
    for (std::size_t k = 0; k <= share.guessed; ++k) lane.resolve(lane.tokens().size() + k, read(share.last + k, lane.draw(lane.tokens().size() + k)));
  }
}

/// What the model says at one output of the last batch.
Top1 ModelContext::read(std::size_t output, const Draw& draw) const {
  const float* logits = llama_get_logits_ith(context_.get(), static_cast<int32_t>(output));
  if (logits == nullptr) throw Failure(FailureKind::decode_failed, "llama.cpp returned no logits");
  Top1 top1 = most_likely({logits, vocabulary().size()});
  if (std::isnan(top1.probability)) {
    throw Failure(FailureKind::decode_failed, "\"" + model_->path() + "\" produced logits that are not numbers: the file is damaged or its quantisation overflows");
  }
  if (!draw.sampling.greedy()) sample({logits, vocabulary().size()}, draw, top1);
  top1.ends = vocabulary().ends(top1.token);
  top1.bytes = vocabulary().bytes(top1.token);
  return top1;
}

}  // namespace nudging
