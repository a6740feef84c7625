#include "bytes/decode_bytes.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "byte_oracle.h"
#include "check.h"
#include "choice/gumbel.h"
#include "toy_model.h"

namespace nudging {
namespace {

/// What a mixture says by its definition: a score for each symbol.
using Mix = std::function<double(const std::vector<double>& probabilities)>;

const auto mean = [](std::vector<double> weights) -> Mix {
  return [weights = std::move(weights)](const std::vector<double>& probabilities) {
    double sum = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) sum += weights[i] * probabilities[i];
    return std::log(sum);
  };
};
const auto tuned = [](double alpha) -> Mix {
  return [alpha](const std::vector<double>& p) { return std::log(p[0]) + alpha * (std::log(p[1]) - std::log(p[2])); };
};

struct Outcome {
  std::string text;
  StopReason reason;
  std::size_t used;
  std::size_t asked;
};

Outcome decode(const std::vector<ToyModel*>& models, const ByteMixture& mixture, std::size_t budget, const Sampling& sampling = {},
               std::vector<std::string> stop = {}) {
  std::vector<std::unique_ptr<ByteLaw>> owned;
  std::vector<ByteLaw*> laws;
  for (ToyModel* model : models) laws.push_back(owned.emplace_back(std::make_unique<ByteLaw>(*model, *model)).get());
  Limits limits;
  limits.max_tokens = budget;
  limits.stop = std::move(stop);
  Answer answer(limits);
  Record record;
  const SymbolChooser chooser(mixture, sampling, 0);
  Task<StopReason> task = decode_bytes(laws, chooser, {}, budget, answer, record);
  task.start();
  const StopReason reason = task.take();
  std::size_t asked = 0;
  for (const ByteLaw* law : laws) asked += law->asked();
  return {std::string(answer.text()), reason, answer.used(), asked};
}

/// The same with every spelling counted for every byte. Vocabularies of ASCII.
Outcome slow(const std::vector<ToyModel*>& models, const Mix& mix, std::size_t budget, const Sampling& sampling = {}) {
  std::string text;
  std::vector<Token> context;
  ContextKeys keys;
  while (true) {
    std::vector<Masses> laws;
    for (ToyModel* model : models) laws.push_back(Oracle(*model)(std::string(model->beginning()) + text));
    double best = -std::numeric_limits<double>::infinity();
    std::size_t chosen = end_symbol;
    for (std::size_t symbol = 0; symbol < symbol_count; ++symbol) {
      std::vector<double> probabilities;
      for (const Masses& law : laws) probabilities.push_back(law[symbol]);
      double score = mix(probabilities);
      if (std::isnan(score)) continue;
      const std::uint64_t key = keys.of(context, context.size());
      if (!sampling.greedy()) score = score / sampling.temperature + gumbel({sampling, key}, static_cast<Token>(symbol));
      if (score > best) {
        best = score;
        chosen = symbol;
      }
    }
    const auto tokens = [&](const std::string& answer) {
      return models[0]->spell_shown(std::string(models[0]->beginning()) + answer).size() -
             models[0]->spell_shown(models[0]->beginning()).size();
    };
    if (chosen == end_symbol) return {text, StopReason::end, tokens(text), 0};
    const std::string longer = text + static_cast<char>(chosen);
    if (tokens(longer) > budget) return {text, StopReason::length, budget, 0};
    text = longer;
    context.push_back(static_cast<Token>(chosen));
  }
}

/// Pairs and triples of models, of one vocabulary and of several, some of which end soon and some do not.
std::vector<std::vector<ToyModel*>> groups(std::size_t size, std::vector<std::unique_ptr<ToyModel>>& owned) {
  std::vector<std::vector<ToyModel*>> all;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    std::vector<ToyModel*> group;
    for (std::size_t i = 0; i < size; ++i) {
      const ToyModel::Vocabulary& vocabulary = (seed + i) % 3 == 0 ? words : other_words;
      group.push_back(owned.emplace_back(std::make_unique<ToyModel>(vocabulary, i == 0 ? "ab a" : "b", seed * 10 + i)).get());
    }
    all.push_back(group);
  }
  return all;
}

}  // namespace

