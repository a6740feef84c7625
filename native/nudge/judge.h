#pragma once

#include <coroutine>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "nudge/aligned_words.h"
#include "nudge/draft.h"
#include "nudge/guess.h"
#include "nudge/lane.h"
#include "nudge/rules/deferral_rule.h"
#include "nudge/task.h"

namespace nudging {

/// Asks one request's rule who speaks (R17), and the models for what the rule needs. Where words are compared (R18), it knows which word of
/// the base's is under way; a word is judged once.
class Judge {
 public:
  Judge(Lane& base, Lane& aligned, const DeferralRule& rule, std::size_t lookahead)
      : base_(base), rule_(rule), limit_(lookahead), aligned_words_(aligned, lookahead) {}

  const DeferralRule& rule() const { return rule_; }

  /// A round has this draft, made behind `text`.
  void follow(std::string_view text, const Draft& draft) {
    if (rule_.compares_words()) aligned_words_.follow(text, draft);
  }
  /// The base is asked at a boundary, behind `text`.
  void at_boundary(std::string_view text) {
    if (rule_.compares_words()) begin_word(text.size());
  }
  /// The base has spoken.
  void said(const Top1& token);

  /// `co_await judge.of(text, next, guess)`: whether the base speaks behind `text`, where it would say `next`, which shows something.
  /// `guess` is what the aligned model is expected to say there. Most rules know at once.
  auto of(std::string_view text, const Top1& next, Guess& guess) {
    struct Opinion {
      Judge& judge;
      std::string_view text;
      const Top1& next;
      Guess& guess;
      std::optional<Judgement> known = std::nullopt;
      std::optional<Task<Judgement>> comparing = std::nullopt;
      bool await_ready() {
        known = judge.at_once(text, next);
        return known.has_value();
      }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> asker) {
        return comparing.emplace(judge.compare(text, next, guess)).await_suspend(asker);
      }
      Judgement await_resume() { return known ? *known : comparing->take(); }
    };
    return Opinion{*this, text, next, guess};
  }

  /// Whether the base's next token was seen when its word was: the base need not be told what to expect.
  bool foresees() const { return foresees_; }

 private:
  /// The base's word that is under way: its text so far, and how probable the base found it.
  struct Word {
    /// Bytes of text in front of it.
    std::size_t start = 0;
    std::string text = {};
    std::size_t tokens = 0;
    float probability = 1;
    /// Whether it is the base's to say, once it was judged.
    std::optional<bool> base = std::nullopt;

    void add(const Top1& token) {
      text += token.bytes;
      ++tokens;
      probability *= token.probability;
    }
  };

  void begin_word(std::size_t start);
  std::optional<Judgement> at_once(std::string_view text, const Top1& next);
  Task<Judgement> compare(std::string_view text, const Top1& next, Guess& guess);
  Task<float> read_word(Top1 next, Guess guess, float aligned);
  /// Whether the word is all there, or `next` would begin another one.
  bool is_whole(const Word& word) const;
  bool ends(const Word& word, const Top1& next) const;

  Lane& base_;
  const DeferralRule& rule_;
  std::size_t limit_;
  AlignedWords aligned_words_;
  Word word_;
  /// Tokens behind the present one that were seen when the word was judged.
  std::size_t foreseen_ = 0;
  bool foresees_ = false;
};

}  // namespace nudging
