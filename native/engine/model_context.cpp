#include "engine/model_context.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>

#include "engine/device.h"
#include "engine/failure.h"
#include "engine/log.h"
#include "engine/sequence_lane.h"
#include "engine/stopwatch.h"
#include "engine/top1.h"

namespace nudging {

namespace {

/// What a hand-over leaves to decode is seldom longer; what is longer is a prompt.
constexpr std::size_t longest_question = 32;
/// Prompts that join questions may make their decode so many times longer: what those who wait for the questions' answers notice.
constexpr double most_stall = 4;
/// But they always get so many tokens.
constexpr std::size_t least_of_a_prompt = 8;

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
      length_(options.length),
      batch_size_(batch_size(options)),
      shares_(shares_cells(model_->handle(), options)),
      tolerance_(options.tolerance) {
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

bool ModelContext::cut(llama_seq_id sequence, std::size_t length) {
  return llama_memory_seq_rm(llama_get_memory(context_.get()), sequence, static_cast<llama_pos>(length), -1);
}

void ModelContext::copy(llama_seq_id from, llama_seq_id to, std::size_t length) {
  clear(to);
  llama_memory_seq_cp(llama_get_memory(context_.get()), from, to, 0, static_cast<llama_pos>(length));
}

void ModelContext::put(std::size_t place, const SequenceLane& lane, Token token, std::size_t position, bool asked) {
  tokens_[place] = token;
  positions_[place] = static_cast<llama_pos>(position);
  sequences_[place] = lane.sequence();
  outputs_[place] = asked ? 1 : 0;
}

ModelContext::Share ModelContext::take(SequenceLane& lane, std::size_t count, std::size_t used) {
  const bool completes = count == lane.missing();
  for (std::size_t k = 0; k < count; ++k) {
    const std::size_t position = lane.cached() + k;
    // Only the token that completes the context is asked about.
    put(used + k, lane, lane.tokens()[position], position, completes && k + 1 == count);
  }
  return {&lane, count, 0, used + count - 1, 0};
}

void ModelContext::decode(std::span<SequenceLane* const> lanes) {
  const DeviceErrorsThrown errors;
  std::vector<SequenceLane*> questions;
  std::vector<SequenceLane*> prompts;
  for (SequenceLane* lane : lanes) {
    lane->prepare();
    (lane->missing() <= longest_question ? questions : prompts).push_back(lane);
  }

  std::vector<Share> shares;
  std::size_t used = 0;
  Batch batch{0, 0};
  for (std::size_t i = 0; i < questions.size() && used < batch_size_; ++i) {
    // One token is kept for each lane behind this one.
    const std::size_t room = batch_size_ - used - std::min(batch_size_ - used - 1, questions.size() - i - 1);
    shares.push_back(take(*questions[i], std::min(questions[i]->missing(), room), used));
    used += shares.back().count;
    if (shares.back().count == questions[i]->missing()) ++batch.answers;
  }
  if (!questions.empty()) last_batch_ = {used, batch.answers};
  std::size_t room = batch_size_ - used;
  if (used > 0 && !prompts.empty()) room = std::min(room, std::max(costs_.room(used, most_stall), least_of_a_prompt));
  for (std::size_t i = 0; i < prompts.size() && room > 0; ++i) {
    const std::size_t fair = std::max<std::size_t>(1, room / (prompts.size() - i));
    shares.push_back(take(*prompts[i], std::min(prompts[i]->missing(), fair), used));
    used += shares.back().count;
    room -= shares.back().count;
  }
  // Guesses stand behind the tokens that they follow, so they come last; a sequence may appear in more than one place of a batch.
  for (Share& share : shares) {
    if (share.count < share.lane->missing() || share.count > longest_question) continue;
    batch.tokens = used;
    const std::span<const Token> guesses = share.lane->guesses(batch_size_ - used, batch);
    share.guessed_at = used;
    share.guessed = guesses.size();
    for (std::size_t k = 0; k < guesses.size(); ++k) put(used++, *share.lane, guesses[k], share.lane->tokens().size() + k, true);
  }
  run(shares, used);
  for (const Share& share : shares) {
    SequenceLane& lane = *share.lane;
    lane.decoded(share.count, share.guessed);
    if (lane.missing() > 0) continue;
    const Stopwatch watch(lane.stats().top1_ms);
    const auto resolve = [&](std::size_t length, std::size_t place) { lane.resolve(length, read(place, lane.draw(length))); };
    resolve(lane.tokens().size(), share.last);
    for (std::size_t k = 0; k < share.guessed; ++k) resolve(lane.tokens().size() + k + 1, share.guessed_at + k);
  }
}

void ModelContext::anticipate(std::span<SequenceLane* const> lanes) {
  const DeviceErrorsThrown errors;
  std::vector<Share> shares;
  for (SequenceLane* lane : lanes.first(std::min(lanes.size(), batch_size_))) {
    put(shares.size(), *lane, lane->anticipated(), lane->cached(), true);
    shares.push_back({lane, 1, 0, shares.size(), 0});
  }
  run(shares, shares.size());
  for (const Share& share : shares) {
    share.lane->anticipate();
    const Stopwatch watch(share.lane->stats().top1_ms);
    share.lane->resolve(share.lane->cached(), read(share.last, share.lane->draw(share.lane->cached())));
  }
}

int32_t ModelContext::decode_and_wait(const llama_batch& batch) {
  if (lost_) check_devices();
  lost_ = true;
  const int32_t status = llama_decode(context_.get(), batch);
  if (status == 0) llama_synchronize(context_.get());
  lost_ = false;
  return status;
}

void ModelContext::run(std::span<const Share> shares, std::size_t used) {
  const llama_batch batch{static_cast<int32_t>(used), tokens_.data(), nullptr, positions_.data(), sequence_counts_.data(), sequence_pointers_.data(), outputs_.data()};
  const Clock::time_point begin = Clock::now();
  const int32_t status = decode_and_wait(batch);
  const Clock::time_point end = Clock::now();
  const double elapsed_ms = milliseconds(end - begin);
  if (status != 0) {
    for (const Share& share : shares) share.lane->forget();
    throw Failure(FailureKind::decode_failed, "llama.cpp could not decode a batch of " + std::to_string(used) + " tokens (status " + std::to_string(status) + "): " + take_log());
  }
  costs_.note(used, elapsed_ms);
  for (const Share& share : shares) {
    share.lane->stats().decode_ms += elapsed_ms * static_cast<double>(share.count + share.guessed) / static_cast<double>(used);
    share.lane->took_part({begin, end, used});
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