TEST("R45: an ensemble of models with different vocabularies writes what the mean of their laws says") {
  std::vector<std::unique_ptr<ToyModel>> owned;
  for (const auto& group : groups(2, owned)) {
    const Outcome is = decode(group, MeanOfLaws({0.7, 0.3}), 6);
    const Outcome expected = slow(group, mean({0.7, 0.3}), 6);
    CHECK_EQUAL(is.text, expected.text);
    CHECK_EQUAL(is.reason, expected.reason);
    CHECK_EQUAL(is.used, expected.used);
  }
}

TEST("R46: proxy tuning over three vocabularies writes what its formula says of their laws") {
  std::vector<std::unique_ptr<ToyModel>> owned;
  for (const auto& group : groups(3, owned)) {
    for (const double alpha : {0.5, 1.0, 2.0}) {
      const Outcome is = decode(group, ProxyTunedLaw(alpha), 6);
      const Outcome expected = slow(group, tuned(alpha), 6);
      CHECK_EQUAL(is.text, expected.text);
      CHECK_EQUAL(is.reason, expected.reason);
    }
  }
}

TEST("R45, R46: sampled, each context of bytes has its noise") {
  std::vector<std::unique_ptr<ToyModel>> owned;
  Sampling sampling;
  sampling.temperature = 0.8;
  for (const auto& group : groups(3, owned)) {
    ++sampling.seed;
    CHECK_EQUAL(decode(group, MeanOfLaws({0.2, 0.3, 0.5}), 6, sampling).text, slow(group, mean({0.2, 0.3, 0.5}), 6, sampling).text);
    CHECK_EQUAL(decode(group, ProxyTunedLaw(1), 6, sampling).text, slow(group, tuned(1), 6, sampling).text);
  }
}

TEST("R15: filters keep symbols by what all of the mixture is") {
  std::vector<std::unique_ptr<ToyModel>> owned;
  Sampling sampling;
  sampling.temperature = 5;
  sampling.top_k = 1;
  for (const auto& group : groups(2, owned)) {
    ++sampling.seed;
    // What is drawn of one is the most probable one.
    CHECK_EQUAL(decode(group, MeanOfLaws({0.5, 0.5}), 6, sampling).text, decode(group, MeanOfLaws({0.5, 0.5}), 6).text);
  }
}

TEST("R45: an ensemble of a model with itself is the model; R46: with the aligned model as its own reference, proxy tuning is the base") {
  std::vector<std::unique_ptr<ToyModel>> owned;
  for (const auto& group : groups(2, owned)) {
    const std::string alone = decode({group[0]}, MeanOfLaws({1}), 6).text;
    ToyModel twin(*group[0]);
    CHECK_EQUAL(decode({group[0], &twin}, MeanOfLaws({0.5, 0.5}), 6).text, alone);
    ToyModel reference(*group[1]);
    CHECK_EQUAL(decode({group[0], group[1], &reference}, ProxyTunedLaw(1), 6).text, alone);
    // With the base as the reference it is the aligned model. The budget is in the base's tokens.
    ToyModel base(*group[0]);
    const Outcome aligned = decode({group[1]}, MeanOfLaws({1}), 40);
    const Outcome whole = decode({group[0], group[1], &base}, ProxyTunedLaw(1), 6);
    CHECK(whole.reason == StopReason::end ? aligned.text == whole.text : aligned.text.starts_with(whole.text));
  }
}

TEST("R43: a decision is taken as soon as nothing that is open could turn it") {
  std::vector<std::unique_ptr<ToyModel>> owned;
  std::size_t asked = 0;
  std::size_t all = 0;
  for (const auto& group : groups(2, owned)) {
    // One question for each place.
    for (ToyModel* model : group) model->most_along = 0;
    const Outcome quick = decode(group, MeanOfLaws({0.5, 0.5}), 8);
    asked += quick.asked;
    // Filters want to know everything.
    Sampling everything;
    everything.temperature = 1;
    everything.top_k = 1;
    all += decode(group, MeanOfLaws({0.5, 0.5}), 8, everything).asked;
  }
  CHECK(asked < all);
}

