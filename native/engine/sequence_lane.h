#pragma once

#include <algorithm>
#include <coroutine>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/context_keys.h"
#include "engine/costs.h"
#include "engine/model_context.h"
#include "engine/prompt.h"
#include "engine/sampling.h"
#include "engine/stopwatch.h"
#include "engine/text_tokens.h"
#include "nudge/lane.h"

namespace nudging {

/// What a lane has done for one request. Times in milliseconds.
struct LaneStats {
  /// Tokens of the prompt, with an empty output.
  std::uint64_t prompt_tokens = 0;
  /// Tokens decoded, the prompt's included.
  std::uint64_t decoded_tokens = 0;
  /// Tokens of contexts that were found in the KV cache when the prompt was first used.
  std::uint64_t cached_prompt_tokens = 0;
  /// Decode calls that this request took part in.
  std::uint64_t decodes = 0;
  /// Questions answered, and how many of them without a decode.
  std::uint64_t questions = 0;
  std::uint64_t remembered = 0;
  /// Guessed tokens decoded ahead, and how many of them came true.
  std::uint64_t guessed = 0;
  std::uint64_t guesses_right = 0;
  /// Times the KV cache was cut back, and the tokens cut.
  std::uint64_t rewinds = 0;
  std::uint64_t rewound_tokens = 0;
  /// Times the memory could not be cut and the context was decoded again from its start.
  std::uint64_t recomputations = 0;
  /// Tokens decoded before anybody asked, while the other model was busy.
  std::uint64_t anticipated = 0;
  double decode_ms = 0;
  double top1_ms = 0;
  double tokenize_ms = 0;
};

/// One decode call that a lane took part in.
struct Span {
  Clock::time_point begin;
  Clock::time_point end;
  /// Tokens in its batch, of all requests.
  std::size_t tokens;
};

/// One sequence of one model's context, as one request sees it. Text is the truth and the KV cache follows it: every context
/// is tokenised afresh, the longest common prefix with the cache is kept, and only the difference is decoded (R2).
///
/// Every position's answer is remembered with it. A context that is a prefix of what was decoded before is answered without a
/// decode, and nothing is cut until another token follows there (Freedom b). Used by whichever thread uses its ModelContext.
class SequenceLane final : public Lane {
 public:
  SequenceLane(ModelContext& context, llama_seq_id sequence) : context_(context), sequence_(sequence) {}

  /// Starts a request. The cache of the last one stays, and its common prefix will be used. `guesser` is the lane that makes the guesses.
  void begin(Prompt prompt, Speculation speculation, const SequenceLane* guesser, const Sampling& sampling);
  /// Starts a request that does not use this lane.
  void stand_by() { start_counting(); }
  /// Starts a request that uses nothing of what was there before: no cache, and every text is tokenised whole.
  void begin_from_nothing(Prompt prompt, const Sampling& sampling);
  /// Empties the cache.
  void forget();

  void set_text(std::string_view text) override;
  void push(Token token) override { wanted_.push_back(token); }
  void expect(const Guess& guess) override;
  std::size_t guesses_wanted() override;
  bool trusts(float probability) const override;
  std::size_t room() override { return context_.length() - std::min(context_.length(), wanted_.size()); }

  /// Keeps the spans of this request's decode calls from now on.
  void trace() { traced_ = true; }
  const std::vector<Span>& spans() const { return spans_; }

  /// The tokens of the context as it is now.
  const std::vector<Token>& tokens() const { return wanted_; }
  LaneStats& stats() { return stats_; }
  const ModelContext& context() const { return context_; }
  /// What the model said at the end of the context. Only after it was asked.
  Top1 last_answer() const { return *answers_[wanted_.size() - 1]; }

  // For the scheduler.

