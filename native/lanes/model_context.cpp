#include "lanes/model_context.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "basics/failure.h"
#include "backend/device.h"
#include "backend/log.h"
#include "src/llama-ext.h"

namespace nudging {

namespace {

/// Whether an answer takes more than the likeliest tokens.
bool needs_logits(const Pass::Entry& entry, const Pass::Reading& reading) {
  return entry.wanted == Wanted::distribution || reading.changes || !reading.draw.sampling.greedy() || reading.measures.entropy;
}

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
  MadeContext made = make_context(model_->handle(), parameters, options);
  context_ = std::move(made.handle);
  device_top1_ = made.device_top1;
  if (has_dummies(model_->handle(), options)) dummies_for_ = options.sequences;
  if (device_top1_) padding_ = {dummies_for_, batch_size_};
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
  logits_wanted_.resize(batch_size_);
}

void ModelContext::use_device_top1(bool used) {
  const DeviceErrorsThrown errors;
  device_top1_ = llama_set_top(context_.get(), used) && used;
  if (!device_top1_) llama_set_logits_wanted(context_.get(), nullptr);
  padding_ = device_top1_ ? Padding{dummies_for_, batch_size_} : Padding{};
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
  std::size_t reading = 0;
  std::size_t memberships = count;
  for (const Pass::Entry& entry : pass.tokens) memberships += entry.shared_with.size();
  // Pointers lead into it: it must not move while it grows.
  sequences_.clear();
  sequences_.reserve(memberships + batch_size_);
  for (std::size_t i = 0; i < count; ++i) {
    tokens_[i] = pass.tokens[i].token;
    positions_[i] = static_cast<llama_pos>(pass.tokens[i].position);
    const std::vector<llama_seq_id>& shared_with = pass.tokens[i].shared_with;
    sequence_counts_[i] = static_cast<std::int32_t>(1 + shared_with.size());
    sequence_pointers_[i] = sequences_.data() + sequences_.size();
    sequences_.push_back(pass.tokens[i].sequence);
    sequences_.insert(sequences_.end(), shared_with.begin(), shared_with.end());
    outputs_[i] = pass.tokens[i].wanted == Wanted::nothing ? 0 : 1;
    logits_wanted_[i] = outputs_[i] != 0 && (!device_top1_ || needs_logits(pass.tokens[i], pass.readings[reading])) ? 1 : 0;
    reading += static_cast<std::size_t>(outputs_[i]);
  }
  if (device_top1_) llama_set_logits_wanted(context_.get(), logits_wanted_.data());
  const std::size_t padded = pad(pass);
  const llama_batch batch{static_cast<int32_t>(padded), tokens_.data(), nullptr, positions_.data(), sequence_counts_.data(),
                          sequence_pointers_.data(),    outputs_.data()};
  result.begin = Clock::now();
  const int32_t status = decode_and_wait(batch);
  result.end = Clock::now();
  for (std::size_t i = count; i < padded; ++i) clear(*sequence_pointers_[i]);
  if (status != 0) {
    throw Failure(FailureKind::decode_failed, "llama.cpp could not decode a batch of " + std::to_string(count) + " tokens (status " +
                                                  std::to_string(status) + "): " + take_log());
  }
  read(pass, result);
}

std::size_t ModelContext::pad(const Pass& pass) {
  const std::size_t count = pass.tokens.size();
  if (padding_.sequences == 0) return count;
  std::vector<bool> used(padding_.sequences, false);
  for (const Pass::Entry& entry : pass.tokens) used[static_cast<std::size_t>(entry.sequence)] = true;
  const auto sequences = static_cast<std::size_t>(std::count(used.begin(), used.end(), true));
  const std::size_t padded = padding_.padded(count, sequences);
  // Each sequence of dummies has one; what remains is the last one's.
  const std::size_t dummies = padding_.dummies(sequences);
  for (std::size_t i = count; i < padded; ++i) {
    const std::size_t place = i - count;
    tokens_[i] = 0;
    sequence_counts_[i] = 1;
    sequence_pointers_[i] = sequences_.data() + sequences_.size();
    sequences_.push_back(static_cast<llama_seq_id>(padding_.sequences + std::min(place, dummies - 1)));
    positions_[i] = static_cast<llama_pos>(place < dummies ? 0 : place - dummies + 1);
    logits_wanted_[i] = 0;
  }
  // All are outputs, or their number would make another shape.
  if (padded > count) std::fill_n(outputs_.begin(), padded, int8_t{1});
  return padded;
}

void ModelContext::read(const Pass& pass, PassResult& result) {
  struct Row {
    std::span<float> logits;
    Wanted wanted;
    std::size_t reading;
  };
  std::vector<Row> rows;
  rows.reserve(pass.readings.size());
  result.said.resize(pass.readings.size());
  std::size_t reading = 0;
  for (std::size_t i = 0; i < pass.tokens.size(); ++i) {
    if (pass.tokens[i].wanted == Wanted::nothing) continue;
    const std::size_t here = reading++;
    if (logits_wanted_[i] == 0) {
      llama_top top{};
      if (!llama_get_top_ith(context_.get(), static_cast<int32_t>(i), &top))
        throw Failure(FailureKind::decode_failed, "llama.cpp returned no likeliest token");
      result.said[here] = readers_[0].read(top, pass.readings[here]);
      continue;
    }
    float* data = llama_get_logits_ith(context_.get(), static_cast<int32_t>(i));
    if (data == nullptr) throw Failure(FailureKind::decode_failed, "llama.cpp returned no logits");
    rows.push_back({{data, model_->vocabulary().size()}, pass.tokens[i].wanted, here});
  }
  team_.share(rows.size(), [&](std::size_t row, std::size_t member) {
    const auto& [logits, wanted, its_reading] = rows[row];
    result.said[its_reading] = readers_[member].read(logits, wanted, pass.readings[its_reading]);
  });
}

}  // namespace nudging
