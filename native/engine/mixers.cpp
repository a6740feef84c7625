#include "engine/mixers.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "basics/failure.h"
#include "choice/gumbel.h"
#include "choice/mixture.h"
#include "choice/token_rules.h"
#include "choice/top1.h"
#include "text/one_vocabulary.h"

namespace nudging {

namespace {

bool is_rejection(const Generation& generation) {
  return generation.mode == Mode::nudge && generation.rules.by_token && generation.rules.by_token->kind != TokenRule::Kind::blend;
}

/// What any of these takes for an end is one: else the one whose end it is would go on behind it.
bool ends_for_any(std::span<SequenceLane* const> lanes, Token token) {
  return std::any_of(lanes.begin(), lanes.end(), [token](const SequenceLane* lane) {
    const Vocabulary& vocabulary = lane->loaded().vocabulary();
    return static_cast<std::size_t>(token) < vocabulary.size() && vocabulary.ends(token);
  });
}

/// Chooses a token from logits that are no single model's, as LogitReader does from a model's own.
class RowMixer : public Mixer {
 public:
  RowMixer(std::vector<SequenceLane*> lanes, const Sampling& sampling, float tolerance)
      : lanes_(std::move(lanes)), sampling_(sampling), tolerance_(tolerance) {
    std::size_t length = lanes_[0]->loaded().vocabulary().size();
    for (const SequenceLane* lane : lanes_) length = std::min(length, lane->loaded().vocabulary().size());
    row_.resize(length);
  }

  std::size_t first() const override { return lanes_.size(); }

  Mixed mix() override {
    // Counted as the first lane's: whose else would it be?
    const Stopwatch watch(lanes_[0]->stats().top1_ms);
    const std::span<const float> logits = row();
    Top1 top1 = most_likely(logits);
    if (std::isnan(top1.probability)) {
      throw Failure(FailureKind::decode_failed, "the models have nothing to say together that `logitBias` does not ban: ban fewer tokens");
    }
    if (!sampling_.greedy()) sample(logits, {sampling_, lanes_[0]->context_key()}, top1);
    top1.ends = ends_for_any(lanes_, top1.token);
    top1.bytes = lanes_[0]->loaded().vocabulary().bytes(top1.token);
    return {top1, Source::mix, top1.probability, top1.margin < tolerance_};
  }

 protected:
  /// The logits to choose from.
  virtual std::span<const float> row() = 0;

  /// What a lane says of its tokens, the likeliest of which the others may lack.
  std::span<const float> whole(std::size_t place) { return lanes_[place]->last_logits(); }
  /// What it says of the tokens that all of them have.
  std::span<const float> logits(std::size_t place) { return whole(place).first(row_.size()); }
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
    weighted(whole(0), lane(0).last_top1(), weights_[0], room());
    for (std::size_t i = 1; i < lanes(); ++i) add_weighted(whole(i), lane(i).last_top1(), weights_[i], room());
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

/// R34
class Blend final : public RowMixer {
 public:
  Blend(std::vector<SequenceLane*> lanes, const TokenRule& rule, const Sampling& sampling, float tolerance)
      : RowMixer(std::move(lanes), sampling, tolerance), rule_(rule) {}

  std::size_t first() const override { return 1; }
  bool needs_others() override { return static_cast<double>(lane(0).last_top1().probability) < rule_.threshold; }

  Mixed mix() override {
    Mixed mixed = RowMixer::mix();
    const Top1 base = lane(0).last_top1();
    mixed.source = needs_others() ? Source::mix : Source::base;
    mixed.probability = base.probability;
    const double distance = std::abs(static_cast<double>(base.probability) - rule_.threshold);
    mixed.is_tie = mixed.is_tie || distance < static_cast<double>(lane(0).loaded().tolerance().probability);
    return mixed;
  }

 protected:
  std::span<const float> row() override {
    if (!needs_others()) return logits(0);
    const Top1 base = lane(0).last_top1();
    const Top1 aligned = lane(1).last_top1();
    const bool known = static_cast<std::size_t>(aligned.token) < whole(0).size();
    const double weight = blend_weight(rule_, static_cast<double>(base.probability), static_cast<double>(aligned.probability),
                                       known ? probability_of(whole(0), base, aligned.token) : 0);
    if (weight <= 0) return logits(0);
    if (weight >= 1) return logits(1);
    weighted(whole(0), base, 1 - weight, room());
    add_weighted(whole(1), aligned, weight, room());
    return room();
  }

 private:
  TokenRule rule_;
};

/// R35 to R37: the base draws, and where its token is rejected the aligned model does.
class ProposeAndReject final : public Mixer {
 public:
  ProposeAndReject(std::vector<SequenceLane*> lanes, const TokenRule& rule) : lanes_(std::move(lanes)), rule_(rule) {}

