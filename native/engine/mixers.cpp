#include "engine/mixers.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "basics/failure.h"
#include "choice/gumbel.h"
#include "choice/mixture.h"
#include "choice/top1.h"
#include "text/one_vocabulary.h"

namespace nudging {

namespace {

/// Chooses a token from logits that are no single model's, as LogitReader does from a model's own.
class RowMixer : public Mixer {
 public:
  RowMixer(std::vector<SequenceLane*> lanes, const Sampling& sampling, float tolerance)
      : lanes_(std::move(lanes)), sampling_(sampling), tolerance_(tolerance) {
    std::size_t length = lanes_[0]->loaded().vocabulary().size();
    for (const SequenceLane* lane : lanes_) length = std::min(length, lane->loaded().vocabulary().size());
    row_.resize(length);
  }

  Mixed mix() override {
    // The base's share of the reading: it stands for the mixture's.
    const Stopwatch watch(lanes_[0]->stats().top1_ms);
    const std::span<const float> logits = row();
    Top1 top1 = most_likely(logits);
    if (std::isnan(top1.probability)) {
      throw Failure(FailureKind::decode_failed, "the models have nothing to say together that `logitBias` does not ban: ban fewer tokens");
    }
    if (!sampling_.greedy()) sample(logits, {sampling_, lanes_[0]->context_key()}, top1);
    // What any of them takes for an end is one: else the one whose end it is would go on behind it.
    top1.ends =
        std::any_of(lanes_.begin(), lanes_.end(), [&](const SequenceLane* lane) { return lane->loaded().vocabulary().ends(top1.token); });
    top1.bytes = lanes_[0]->loaded().vocabulary().bytes(top1.token);
    return {top1, tolerance_};
  }

 protected:
  /// The logits to choose from.
  virtual std::span<const float> row() = 0;

  /// What a lane says of the tokens that all of them have.
  std::span<const float> logits(std::size_t place) { return lanes_[place]->last_logits().first(row_.size()); }
  SequenceLane& lane(std::size_t place) { return *lanes_[place]; }
  std::size_t lanes() const { return lanes_.size(); }
  std::span<float> room() { return row_; }

 private:
  std::vector<SequenceLane*> lanes_;
  Sampling sampling_;
  float tolerance_;
  std::vector<float> row_;
};

/// R31
class Ensemble final : public RowMixer {
 public:
  Ensemble(std::vector<SequenceLane*> lanes, std::vector<double> weights, const Sampling& sampling, float tolerance)
      : RowMixer(std::move(lanes), sampling, tolerance), weights_(std::move(weights)) {}

 protected:
  std::span<const float> row() override {
    // One alone is that model, to the bit.
    if (lanes() == 1) return logits(0);
    weighted(logits(0), lane(0).last_top1(), weights_[0], room());
    for (std::size_t i = 1; i < lanes(); ++i) add_weighted(logits(i), lane(i).last_top1(), weights_[i], room());
    return room();
  }

 private:
  /// Of the lanes; together 1.
  std::vector<double> weights_;
};

/// R32
class ProxyTuning final : public RowMixer {
 public:
  ProxyTuning(std::vector<SequenceLane*> lanes, double alpha, const Sampling& sampling, float tolerance)
      : RowMixer(std::move(lanes), sampling, tolerance), alpha_(static_cast<float>(alpha)) {}

 protected:
  std::span<const float> row() override {
    proxy_tuned(logits(0), logits(1), logits(2), alpha_, room());
    return room();
  }

 private:
  float alpha_;
};

}  // namespace

std::vector<std::size_t> mixing_lanes(const Generation& generation) {
  std::vector<std::size_t> lanes;
  if (generation.mode == Mode::proxy_tuning) lanes = {base_lane, aligned_lane, generation.reference};
  if (generation.mode == Mode::ensemble) {
    for (std::size_t i = 0; i < generation.weights.size(); ++i) {
      if (generation.weights[i] > 0) lanes.push_back(i);
    }
  }
  return lanes;
}

std::vector<double> mixing_weights(const Generation& generation) {
  std::vector<double> weights;
  double sum = 0;
  for (const double weight : generation.weights) sum += weight;
  for (const std::size_t lane : mixing_lanes(generation)) weights.push_back(generation.weights[lane] / sum);
  return weights;
}

float mixing_tolerance(const Generation& generation, std::span<SequenceLane* const> lanes) {
  const auto margin = [&](std::size_t place) { return lanes[place]->loaded().tolerance().margin; };
  if (generation.mode == Mode::proxy_tuning) return margin(0) + static_cast<float>(std::abs(generation.alpha)) * (margin(1) + margin(2));
  // The logarithm of a mixture moves no further than that of the part that moves most.
  float tolerance = 0;
  for (std::size_t place = 0; place < lanes.size(); ++place) tolerance = std::max(tolerance, margin(place));
  return tolerance;
}

bool have_one_vocabulary(std::span<SequenceLane* const> lanes) {
  const std::size_t first = lanes[0]->loaded().vocabulary_kind();
  return std::all_of(lanes.begin(), lanes.end(), [first](const SequenceLane* lane) { return lane->loaded().vocabulary_kind() == first; });
}

void check_one_vocabulary(std::span<SequenceLane* const> lanes) {
  const LoadedLane& first = lanes[0]->loaded();
  for (const SequenceLane* lane : lanes) {
    const LoadedLane& other = lane->loaded();
    if (other.vocabulary_kind() == first.vocabulary_kind()) continue;
    const Token token = first_difference(first.vocabulary(), other.vocabulary()).value_or(0);
    throw Failure(FailureKind::vocabularies_differ, "with `unit: 'token'` this mode goes token by token, and `" + first.name() + "` and `" +
                                                        other.name() + "` do not have the same vocabulary: token " + std::to_string(token) +
                                                        " is " + shown_token(first.vocabulary(), token) + " and " +
                                                        shown_token(other.vocabulary(), token) +
                                                        ": leave `unit` out, or take models of one family");
  }
}

std::unique_ptr<Mixer> mixer_for(const Generation& generation, std::vector<SequenceLane*> lanes, const Sampling& sampling) {
  const float tolerance = mixing_tolerance(generation, lanes);
  if (generation.mode == Mode::proxy_tuning) return std::make_unique<ProxyTuning>(std::move(lanes), generation.alpha, sampling, tolerance);
  return std::make_unique<Ensemble>(std::move(lanes), mixing_weights(generation), sampling, tolerance);
}

}  // namespace nudging
