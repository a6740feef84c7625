#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nudge/rules/deferral_rule.h"
#include "nudge/stop_strings.h"
#include "nudge/thinking_part.h"
#include "nudge/top1.h"
#include "nudge/utf8.h"

namespace nudging {

class Guard;

/// Why a generation ended (R3, R13, R14, R63).
enum class StopReason : std::uint8_t { end, length, stop, context, stalled, aborted, timeout, refused };

/// What ended the asking in a round (semantics.md, "The trace").
enum class By : std::uint8_t { agree, confident, base_end, none, end, limit, lead, unsure };

/// Whose text it is; `mix`: that of several models, token by token (R31).
enum class Source : std::uint8_t { base, nudge, mix };

/// A stretch of committed text from one model. Never empty, always whole characters, never taken back once reported.
struct Piece {
  std::string text;
  Source source;
  /// base: probability of the token. nudge: the base's top-1 probability where this word stands; empty where it was not asked. mix: the
  /// mixture's top-1 probability.
  std::optional<float> top_probability;
  /// base: whether the aligned model would have said it, where that is to be known and is (R64).
  std::optional<bool> agreed = std::nullopt;
};

/// One round of the trace. Concatenating `words` and `base` of all rounds gives the text.
struct Round {
  std::string words;
  std::string base;
  By by;
};

/// One judgement that the run took, for replaying it against the models.
struct Decision {
  /// `boundary`: the base was asked at a boundary (R7, R27). `run`: it continued its own run (R9, R10) or word (R29). `draft`: the aligned
  /// model's next token (R3, R26). `lead`: likewise, where it leads (R25).
  enum class Kind : std::uint8_t { boundary, run, draft, lead };
  Kind kind;
  /// Bytes of committed text and draft before the question.
  std::size_t position;
  Top1 top1;
  /// What the rule made of it, if it was asked (R17).
  std::optional<Judgement> judged;
};

/// What limits an answer besides the two models.
struct Limits {
  std::size_t max_tokens = 256;
  std::vector<std::string> stop;
  /// Stop strings count behind the thinking part only, which `thinking_start` says how far the prompt has brought.
  std::optional<ThinkingMarks> thinking;
  ThinkingPart::State thinking_start = ThinkingPart::State::undecided;
};

/// Everything one request has committed. The text only ever grows, except for the cut at a stop string, which never reaches
/// back into pieces that `reportable()` has released.
class Answer {
 public:
  explicit Answer(Limits limits) : limits_(std::move(limits)), thinking_(limits_.thinking, limits_.thinking_start), stops_(limits_.stop) {}

  std::string_view text() const { return text_; }
  const std::vector<Piece>& pieces() const { return pieces_; }
  const std::vector<Round>& rounds() const { return rounds_; }

  /// R12: tokens used and left.
  std::size_t used() const { return used_; }
  /// How many of the used tokens are the base's own.
  std::size_t base_tokens() const { return base_tokens_; }
  /// How many are several models' together.
  std::size_t mixed_tokens() const { return mixed_tokens_; }
  std::size_t left() const { return limits_.max_tokens - used_; }

  /// R13, R14: set as soon as the budget is spent, a stop string has appeared, or a model has ended it.
  std::optional<StopReason> ended() const { return ended_; }
  /// Whose end of text ended it; empty where nobody's did.
  std::optional<Source> ended_by() const { return ended_by_; }

  /// R3, R23: a model's end of text. It goes before a budget that is spent at the same place (R13), and behind a stop string.
  void end(Source by);

  /// Starts a round. `by` says what ended the asking.
  void open_round(By by) { rounds_.push_back({{}, {}, by}); }

  /// Says what ended the asking in the present round, where that shows only later.
  void end_asking(By by) { rounds_.back().by = by; }

  /// Commits words from a draft to the present round.
  void add_words(std::string_view words, std::optional<float> base_probability);

  /// Commits what a token of a run shows (R9, R11); `shown` may be empty while a character is incomplete.
  void add_token(std::string_view shown, Source source, float probability, std::optional<bool> agreed = std::nullopt);

  /// R12: counts tokens against the budget.
  void spend(std::size_t tokens, Source source);

  /// Who watches over it (guard.h), if somebody does: then nothing is shown that did not pass (R60).
  void guard(Guard* guard) { guard_ = guard; }
  Guard* guard() const { return guard_; }
  /// R60: what there is may be shown.
  void pass() { passed_ = text_.size(); }
  /// R63: what did not pass is dropped, and the answer has ended.
  void refuse();
  /// Whether there is text that did not pass yet.
  bool unchecked() const { return passed_ < text_.size(); }

  /// How many pieces may be shown: all but those that a stop string could still cut, and that no guard has passed. All of them that passed
  /// once the answer has ended.
  std::size_t reportable() const;
  /// Releases held-back pieces: nothing will be cut any more. What a guard did not pass is dropped.
  void finish();

 private:
  void append(std::string_view text, Source source, std::optional<float> probability, std::optional<bool> agreed = std::nullopt);
  void cut(std::size_t length);

  Limits limits_;
  ThinkingPart thinking_;
  StopStrings stops_;
  std::string text_;
  std::vector<Piece> pieces_;
  std::vector<Round> rounds_;
  std::size_t used_ = 0;
  std::size_t base_tokens_ = 0;
  std::size_t mixed_tokens_ = 0;
  std::optional<StopReason> ended_;
  std::optional<Source> ended_by_;
  bool finished_ = false;
  Guard* guard_ = nullptr;
  /// Bytes that the guard has passed.
  std::size_t passed_ = 0;
};

}  // namespace nudging