  std::size_t first() const override { return asks_both() ? 2 : 1; }
  bool needs_others() override { return judge().rejected; }

  Mixed mix() override {
    auto [rejected, distance] = judge();
    const Top1 base = lanes_[0]->last_top1();
    if (rejected && !has(0, lanes_[1]->last_top1().token)) rejected = false;
    const Tolerance tolerance = lanes_[0]->loaded().tolerance();
    Mixed mixed{rejected ? lanes_[1]->last_top1() : base, rejected ? Source::nudge : Source::base, base.probability};
    mixed.top1.ends = ends_for_any(lanes_, mixed.top1.token);
    const Tolerance of_speaker = lanes_[rejected ? 1 : 0]->loaded().tolerance();
    const double reach = static_cast<double>(tolerance.probability + (asks_both() ? lanes_[1]->loaded().tolerance().probability : 0));
    mixed.is_tie = distance < reach || base.margin < tolerance.margin || mixed.top1.margin < of_speaker.margin;
    return mixed;
  }

 private:
  bool asks_both() const { return rule_.kind == TokenRule::Kind::bet; }
  Rejection judge() {
    const double aligned = asks_both() ? static_cast<double>(lanes_[1]->last_top1().probability) : 0;
    const Top1 base = lanes_[0]->last_top1();
    // What only the base has shows nothing, and the other one could not go on behind it.
    if (!has(1, base.token)) return {true, 1};
    return rejection(rule_, lanes_[0]->last_logits(), base, aligned);
  }
  bool has(std::size_t lane, Token token) const { return static_cast<std::size_t>(token) < lanes_[lane]->loaded().vocabulary().size(); }

  std::vector<SequenceLane*> lanes_;
  TokenRule rule_;
};

}  // namespace

bool goes_by_token(const Generation& generation) {
  const bool mixes = generation.mode == Mode::ensemble || generation.mode == Mode::proxy_tuning;
  return mixes || (generation.mode == Mode::nudge && generation.rules.by_token);
}

Sampling own_sampling(const Generation& generation, const Sampling& of_lane) {
  return goes_by_token(generation) && !is_rejection(generation) ? Sampling{} : of_lane;
}

std::vector<std::size_t> mixing_lanes(const Generation& generation) {
  std::vector<std::size_t> lanes;
  if (generation.mode == Mode::nudge && generation.rules.by_token) lanes = {base_lane, aligned_lane};
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

bool goes_by_bytes(const Generation& generation, std::span<SequenceLane* const> lanes) {
  if (generation.mode != Mode::ensemble && generation.mode != Mode::proxy_tuning) return false;
  if (generation.unit != Unit::fitting) return generation.unit == Unit::byte;
  const std::size_t first = lanes[0]->loaded().vocabulary_kind();
  return std::any_of(lanes.begin(), lanes.end(), [first](const SequenceLane* lane) { return lane->loaded().vocabulary_kind() != first; });
}

void check_one_vocabulary(std::span<SequenceLane* const> lanes) {
  const LoadedLane& first = lanes[0]->loaded();
  for (const SequenceLane* lane : lanes) {
    const LoadedLane& other = lane->loaded();
    if (other.vocabulary_kind() == first.vocabulary_kind()) continue;
    const Token token = first_difference(first.vocabulary(), other.vocabulary()).value_or(0);
    throw Failure(FailureKind::vocabularies_differ, "what is asked for goes token by token, and `" + first.name() + "` and `" +
                                                        other.name() + "` do not have the same vocabulary: token " + std::to_string(token) +
                                                        " is " + shown_token(first.vocabulary(), token) + " and " +
                                                        shown_token(other.vocabulary(), token) +
                                                        ": take models of one family, leave `unit` out, or take a rule that joins any");
  }
}

std::unique_ptr<Mixer> mixer_for(const Generation& generation, std::vector<SequenceLane*> lanes, const Sampling& sampling) {
  const float tolerance = mixing_tolerance(generation, lanes);
  if (generation.mode == Mode::proxy_tuning) return std::make_unique<ProxyTuning>(std::move(lanes), generation.alpha, sampling, tolerance);
  if (is_rejection(generation)) return std::make_unique<ProposeAndReject>(std::move(lanes), *generation.rules.by_token);
  if (generation.mode == Mode::nudge) {
    return std::make_unique<Blend>(std::move(lanes), *generation.rules.by_token, sampling, tolerance);
  }
  return std::make_unique<Ensemble>(std::move(lanes), mixing_weights(generation), sampling, tolerance);
}

}  // namespace nudging
