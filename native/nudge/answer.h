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

/// Why a generation ended (R3, R13, R14).
enum class StopReason : std::uint8_t { end, length, stop, context, stalled, aborted, timeout };

/// What ended the asking in a round (semantics.md, "The trace").
enum class By : std::uint8_t { agree, confident, base_end, none, end, limit };

enum class Source : std::uint8_t { base, nudge };

/// A stretch of committed text from one model. Never empty, always whole characters, never taken back once reported.
struct Piece {
  std::string text;
  Source source;
  /// base: probability of the token. nudge: the base's top-1 probability where this word stands; empty where it was not asked.
  std::optional<float> top_probability;
};

/// One round of the trace. Concatenating `words` and `base` of all rounds gives the text.
struct Round {
  std::string words;
  std::string base;
  By by;
};

/// One judgement that the run took, for replaying it against the models.
struct Decision {
  /// `boundary`: the base was asked at a boundary (R7). `run`: it continued its own run (R9, R10). `draft`: the aligned model's next token
  /// (R3).
  enum class Kind : std::uint8_t { boundary, run, draft };
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
  std::size_t left() const { return limits_.max_tokens - used_; }

  /// R13, R14: set as soon as the budget is spent or a stop string has appeared.
  std::optional<StopReason> ended() const { return ended_; }

  /// Starts a round. `by` says what ended the asking.
  void open_round(By by) { rounds_.push_back({{}, {}, by}); }

  /// Commits words from a draft to the present round.
  void add_words(std::string_view words, std::optional<float> base_probability);

  /// Commits what a token of a run shows (R9, R11); `shown` may be empty while a character is incomplete.
  void add_token(std::string_view shown, Source source, float probability);

  /// R12: counts tokens against the budget.
  void spend(std::size_t tokens, Source source);

  /// How many pieces may be shown: all but those that a stop string could still cut. All of them once the answer has ended.
  std::size_t reportable() const;
  /// Releases held-back pieces: nothing will be cut any more.
  void finish() { finished_ = true; }

 private:
  void append(std::string_view text, Source source, std::optional<float> probability);
  void cut(std::size_t length);

  Limits limits_;
  ThinkingPart thinking_;
  StopStrings stops_;
  std::string text_;
  std::vector<Piece> pieces_;
  std::vector<Round> rounds_;
  std::size_t used_ = 0;
  std::size_t base_tokens_ = 0;
  std::optional<StopReason> ended_;
  bool finished_ = false;
};

}  // namespace nudging
