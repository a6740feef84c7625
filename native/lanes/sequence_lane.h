#pragma once

#include <algorithm>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "bytes/spelling.h"
#include "choice/context_keys.h"
#include "choice/sampling.h"
#include "lanes/branches.h"
#include "lanes/costs.h"
#include "lanes/lane_stats.h"
#include "lanes/loaded_lane.h"
#include "lanes/logit_changes.h"
#include "lanes/pass.h"
#include "nudge/lane.h"
#include "text/prompt.h"
#include "text/text_tokens.h"

namespace nudging {

/// How a request's tokens are chosen in one lane, and what is to be known of each choice.
struct Choice {
  Sampling sampling;
  LogitChanges changes;
  Measures measures = {};
  bool operator==(const Choice&) const = default;
};

/// One sequence of one model's context, as one request sees it. Text is the truth and the KV cache follows it: every context
/// is tokenised afresh, the longest common prefix with the cache is kept, and only the difference is decoded (R2).
///
/// Every position's answer is remembered with it. A context that is a prefix of what was decoded before is answered without a
/// decode, and nothing is cut until another token follows there (Freedom b).
///
/// The scheduler's thread owns it. What it calls the cache is what its sequence holds once the pass that is under way is done; answers come
/// with `resolve`. So a request may go on while a pass for it is under way, and may end.
class SequenceLane final : public Lane, public Spelling {
 public:
  /// What a pass that is under way remembers of a lane, to find out what of it still concerns the lane when it is done.
  struct Stamp {
    /// Of the cache and how tokens are chosen.
    std::uint64_t cache = 0;
    std::uint64_t request = 0;
    std::uint64_t question = 0;
  };

  SequenceLane(LoadedLane& lane, llama_seq_id sequence) : lane_(lane), sequence_(sequence), branches_(lane) {}

  /// Starts a request. The cache of the last one stays, and its common prefix will be used. `guesser` is the lane that makes the guesses.
  void begin(Prompt prompt, Speculation speculation, const SequenceLane* guesser, Choice choice);
  /// How a model far away may go on by itself; without it, it is asked for every token. After `begin`, and for no model that is here.
  void expect_run(OwnRun run) { run_ = run; }
  /// Starts a request that does not use this lane.
  void stand_by() { start_counting(); }
  /// Starts a request that uses nothing of what was there before: no cache, and every text is tokenised whole.
  void begin_from_nothing(Prompt prompt, Choice choice);

  // For the algorithm.

  void set_text(std::string_view text) override;
  void push(Token token) override { wanted_.push_back(token); }
  void pop(std::size_t tokens) override;
  void expect(const Guess& guess) override;
  std::size_t guesses_wanted() override;
  bool trusts(float probability) const override;
  std::size_t room() override { return lane_.length() - std::min(lane_.length(), wanted_.size()); }
  bool apart() const override { return lane_.apart(); }
  void ask_ahead(bool ahead) override { ahead_ = ahead; }
  void step_aside(std::string_view text) override;
  void step_back() override;
  /// Forgets who asked: the request, or the part of it that asked, is being destroyed.
  void withdraw() override { asker_ = nullptr; }

  // For what asks about bytes.

  const TokenOrder& order() override { return lane_.vocabulary().order(); }
  std::string_view beginning() override { return prompt_->tail; }
  std::size_t settled() override;
  bool prefixes_space() override { return lane_.vocabulary().prefixes_space(); }
  const std::vector<Token>& spell(std::string_view text) override;
  void set_tokens(std::span<const Token> tokens) override;
  void take_along(std::vector<std::vector<Token>> contexts) override;
  std::vector<std::vector<float>> taken_along() override { return branches_.take(); }

  // For the request.

  /// Keeps the spans of this request's decode calls from now on.
  void trace() { traced_ = true; }
  const std::vector<Span>& spans() const { return spans_; }

  /// The tokens of the context as it is now.
  const std::vector<Token>& tokens() const { return wanted_; }
  LaneStats& stats() { return stats_; }
  const AsideStats& aside_stats() const { return aside_stats_; }
  /// Empties the cache.
  void forget();
  const LoadedLane& loaded() const { return lane_; }
  /// The key of the context for noise (R15). Only after it was asked.
  std::uint64_t context_key() { return keys_.of(cached_, wanted_.size()); }
  /// What the model said at the end of the context. Only after it was asked.
  Top1 last_answer() const { return *answers_[wanted_.size() - 1]; }

  // For the scheduler.

  /// True while a question waits for a pass.
  bool asking() const { return asker_ != nullptr; }
  /// True if what asks would only like to know: nobody waits for it yet.
  bool asks_ahead() const { return ahead_; }
  /// True if what is asked is known: a pass that was under way has said it.
  bool knows() { return remembers(wanted_kind_); }
  /// True if the context has more tokens than the KV cache has cells for this sequence.
  bool overflows() const { return wanted_.size() > lane_.length(); }
  /// Makes the cache a prefix of the context; what is missing then is decoded from `cached()` on.
  void prepare();
  std::size_t missing() const { return wanted_.size() - std::min(cached_.size(), wanted_.size()); }
  /// What is asked behind the context.
  Wanted wanted() const { return wanted_kind_; }
  OwnRun run() const { return run_; }
  std::size_t cached() const { return cached_.size(); }
  Token cached_token(std::size_t position) const { return cached_[position]; }
  llama_seq_id sequence() const { return sequence_; }
  /// True until something was decoded for the present request, if it may use what others have decoded.
  bool shares() const { return !from_nothing_ && stats_.decodes == 0 && lane_.can_share(); }
  /// How many of `tokens` the cache begins with.
  std::size_t kept_of(std::span<const Token> tokens) const;
  /// How many tokens of the context another lane of the same model has in its cache, and how many it has in its own context.
  std::size_t shared_with(const SequenceLane& other) const;
  std::size_t will_share_with(const SequenceLane& other) const;
  /// Gives sequence and cache to another lane of the same model, and takes that one's. A lane without a sequence (-1) has no cache; what it
  /// is asked next is decoded from the start once it has one.
  void trade_caches(SequenceLane& other);
  /// Replaces the cache by the first `length` tokens of another lane's.
  void copy_prefix(const SequenceLane& from, std::size_t length);

