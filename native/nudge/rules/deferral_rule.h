#pragma once

#include <optional>

#include "nudge/tolerance.h"
#include "nudge/top1.h"

namespace nudging {

/// How probable each model finds its own next word after the same text, in [0, 1] (R18).
struct WordPair {
  float base;
  float aligned;
};

/// What came of asking a rule about a token of the base's.
struct Judgement {
  /// The base speaks; else it defers.
  bool base = true;
  /// The two words, if they were compared here.
  std::optional<WordPair> words = std::nullopt;
};

/// R17: who speaks where the base might: R7c at a boundary, R9 in a run. What models a rule needs and how it decides is all that it says;
/// Judge asks the models.
class DeferralRule {
 public:
  DeferralRule() = default;
  virtual ~DeferralRule() = default;
  DeferralRule(const DeferralRule&) = delete;
  DeferralRule& operator=(const DeferralRule&) = delete;

  /// What must be known of the base's distribution beside the most likely token and its probability.
  virtual Measures measures() const { return {}; }
  /// Whether words may have to be compared (R18).
  virtual bool compares_words() const { return false; }

  /// Whether the base speaks, if its next token says so by itself; nothing if the words have to.
  virtual std::optional<bool> by_token(const Top1& said) const = 0;
  /// The same by the words. Must not become true when the base's word becomes less probable.
  virtual bool by_words(WordPair words) const {
    static_cast<void>(words);
    return true;
  }

  /// Whether the models' tolerances could turn what was compared (semantics.md, "Ties").
  virtual bool is_close(const Top1& said, const Judgement& judged, Tolerance base, Tolerance aligned) const = 0;
};

}  // namespace nudging
