#include "lanes/model_context.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "basics/failure.h"
#include "backend/device.h"
#include "backend/log.h"

namespace nudging {

namespace {

bool is_set(void* flag) { return static_cast<const std::atomic<bool>*>(flag)->load(std::memory_order_relaxed); }

}  // namespace

ModelContext::ModelContext(std::shared_ptr<const Model> model, const ContextOptions& options, ggml_threadpool* threadpool,
                           const std::atomic<bool>& stopping)
    : model_(std::move(model)),
      batch_size_(batch_size(options)),
      shares_(shares_cells(model_->handle(), options)),
      team_(options.readers),
      readers_(team_.members(), LogitReader(*model_)) {
  check_context_length(options.length, model_->trained_context(), model_->path());
  llama_context_params parameters = context_parameters(model_->handle(), options);
  parameters.abort_callback = is_set;
  parameters.abort_callback_data = const_cast<std::atomic<bool>*>(&stopping);

  take_log();
  context_.reset(llama_init_from_model(model_->handle(), parameters));
  if (!context_) {
    throw Failure(FailureKind::out_of_memory, "no room for a context of " + std::to_string(options.length) + " tokens for \"" +
                                                  model_->path() + "\": lower `context` (" + take_log() + ")");
  }
  if (threadpool != nullptr) llama_attach_threadpool(context_.get(), threadpool, threadpool);

  tokens_.resize(batch_size_);
  positions_.resize(batch_size_);
  sequence_counts_.resize(batch_size_);
  sequence_pointers_.resize(batch_size_);
  outputs_.resize(batch_size_);
}

void ModelContext::clear(llama_seq_id sequence) { llama_memory_seq_rm(llama_get_memory(context_.get()), sequence, -1, -1); }

/// False if this kind of memory cannot be cut there; it is unchanged then.
bool ModelContext::edit(const MemoryEdit& edit) {
  const llama_memory_t memory = llama_get_memory(context_.get());
  const auto length = static_cast<llama_pos>(edit.length);
  switch (edit.kind) {
    case MemoryEdit::Kind::clear: clear(edit.sequence); return true;
    case MemoryEdit::Kind::cut: return llama_memory_seq_rm(memory, edit.sequence, length, -1);
    case MemoryEdit::Kind::graft:
      llama_memory_seq_cp(memory, edit.from, edit.sequence, static_cast<llama_pos>(edit.kept), length);
      return true;
    case MemoryEdit::Kind::copy:
      clear(edit.sequence);
      llama_memory_seq_cp(memory, edit.from, edit.sequence, 0, length);
      return true;
  }
  return true;
}

PassResult ModelContext::decode(const Pass& pass) {
  const DeviceErrorsThrown errors;
  PassResult result;
  try {
    if (lost_) check_devices();
    for (const MemoryEdit& one : pass.edits) {
      if (!edit(one)) result.uncut.push_back(one.sequence);
    }
    if (result.uncut.empty()) run(pass, result);
  } catch (...) {
    result.failure = std::current_exception();
  }
  return result;
}

int32_t ModelContext::decode_and_wait(const llama_batch& batch) {
  lost_ = true;
  const int32_t status = llama_decode(context_.get(), batch);
  if (status == 0) llama_synchronize(context_.get());
  lost_ = false;
  return status;
}

void ModelContext::run(const Pass& pass, PassResult& result) {
  const std::size_t count = pass.tokens.size();
  std::size_t memberships = count;
  for (const Pass::Entry& entry : pass.tokens) memberships += entry.shared_with.size();
  // Pointers lead into it: it must not move while it grows.
  sequences_.clear();
  sequences_.reserve(memberships);
  for (std::size_t i = 0; i < count; ++i) {
    tokens_[i] = pass.tokens[i].token;
    positions_[i] = static_cast<llama_pos>(pass.tokens[i].position);
    const std::vector<llama_seq_id>& shared_with = pass.tokens[i].shared_with;
    sequence_counts_[i] = static_cast<std::int32_t>(1 + shared_with.size());
    sequence_pointers_[i] = sequences_.data() + sequences_.size();
    sequences_.push_back(pass.tokens[i].sequence);
    sequences_.insert(sequences_.end(), shared_with.begin(), shared_with.end());
    outputs_[i] = pass.tokens[i].wanted == Wanted::nothing ? 0 : 1;
  }
  const llama_batch batch{static_cast<int32_t>(count), tokens_.data(), nullptr, positions_.data(), sequence_counts_.data(),
                          sequence_pointers_.data(),   outputs_.data()};
  result.begin = Clock::now();
  const int32_t status = decode_and_wait(batch);
  result.end = Clock::now();
  if (status != 0) {
    throw Failure(FailureKind::decode_failed, "llama.cpp could not decode a batch of " + std::to_string(count) + " tokens (status " +
                                                  std::to_string(status) + "): " + take_log());
  }
  read(pass, result);
}

void ModelContext::read(const Pass& pass, PassResult& result) {
  struct Row {
    std::span<float> logits;
    Wanted wanted;
  };
  std::vector<Row> rows;
  rows.reserve(pass.readings.size());
  for (std::size_t i = 0; i < pass.tokens.size(); ++i) {
    if (pass.tokens[i].wanted == Wanted::nothing) continue;
    float* data = llama_get_logits_ith(context_.get(), static_cast<int32_t>(i));
    if (data == nullptr) throw Failure(FailureKind::decode_failed, "llama.cpp returned no logits");
    rows.push_back({{data, model_->vocabulary().size()}, pass.tokens[i].wanted});
  }
  result.said.resize(rows.size());
  team_.share(rows.size(), [&](std::size_t row, std::size_t member) {
    result.said[row] = readers_[member].read(rows[row].logits, rows[row].wanted, pass.readings[row]);
  });
}

}  // namespace nudging