  // For whoever plans a pass, between `prepare` and its start.

  /// The next `count` missing tokens are in the pass.
  void decode(std::size_t count);
  /// Puts guesses behind the context into a pass that holds `batch` already, if there is room for `room`. Returns how many.
  std::size_t guess(std::size_t room, Batch batch);
  /// Contexts that are asked about beside the lane's own; each is put into a pass that completes that one, if there is room for it.
  std::size_t branches_asked() const { return branches_.asked(); }
  std::optional<Branches::Planned> branch_off(std::size_t which, std::size_t room);
  /// So many tokens more are in the pass for it.
  void branched_off(std::size_t tokens);
  Pass::Reading branch_reading(std::size_t which) const;
  /// True if the model has said what follows its cache, and there is reason and room to decode that before anybody asks.
  bool can_anticipate() const;
  /// Puts what the model said at the end of its cache into the pass. Only if `can_anticipate`.
  void anticipate();
  /// How the token behind the first `length` tokens in the cache is chosen.
  Pass::Reading reading(std::size_t length);
  Stamp stamp() const { return {cache_stamp_, request_stamp_, question_stamp_}; }

  // When a pass is done.

  /// What the model says after the first `length` tokens of the cache, unless that is another one by now. `waited`: somebody waited for it.
  void resolve(const Stamp& stamp, std::size_t length, PassResult::Said said, bool waited);
  /// What it says behind a context that branches off.
  void resolve_branch(const Stamp& stamp, std::size_t which, PassResult::Said said);
  /// The lane had part in a pass, which took `ms` for it.
  void took_part(const Stamp& stamp, const Span& span, double ms);
  /// True if the question that a pass was planned for still waits.
  bool still_asks(const Stamp& stamp) const { return asking() && question_stamp_ == stamp.question; }
  /// Resumes what asked. The lane may be gone or asking again afterwards.
  void resume();

 protected:
  bool answered(Wanted wanted) override;
  void ask(Wanted wanted, std::coroutine_handle<> asker) override;
  Top1 answer() override { return last_answer(); }
  std::span<const float> logits() override { return logits_; }

 private:
  /// Where the lane was when it stepped aside.
  struct Aside {
    std::vector<Token> wanted;
    LaneStats before;
    Clock::time_point since;
    /// Tokens of the context that it stepped to.
    std::size_t from = 0;
  };

  void start_counting();
  void disown_answers(std::size_t from);
  const std::vector<Token>& tokens_behind_head(std::string_view text);
  /// How many tokens the cache and the context have in common at their beginning.
  std::size_t reusable();
  void cut(std::size_t length);
  void graft();
  void drop_guess();
  void judge_guess();
  std::size_t worth(std::span<const double> rates, Batch batch) const;
  void count_prompt();
  bool remembers(Wanted wanted);

  LoadedLane& lane_;
  llama_seq_id sequence_;
  std::optional<Prompt> prompt_;
  std::vector<Token> whole_;
  /// The tokens whose keys and values are in the cache, and what the model says after each, where it was asked.
  std::vector<Token> cached_;
  std::vector<std::optional<Top1>> answers_;
  /// After how many tokens there are answers that came before anybody waited for them, and that nobody has asked for since.
  std::vector<std::size_t> came_ahead_;
  ContextKeys keys_;
  /// What `answers_` were chosen with.
  Choice choice_;
  /// Null if nothing is changed.
  std::shared_ptr<const LogitChanges> changes_;
  std::vector<Token> wanted_;
  /// `cached_` and `wanted_` are known to begin with so many equal tokens: while a context only grows, none is compared twice.
  std::size_t alike_ = 0;
  std::coroutine_handle<> asker_;
  Wanted wanted_kind_ = Wanted::top1;
  bool ahead_ = false;
  std::uint64_t cache_stamp_ = 0;
  std::uint64_t request_stamp_ = 0;
  std::uint64_t question_stamp_ = 0;
  Branches branches_;
  /// Tokens in the cache before the pass that is being planned, and of those that branch off in it.
  std::size_t before_ = 0;
  std::size_t branched_ = 0;
  /// Raw logits at the end of the cache, until something is decoded behind it.
  std::vector<float> logits_;
  Speculation speculation_{Speculation::Guesses::none, 0};
  OwnRun run_;
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
  std::optional<Aside> aside_;
  LaneStats stats_;
  AsideStats aside_stats_;
  bool traced_ = false;
  std::vector<Span> spans_;
};

}  // namespace nudging