TEST("R43: what a question takes along saves questions, and changes no answer") {
  Sampling drawn;
  drawn.temperature = 1;
  for (const Sampling& sampling : {Sampling{}, drawn}) {
    for (const bool tunes : {false, true}) {
      std::vector<std::unique_ptr<ToyModel>> owned;
      std::size_t one_by_one = 0;
      std::size_t together = 0;
      for (const auto& group : groups(3, owned)) {
        const MeanOfLaws mean_of({0.2, 0.3, 0.5});
        const ProxyTunedLaw tuned_by(1);
        const ByteMixture& mixture = tunes ? static_cast<const ByteMixture&>(tuned_by) : mean_of;
        for (ToyModel* model : group) model->most_along = 0;
        const Outcome slowly = decode(group, mixture, 8, sampling);
        for (ToyModel* model : group) model->most_along = 16;
        const Outcome quickly = decode(group, mixture, 8, sampling);
        CHECK_EQUAL(quickly.text, slowly.text);
        CHECK_EQUAL(quickly.reason, slowly.reason);
        one_by_one += slowly.asked;
        together += quickly.asked;
      }
      CHECK(together < one_by_one);
    }
  }
}

TEST("R47: an answer is UTF-8 at any time, and ends behind whole characters") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    ToyModel model(characters, "", seed);
    ToyModel other(characters, "", seed + 100);
    Sampling sampling;
    sampling.temperature = 3;
    sampling.seed = seed;
    const Outcome outcome = decode({&model, &other}, MeanOfLaws({0.5, 0.5}), 8, sampling);
    CHECK_EQUAL(outcome.text.find("\xEF\xBF\xBD"), std::string::npos);
    Utf8Stream characters_of;
    std::string again;
    characters_of.feed(outcome.text, again);
    CHECK_EQUAL(again, outcome.text);
  }
}

TEST("R47: a model that would rather end inside a character goes on to its end") {
  std::size_t would_end = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    ToyModel model(characters, "", seed);
    for (const char* token : {"a", "\xBC", "\xC3\xBC", "a\xC3"}) model.ban(token);
    Oracle oracle(model);
    const Masses first = oracle("");
    const Masses inside = oracle("\xC3");
    if (first[0xC3] < first[end_symbol] || inside[0xA9] > inside[end_symbol]) continue;
    ++would_end;
    CHECK(decode({&model}, MeanOfLaws({1}), 2).text.starts_with("\xC3\xA9"));
  }
  CHECK(would_end > 0);
}

TEST("R48: the budget counts tokens of the first model's spelling, and its last token may grow") {
  std::vector<std::unique_ptr<ToyModel>> owned;
  for (const auto& group : groups(2, owned)) {
    const std::string longest = decode(group, MeanOfLaws({0.5, 0.5}), 12).text;
    for (std::size_t budget = 1; budget < 6; ++budget) {
      const Outcome cut = decode(group, MeanOfLaws({0.5, 0.5}), budget);
      CHECK(longest.starts_with(cut.text));
      if (cut.reason != StopReason::length) continue;
      CHECK_EQUAL(cut.used, budget);
      const std::string beginning(group[0]->beginning());
      const auto tokens = [&](const std::string& text) { return group[0]->spell_shown(beginning + text).size(); };
      CHECK(tokens(cut.text) <= tokens("") + budget);
      if (cut.text.size() < longest.size()) CHECK(tokens(longest.substr(0, cut.text.size() + 1)) > tokens("") + budget);
    }
  }
}

TEST("R14: a stop string ends an answer that is written byte by byte, and is no part of it") {
  std::vector<std::unique_ptr<ToyModel>> owned;
  std::size_t stopped = 0;
  for (const auto& group : groups(2, owned)) {
    const std::string longest = decode(group, MeanOfLaws({0.5, 0.5}), 12).text;
    if (longest.size() < 4) continue;
    const std::string stop = longest.substr(2, 2);
    const Outcome cut = decode(group, MeanOfLaws({0.5, 0.5}), 12, {}, {stop});
    CHECK_EQUAL(cut.text, longest.substr(0, longest.find(stop)));
    CHECK_EQUAL(cut.reason, StopReason::stop);
    ++stopped;
  }
  CHECK(stopped > 0);
}

TEST("R44: what one model cannot spell, others may say: it has no opinion then") {
  // No é for this one, not even the beginning of a character.
  ToyModel latin(plain);
  ToyModel french(characters);
  for (const char* token : {"a", "\xC3\xBC", "a\xC3", "\xA9", "\xBC",
                            "\xA9"
                            "a"})
    french.ban(token);
  const Outcome outcome = decode({&french, &latin}, MeanOfLaws({0.999, 0.001}), 3);
  CHECK(outcome.text.empty() || outcome.text.starts_with("\xC3"));
}

}  // namespace nudging