  /// True while a question waits for a decode.
  bool asking() const { return asker_ != nullptr; }
  /// True if the context has more tokens than the KV cache has cells for this sequence.
  bool overflows() const { return wanted_.size() > context_.length(); }
  /// Makes the cache a prefix of the context; what is missing then is decoded from `cached()` on.
  void prepare();
  std::size_t missing() const { return wanted_.size() - std::min(cached_.size(), wanted_.size()); }
  std::size_t cached() const { return cached_.size(); }
  llama_seq_id sequence() const { return sequence_; }
  /// True until something was decoded for the present request, if it may use what others have decoded.
  bool shares() const { return !from_nothing_ && stats_.decodes == 0 && context_.can_share(); }
  /// How many of `tokens` the cache begins with.
  std::size_t kept_of(std::span<const Token> tokens) const;
  /// How many tokens of the context another lane of the same model has in its cache, and how many it has in its own context.
  std::size_t shared_with(const SequenceLane& other) const;
  std::size_t will_share_with(const SequenceLane& other) const;
  /// Gives sequence and cache to another lane of the same model, and takes that one's. A lane without a sequence (-1) has no cache; what it is asked next is decoded from the
  /// start once it has one.
  void trade_caches(SequenceLane& other);
  /// Replaces the cache by the first `length` tokens of another lane's.
  void copy_prefix(const SequenceLane& from, std::size_t length);
  /// Guessed tokens to decode behind the context in a batch that holds `batch` already, if there is room for `room`.
  std::span<const Token> guesses(std::size_t room, Batch batch) const;
  /// Notes that the next `count` missing tokens are in the cache now, and `guessed` guesses behind them.
  void decoded(std::size_t count, std::size_t guessed);
  /// How the token behind the first `length` tokens in the cache is chosen.
  Draw draw(std::size_t length) { return {sampling_, sampling_.greedy() ? 0 : keys_.of(cached_, length)}; }
  /// What the model says after the first `length` tokens in the cache.
  void resolve(std::size_t length, const Top1& top1) { answers_[length - 1] = top1; }
  /// True if the model has said what follows its cache, and there is reason and room to decode that before anybody asks.
  bool can_anticipate() const;
  /// What the model said at the end of the cache. Only if `can_anticipate`.
  Token anticipated() const { return answers_.back()->token; }
  /// Notes that `anticipated()` is in the cache now.
  void anticipate();
  void took_part(const Span& span) {
    if (traced_) spans_.push_back(span);
  }
  /// Resumes the request that asked. The lane may be gone or asking again afterwards.
  void resume();
  /// Forgets who asked: the request is being destroyed.
  void drop_question() { asker_ = nullptr; }

 protected:
  bool answered() override;
  void ask(std::coroutine_handle<> asker) override { asker_ = asker; }
  Top1 answer() override { return last_answer(); }

 private:
  void start_counting();
  const std::vector<Token>& tokens_behind_head(std::string_view text);
  /// How many tokens the cache and the context have in common at their beginning.
  std::size_t reusable();
  void cut(std::size_t length);
  void drop_guess();
  void judge_guess();
  std::size_t worth(std::span<const double> rates, Batch batch) const;
  void count_prompt();

  ModelContext& context_;
  llama_seq_id sequence_;
  std::optional<Prompt> prompt_;
  std::vector<Token> whole_;
  /// The tokens whose keys and values are in the cache, and what the model says after each, where it was asked.
  std::vector<Token> cached_;
  std::vector<std::optional<Top1>> answers_;
  ContextKeys keys_;
  /// What `answers_` were chosen with.
  Sampling sampling_;
  std::vector<Token> wanted_;
  /// `cached_` and `wanted_` are known to begin with so many equal tokens: while a context only grows, none is compared twice.
  std::size_t alike_ = 0;
  std::coroutine_handle<> asker_;
  Speculation speculation_{Speculation::Guesses::none, 0};
  bool from_nothing_ = false;
  bool prompt_counted_ = false;
  const SequenceLane* guesser_ = nullptr;
  /// Tokens that are expected behind the first `guess_at_` tokens of the context, and how many of them were decoded.
  std::vector<Token> guess_;
  /// How sure the aligned model is of each.
  std::vector<float> guess_probabilities_;
  std::size_t guess_at_ = 0;
  std::size_t guess_decoded_ = 0;
  /// How many tokens the guess begins behind the last question that was decoded.
  std::size_t guess_place_ = 0;
  std::size_t anticipated_ = 0;
  Acceptance acceptance_;
  LaneStats stats_;
  bool traced_ = false;
  std::vector<Span> spans_;
};

}  // namespace nudging
