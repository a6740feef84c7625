#include "nudge/record.h"

#include <algorithm>
#include <cmath>

namespace nudging {

namespace {

bool is_close(const Top1& said, Tolerance tolerance) { return said.margin < tolerance.margin; }

bool is_near(const Top1& said, float threshold, Tolerance tolerance) {
  return std::abs(said.probability - threshold) < tolerance.probability;
}

}  // namespace

void Record::drafted(std::size_t position, const Top1& said, Decision::Kind kind) {
  note(kind, position, said);
  drafted_.push_back(said.margin);
}

void Record::asked(std::size_t position, const Top1& said, const std::optional<Judgement>& judged, const DeferralRule& rule) {
  note(Decision::Kind::boundary, position, said, judged);
  last_counts_ = is_close(said, base_) || could_turn(said, judged, rule);
  if (last_counts_) ++ties_;
}

void Record::ran(std::size_t position, const Top1& said, const std::optional<Judgement>& judged, const DeferralRule& rule) {
  note(Decision::Kind::run, position, said, judged);
  // What shows nothing is not judged: it ends the run. Where the rule would end it too, any other token does as well.
  const bool token_decides = judged ? judged->base : rule.by_token(said).value_or(true);
  last_counts_ = (token_decides && is_close(said, base_)) || could_turn(said, judged, rule);
  if (last_counts_) ++ties_;
}

bool Record::could_turn(const Top1& said, const std::optional<Judgement>& judged, const DeferralRule& rule) const {
  return judged && rule.is_close(said, *judged, base_, aligned_);
}

void Record::ended(const Top1& said, float certainty) {
  if (last_counts_ || !said.ends) return;
  const bool token_decides = said.probability >= certainty;
  if ((token_decides && is_close(said, base_)) || is_near(said, certainty, base_)) ++ties_;
}

void Record::took(std::size_t tokens) {
  const auto end = drafted_.begin() + static_cast<std::ptrdiff_t>(std::min(tokens, drafted_.size()));
  ties_ += static_cast<std::size_t>(std::count_if(drafted_.begin(), end, [this](float margin) { return margin < aligned_.margin; }));
  drafted_.clear();
}

bool Record::is_tie(Source model, const Top1& said) const { return is_close(said, model == Source::base ? base_ : aligned_); }

void Record::spoke(Decision::Kind kind, std::size_t position, const Top1& said, std::optional<float> gamma) {
  note(kind, position, said);
  const Tolerance tolerance = kind == Decision::Kind::draft ? aligned_ : base_;
  if (is_close(said, tolerance) || (gamma && is_near(said, *gamma, tolerance))) ++ties_;
}

void Record::decoded(Source model, std::size_t position, const Top1& said) {
  note(model == Source::base ? Decision::Kind::run : Decision::Kind::draft, position, said);
  if (is_tie(model, said)) ++ties_;
}

void Record::note(Decision::Kind kind, std::size_t position, const Top1& said, const std::optional<Judgement>& judged) {
  if (traces_) trace_.push_back({kind, position, said, judged});
}

}  // namespace nudging
