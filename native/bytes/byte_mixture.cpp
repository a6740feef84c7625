#include "bytes/byte_mixture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "choice/gumbel.h"
#include "choice/top1.h"

namespace nudging {

namespace {

constexpr double never = -std::numeric_limits<double>::infinity();
constexpr double always = std::numeric_limits<double>::infinity();
/// Less than this is rounding.
constexpr double rounding = 1e-12;

/// R44: where a model does not speak, it finds all symbols alike.
Interval probability_of(const ByteLaw::Bounds& law, std::size_t symbol) {
  if (!law.speaks()) return {1.0 / symbol_count, 1.0 / symbol_count};
  const double all = law.total + law.open;
  return {law.known[symbol] / all, (law.known[symbol] + law.open) / all};
}

double logarithm(double of) { return of > 0 ? std::log(of) : never; }

/// Most are known exactly.
Interval logarithm(Interval of) {
  const double least = logarithm(of.least);
  return {least, of.most == of.least ? least : logarithm(of.most)};
}

}  // namespace

Interval MeanOfLaws::score(std::span<const Interval> probabilities) const {
  Interval sum;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    sum.least += weights_[i] * probabilities[i].least;
    sum.most += weights_[i] * probabilities[i].most;
  }
  return logarithm(sum);
}

/// What is chosen is seldom closer to the next best than this, and a tenth of what one of two models says.
double MeanOfLaws::negligible(std::size_t model) const { return 0.05 / weights_[model]; }

Interval ProxyTunedLaw::score(std::span<const Interval> probabilities) const {
  const Interval base = logarithm(probabilities[0]);
  const Interval aligned = logarithm(probabilities[1]);
  const Interval reference = logarithm(probabilities[2]);
  // What one of them rules out is ruled out.
  if (base.most == never || aligned.most == never || reference.most == never) return {never, never};
  if (alpha_ == 0) return base;
  Interval tuned;
  tuned.least = base.least == never || aligned.least == never ? never : base.least + alpha_ * (aligned.least - reference.most);
  tuned.most = reference.least == never ? always : base.most + alpha_ * (aligned.most - reference.least);
  return tuned;
}

/// What the reference finds improbable may be anything, however little is open: all of it has to be known. What the others leave open is
/// divided by that, so a millionth of it matters too: with the demo pair, every third place below 1e-8 of the weight was asked about.
double ProxyTunedLaw::negligible(std::size_t model) const { return model == 2 ? 0 : 1e-9; }

std::optional<ChosenSymbol> SymbolChooser::choose(std::span<const ByteLaw::Bounds* const> laws, const Allowed& allowed,
                                                  std::uint64_t context) const {
  std::array<Interval, symbol_count> scores;
  std::vector<Interval> probabilities(laws.size());
  // Most bytes are no part of any token that may come, and all of these have one score.
  std::optional<Interval> of_unknown;
  for (std::size_t symbol = 0; symbol < symbol_count; ++symbol) {
    scores[symbol] = {never, never};
    if (!allowed[symbol]) continue;
    const bool unknown = std::all_of(laws.begin(), laws.end(), [symbol](const ByteLaw::Bounds* law) { return law->known[symbol] == 0; });
    if (unknown && of_unknown) {
      scores[symbol] = *of_unknown;
      continue;
    }
    for (std::size_t i = 0; i < laws.size(); ++i) probabilities[i] = probability_of(*laws[i], symbol);
    scores[symbol] = mixture_.score(probabilities);
    if (unknown) of_unknown = scores[symbol];
  }
  const bool exact = std::all_of(laws.begin(), laws.end(), [](const ByteLaw::Bounds* law) { return law->open == 0; });
  // Of what all of them rule out together, nothing is more probable than another: the models contradict each other.
  if (exact && std::all_of(scores.begin(), scores.end(), [](const Interval& score) { return score.most == never; })) {
    for (std::size_t symbol = 0; symbol < symbol_count; ++symbol) {
      if (allowed[symbol]) scores[symbol] = {0, 0};
    }
  }
  const bool filters = !sampling_.greedy() && (sampling_.top_k > 0 || sampling_.top_p < 1 || sampling_.min_p > 0);
  if (filters && !exact) return std::nullopt;
  std::optional<ChosenSymbol> chosen = filters ? filtered(scores, context) : ranked(scores, context);
  if (!chosen || (!exact && static_cast<double>(chosen->margin) <= static_cast<double>(tolerance_) + rounding)) return std::nullopt;
  chosen->probability = probability(laws, allowed);
  return chosen;
}

/// What the filters of R15 look at has to be known.
std::optional<ChosenSymbol> SymbolChooser::filtered(std::span<const Interval> scores, std::uint64_t context) const {
  std::array<float, symbol_count> logits;
  std::transform(scores.begin(), scores.end(), logits.begin(), [](const Interval& score) { return static_cast<float>(score.least); });
  Top1 top1 = most_likely(logits);
  sample(logits, {sampling_, context}, top1);
  return ChosenSymbol{static_cast<std::size_t>(top1.token), 0, top1.margin};
}

/// The highest score, with the noise if there is to be any; of equal ones the first.
std::optional<ChosenSymbol> SymbolChooser::ranked(std::span<const Interval> scores, std::uint64_t context) const {
  const double scale = sampling_.greedy() ? 1 : sampling_.temperature;
  const auto noise = [&](std::size_t symbol) {
    return sampling_.greedy() ? 0 : scale * gumbel({sampling_, context}, static_cast<Token>(symbol));
  };
  std::size_t best = 0;
  std::array<Interval, symbol_count> ranks;
  for (std::size_t symbol = 0; symbol < symbol_count; ++symbol) {
    ranks[symbol] = scores[symbol];
    if (scores[symbol].most == never) continue;
    const double more = noise(symbol);
    ranks[symbol] = {scores[symbol].least + more, scores[symbol].most + more};
    if (ranks[symbol].least > ranks[best].least) best = symbol;
  }
  if (ranks[best].least == never) return std::nullopt;
  double second = never;
  for (std::size_t symbol = 0; symbol < symbol_count; ++symbol) {
    if (symbol != best) second = std::max(second, ranks[symbol].most);
  }
  const double margin = std::min(ranks[best].least - second, static_cast<double>(std::numeric_limits<float>::max()));
  return ChosenSymbol{best, 0, static_cast<float>(margin)};
}

/// Of the most probable symbol, if what is open is divided as what is known.
float SymbolChooser::probability(std::span<const ByteLaw::Bounds* const> laws, const Allowed& allowed) const {
  std::vector<Interval> probabilities(laws.size());
  std::array<double, symbol_count> scores;
  scores.fill(never);
  for (std::size_t symbol = 0; symbol < symbol_count; ++symbol) {
    if (!allowed[symbol]) continue;
    for (std::size_t i = 0; i < laws.size(); ++i) {
      const ByteLaw::Bounds& law = *laws[i];
      const double one = law.total > 0 ? law.known[symbol] / law.total : 1.0 / symbol_count;
      probabilities[i] = {one, one};
    }
    scores[symbol] = mixture_.score(probabilities).least;
  }
  const double highest = *std::max_element(scores.begin(), scores.end());
  if (highest == never) return 0;
  double sum = 0;
  for (const double score : scores) sum += std::exp(score - highest);
  return static_cast<float>(1 / sum);
}

}  // namespace nudging
