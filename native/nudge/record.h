#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "nudge/answer.h"
#include "nudge/rules/deferral_rule.h"
#include "nudge/tolerance.h"
#include "nudge/top1.h"

namespace nudging {

/// Every decision of a run, if the caller wants to replay it.
using Trace = std::vector<Decision>;

/// What is noted of a run's decisions: all of them if wanted, and how many were ties (semantics.md, "Ties"). A tie is a decision that
/// stands in the answer and was closer than the model's tolerance: a token by its margin, wherever another one would have changed
/// something, or what the rule compared, wherever that decided. Each counts once, also if both are close.
class Record {
 public:
  Record() = default;
  Record(Tolerance base, Tolerance aligned, bool traces) : base_(base), aligned_(aligned), traces_(traces) {}

  /// R3, R25: the aligned model's next token, or its end. What the draft is used for, `took` says.
  void drafted(std::size_t position, const Top1& said, Decision::Kind kind = Decision::Kind::draft);
  /// R7: the base at a boundary, and what the rule made of it if it was asked. Its token counts in any case: another one might agree, or
  /// not.
  void asked(std::size_t position, const Top1& said, const std::optional<Judgement>& judged, const DeferralRule& rule);
  /// R9, R10: the base in its run. Where the rule ends the run, it does so whatever the token is.
  void ran(std::size_t position, const Top1& said, const std::optional<Judgement>& judged, const DeferralRule& rule);
  /// R23: whether what was asked last, or said in a run, ends the answer from `certainty` on.
  void ended(const Top1& said, float certainty);
  /// The answer rests on the first `tokens` of what was drafted since the last time. The others are dropped and do not count.
  void took(std::size_t tokens);
  /// R26 to R29: a model's next token in reverse; `draft` is the aligned model's. γ only where it decides.
  void spoke(Decision::Kind kind, std::size_t position, const Top1& said, std::optional<float> gamma);
  /// A model that decodes alone. Noted as what the base says in a run, or the aligned model in a draft.
  void decoded(Source model, std::size_t position, const Top1& said);
  /// Several models together.
  void mixed(bool is_tie) { ties_ += is_tie ? 1 : 0; }

  /// Whether other company might have turned what a model says.
  bool is_tie(Source model, const Top1& said) const;

  std::size_t ties() const { return ties_; }
  const Trace& trace() const { return trace_; }

 private:
  void note(Decision::Kind kind, std::size_t position, const Top1& said, const std::optional<Judgement>& judged = std::nullopt);
  bool could_turn(const Top1& said, const std::optional<Judgement>& judged, const DeferralRule& rule) const;

  Tolerance base_;
  Tolerance aligned_;
  bool traces_ = false;
  Trace trace_;
  /// Margins of the present draft's tokens.
  std::vector<float> drafted_;
  /// Whether the base's last decision counts as a tie.
  bool last_counts_ = false;
  std::size_t ties_ = 0;
};

}  // namespace nudging
