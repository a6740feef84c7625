#include "nudge/record.h"

#include <algorithm>
#include <cmath>

namespace nudging {

namespace {

bool is_near(const Top1& said, float gamma, Tolerance tolerance) { return std::abs(said.probability - gamma) < tolerance.probability; }
bool is_close(const Top1& said, Tolerance tolerance) { return said.margin < tolerance.margin; }

}  // namespace

void Record::drafted(std::size_t position, const Top1& said) {
  note(Decision::Kind::draft, position, said);
  drafted_.push_back(said.margin);
}

void Record::asked(std::size_t position, const Top1& said, bool agrees, float gamma) {
  note(Decision::Kind::boundary, position, said);
  const bool gamma_decides = !said.silent() && !agrees;
  if (is_close(said, base_) || (gamma_decides && is_near(said, gamma, base_))) ++ties_;
}

void Record::ran(std::size_t position, const Top1& said, float gamma) {
  note(Decision::Kind::run, position, said);
  const bool token_decides = said.probability >= gamma;
  if ((token_decides && is_close(said, base_)) || (!said.silent() && is_near(said, gamma, base_))) ++ties_;
}

void Record::took(std::size_t tokens) {
  const auto end = drafted_.begin() + static_cast<std::ptrdiff_t>(std::min(tokens, drafted_.size()));
  ties_ += static_cast<std::size_t>(std::count_if(drafted_.begin(), end, [this](float margin) { return margin < aligned_.margin; }));
  drafted_.clear();
}

void Record::decoded(Source model, const Top1& said) {
  if (is_close(said, model == Source::base ? base_ : aligned_)) ++ties_;
}

void Record::mixed(const Top1& said, float tolerance) {
  if (said.margin < tolerance) ++ties_;
}

void Record::note(Decision::Kind kind, std::size_t position, const Top1& said) {
  if (traces_) trace_.push_back({kind, position, said});
}

}  // namespace nudging
