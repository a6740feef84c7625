#include "engine/model_context.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>

#include "engine/failure.h"
#include "engine/log.h"
#include "engine/top1.h"

namespace nudging {

namespace {

std::size_t batch_size(const ModelContext::Options& options) { return std::min<std::size_t>(options.batch, std::size_t{options.length} * options.sequences); }

bool is_set(void* flag) { return static_cast<const std::atomic<bool>*>(flag)->load(std::memory_order_relaxed); }

}  // namespace

bool ModelContext::can_cut(const llama_model* model) { return !llama_model_is_recurrent(model) && !llama_model_is_hybrid(model); }

namespace {

/// MiniMax-M3 finds its blocks by their places in a buffer of each sequence's own; in a shared one llama.cpp attends to everything, which it was not trained for.
bool finds_blocks_by_place(const llama_model* model) { return architecture_of(model) == "minimax-m3"; }

/// Whether one buffer for all sequences is safe: in a shared one, a sequence may take cells that another one's sliding window has left and a rewind would need.
/// And without flash attention sums are taken in the order of cells, which is that of the text only in a buffer of its own.
bool shares_cells(const llama_model* model, const ModelContext::Options& options) {
  return ModelContext::can_cut(model) && llama_model_n_swa(model) == 0 && !finds_blocks_by_place(model) && !(options.deterministic && options.flash_attention == false);
}

}  // namespace

llama_context_params ModelContext::parameters(const llama_model* model, const Options& options) {
  llama_context_params parameters = llama_context_default_params();
  parameters.n_ctx = options.length * options.sequences;
  parameters.n_seq_max = options.sequences;
  // With a buffer for each, llama.cpp cuts a batch into one forward pass for every stretch of neighbouring sequences with equally many tokens, and sequences that nudge
  // are hardly ever in step.
  parameters.kv_unified = shares_cells(model, options);
  parameters.n_batch = static_cast<std::uint32_t>(batch_size(options));
  parameters.n_ubatch = std::min(parameters.n_ubatch, parameters.n_batch);
  parameters.n_threads = options.threads;
  parameters.n_threads_batch = options.threads;
  parameters.type_k = options.cache_type;
  parameters.type_v = options.cache_type;
  parameters.batch_invariant = options.deterministic;
  if (options.flash_attention) parameters.flash_attn_type = *options.flash_attention ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
  // A GPU that helps with big batches would round otherwise than the CPU does with small ones.
  if (options.deterministic) parameters.op_offload = false;
  // A sliding-window cache that keeps only its window cannot be cut back to a shorter context.
  parameters.swa_full = true;
  parameters.no_perf = true;
  return parameters;
}

void ModelContext::check_length(std::uint32_t length, std::uint32_t trained, const std::string& path) {
  if (length <= trained) return;
  throw Failure(FailureKind::context_too_large, "a context of " + std::to_string(length) + " tokens is more than the " + std::to_string(trained) + " that \"" + path +
                                                    "\" was trained for: lower `context`");
}

ModelContext::ModelContext(std::shared_ptr<const Model> model, const Options& options, ggml_threadpool* threadpool, const std::atomic<bool>& stopping)
    : model_(std::move(model)),
      batch_size_(batch_size(options)),
      shares_(shares_cells(model_->handle(), options)) {
  check_length(options.length, model_->trained_context(), model_->path());
  llama_context_params parameters = ModelContext::parameters(model_->handle(), options);
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

/// False if this kind of memory cannot be cut there; it is unchanged then.
bool ModelContext::edit(const MemoryEdit& edit) {
  const llama_memory_t memory = llama_get_memory(context_.get());
  const auto length = static_cast<llama_pos>(edit.length);
  switch (edit.kind) {
    case MemoryEdit::Kind::clear: clear(edit.sequence); return true;
    case MemoryEdit::Kind::cut: return llama_memory_seq_rm(memory, edit.sequence, length, -1);
    case MemoryEdit::Kind::copy:
      clear(edit.sequence);
      llama_memory_seq_cp(memory, edit.from, edit.sequence, 0, length);
      return true;
  }
  return true;
}

PassResult ModelContext::decode(const Pass& pass) {
  PassResult result;
  try {
    for (const MemoryEdit& one : pass.edits) {
      if (!edit(one)) result.uncut.push_back(one.sequence);
    }
    if (result.uncut.empty()) run(pass, result);
  } catch (...) {
    result.failure = std::current_exception();
  }
  return result;
}

void ModelContext::run(const Pass& pass, PassResult& result) {
  const std::size_t count = pass.tokens.size();
  for (std::size_t i = 0; i < count; ++i) {
    tokens_[i] = pass.tokens[i].token;
    positions_[i] = static_cast<llama_pos>(pass.tokens[i].position);
    sequences_[i] = pass.tokens[i].sequence;
    outputs_[i] = pass.tokens[i].wanted == Wanted::nothing ? 0 : 1;
  }
  const llama_batch batch{static_cast<int32_t>(count), tokens_.data(), nullptr, positions_.data(), sequence_counts_.data(), sequence_pointers_.data(), outputs_.data()};
  result.begin = Clock::now();
  const int32_t status = llama_decode(context_.get(), batch);
  if (status == 0) llama_synchronize(context_.get());
  result.end = Clock::now();
  if (status != 0) {
    throw Failure(FailureKind::decode_failed, "llama.cpp could not decode a batch of " + std::to_string(count) + " tokens (status " + std::to_string(status) + "): " + take_log());
  }
  result.said.reserve(pass.draws.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (outputs_[i] != 0) result.said.push_back(read(i, pass.tokens[i], pass.draws[result.said.size()]));
  }
}

/// What the model says at one output of the last batch.
PassResult::Said ModelContext::read(std::size_t output, const Pass::Entry& entry, const Draw& draw) const {
  const Clock::time_point begin = Clock::now();
  const Vocabulary& vocabulary = model_->vocabulary();
  const float* data = llama_get_logits_ith(context_.get(), static_cast<int32_t>(output));
  if (data == nullptr) throw Failure(FailureKind::decode_failed, "llama.cpp returned no logits");
  const std::span<const float> logits(data, vocabulary.size());
  PassResult::Said said;
  Top1& top1 = said.top1 = most_likely(logits);
  if (std::isnan(top1.probability)) {
    throw Failure(FailureKind::decode_failed, "\"" + model_->path() + "\" produced logits that are not numbers: the file is damaged or its quantisation overflows");
  }
  if (!draw.sampling.greedy()) sample(logits, draw, top1);
  top1.ends = vocabulary.ends(top1.token);
  top1.bytes = vocabulary.bytes(top1.token);
  if (entry.wanted == Wanted::distribution) said.logits.assign(logits.begin(), logits.end());
  said.ms = milliseconds(Clock::now() - begin);
  return said;
}

}  // namespace nudging
