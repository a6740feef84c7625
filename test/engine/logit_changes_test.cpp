#include "lanes/logit_changes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "check.h"
#include "basics/failure.h"
#include "vocabularies.h"

using namespace nudging;

namespace {

constexpr float never = -std::numeric_limits<float>::infinity();

const collections::Loaded& gpt2() {
  static const collections::Loaded loaded = collections::load("gpt-2");
  return loaded;
}
const Vocabulary& words() { return *gpt2().vocabulary; }

Token end_of_text() {
  for (std::size_t i = 0; i < words().size(); ++i) {
    if (words().ends(static_cast<Token>(i))) return static_cast<Token>(i);
  }
  return -1;
}

LogitChanges biased(const std::vector<NamedBias>& biases) { return logit_changes(biases, {}, words(), "base"); }

/// What is refused, as its message; empty if nothing is.
std::string refusal(const std::vector<NamedBias>& biases, const Vocabulary& vocabulary = words()) {
  try {
    logit_changes(biases, {}, vocabulary, "base");
  } catch (const Failure& failure) {
    CHECK_EQUAL(failure.kind(), FailureKind::token_unknown);
    return failure.what();
  }
  return "";
}

std::vector<float> applied(const LogitChanges& changes, const std::vector<Token>& context, std::vector<float> logits) {
  LogitChanger changer;
  changer.apply(changes, context, words(), logits);
  return logits;
}

/// Logits of the whole vocabulary, some of them negative.
std::vector<float> some_logits(unsigned seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, 5.0F);
  std::vector<float> logits(words().size());
  for (float& logit : logits) logit = normal(random);
  return logits;
}

/// The penalty by its definition: a set, and no cleverness.
std::vector<float> penalised_by_definition(const RepeatPenalty& repeat, const std::vector<Token>& context, std::vector<float> logits) {
  for (std::size_t token = 0; token < logits.size(); ++token) {
    const std::size_t window = std::min<std::size_t>(context.size(), repeat.window);
    const bool seen =
        std::find(context.end() - static_cast<std::ptrdiff_t>(window), context.end(), static_cast<Token>(token)) != context.end();
    if (!seen || words().ends(static_cast<Token>(token))) continue;
    logits[token] = logits[token] > 0 ? logits[token] / repeat.factor : logits[token] * repeat.factor;
  }
  return logits;
}

}  // namespace

TEST("R16: a bias is added to its token and to no other, and -100 bans it") {
  const std::vector<float> before = some_logits();
  const std::vector<float> after =
      applied(biased({{Token{7}, 2.5F}, {Token{0}, -99.0F}, {Token{9}, 100.0F}, {Token{8}, banning}}), {1, 2}, before);
  std::vector<float> expected = before;
  expected[7] += 2.5F;
  expected[0] -= 99.0F;
  expected[9] += 100.0F;
  expected[8] = never;
  CHECK(after == expected);
}

TEST("R16: biases of one token add up, whichever way it is named, and one ban is enough") {
  const std::string text(words().bytes(500));
  CHECK_EQUAL(biased({{Token{500}, 2.0F}, {text, 3.0F}}).biases.size(), 1U);
  CHECK_EQUAL(biased({{Token{500}, 2.0F}, {text, 3.0F}}).biases[0].bias, 5.0F);
  CHECK_EQUAL(biased({{Token{500}, banning}, {text, 100.0F}}).biases[0].bias, never);
  CHECK_EQUAL(biased({{Token{500}, -60.0F}, {text, -60.0F}}).biases[0].bias, -120.0F);
  // Nothing that changes nothing: such a request is like one without biases.
  CHECK(biased({{Token{500}, 2.0F}, {text, -2.0F}, {Token{3}, 0.0F}}).none());
}

TEST("R16: a text names every token that shows it, in each vocabulary, and no other") {
  std::mt19937 random(3);
  for (const auto& [name, model, vocabulary] : collections::vocabularies()) {
    for (int i = 0; i < 20; ++i) {
      const auto token = static_cast<Token>(random() % vocabulary->size());
      const std::string text(vocabulary->bytes(token));
      if (text.empty()) continue;
      const LogitChanges changes = logit_changes(std::vector<NamedBias>{{text, 1.0F}}, {}, *vocabulary, "base");
      std::size_t same = 0;
      for (std::size_t other = 0; other < vocabulary->size(); ++other) same += vocabulary->bytes(static_cast<Token>(other)) == text ? 1 : 0;
      CHECK_EQUAL(changes.biases.size(), same);
      bool found = false;
      for (const auto& [biased, bias] : changes.biases) {
        CHECK_EQUAL(std::string(vocabulary->bytes(biased)), text);
        found = found || biased == token;
      }
      CHECK(found);
    }
  }
}

TEST("R16: what is no token is refused by name, with the size of the vocabulary or the number of tokens") {
  const std::string size = std::to_string(words().size());
  CHECK(refusal({{static_cast<Token>(words().size()), 1.0F}})
            .find("names token " + size + ", and the base model's vocabulary has " + size + " tokens") != std::string::npos);
  CHECK(refusal({{Token{-1}, 1.0F}}).find("names token -1") != std::string::npos);
  CHECK(refusal({{static_cast<Token>(words().size() - 1), 1.0F}}).empty());
  const std::string message = refusal({{std::string("Hello world"), 1.0F}});
  CHECK(message.find("names the text \"Hello world\"") != std::string::npos);
  CHECK(message.find("it is 2 tokens there") != std::string::npos);
  CHECK(refusal({{std::string(" harbour\nmaster"), 1.0F}}).find("harbour\\nmaster") != std::string::npos);
  // Control tokens show nothing and have no text to be named by.
  CHECK(!refusal({{std::string("<|endoftext|>"), 1.0F}}).empty());
}

TEST("R16: in a vocabulary that puts a space in front of every text, a word is named as it stands in an answer") {
  const collections::Loaded spm = collections::load("llama-spm");
  CHECK(spm.vocabulary->prefixes_space());
  CHECK_EQUAL(logit_changes(std::vector<NamedBias>{{std::string(" Hello"), 1.0F}}, {}, *spm.vocabulary, "base").biases.size(), 1U);
  CHECK(refusal({{std::string(" Helloworldly"), 1.0F}}, *spm.vocabulary).find(" tokens there") != std::string::npos);
  // The letter, and the byte that stands for it where no other token does.
  CHECK_EQUAL(logit_changes(std::vector<NamedBias>{{std::string("A"), 1.0F}}, {}, *spm.vocabulary, "base").biases.size(), 2U);
  // How many tokens it is in the middle of a word cannot be told there, so nothing is said of it.
  CHECK(refusal({{std::string("Helloworldly"), 1.0F}}, *spm.vocabulary).find(" tokens there") == std::string::npos);
}

TEST("R16: one token must be left") {
  std::vector<NamedBias> all;
  for (std::size_t i = 0; i < words().size(); ++i) all.push_back({static_cast<Token>(i), banning});
  CHECK(refusal(all).find("bans all") != std::string::npos);
  all[5].bias = -99;
  CHECK(refusal(all).empty());
}

TEST("R16: the penalty is that of its definition, for windows of every size, and nothing is left of the last context") {
  std::mt19937 random(5);
  LogitChanger changer;
  for (const std::uint32_t window : {1U, 2U, 64U, 1000U}) {
    for (const float factor : {1.3F, 0.5F, 100.0F}) {
      const RepeatPenalty repeat{factor, window};
      const LogitChanges changes = logit_changes({}, repeat, words(), "base");
      for (const std::size_t length : {1U, 3U, 64U, 65U, 300U}) {
        std::vector<Token> context;
        for (std::size_t i = 0; i < length; ++i) context.push_back(static_cast<Token>(random() % 50));
        const std::vector<float> before = some_logits(window);
        std::vector<float> after = before;
        changer.apply(changes, context, words(), after);
        CHECK(after == penalised_by_definition(repeat, context, before));
        CHECK(after != before);
      }
    }
  }
}

TEST("R16: a token that was there often is penalised once, and one that ends a generation never") {
  const Token end = end_of_text();
  CHECK(end >= 0);
  const LogitChanges changes = logit_changes({}, {2.0F, 64}, words(), "base");
  std::vector<float> logits(words().size(), 3.0F);
  logits[4] = -3.0F;
  logits[6] = 0.0F;
  const std::vector<float> after = applied(changes, {5, 5, 5, 4, 6, end}, logits);
  CHECK_EQUAL(after[5], 1.5F);
  CHECK_EQUAL(after[4], -6.0F);
  CHECK_EQUAL(after[6], 0.0F);
  CHECK_EQUAL(after[static_cast<std::size_t>(end)], 3.0F);
}

TEST("R16: biases come before the penalty, and a banned token stays banned") {
  LogitChanges changes =
      logit_changes(std::vector<NamedBias>{{Token{5}, 4.0F}, {Token{6}, banning}, {end_of_text(), 2.0F}}, {2.0F, 64}, words(), "base");
  const std::vector<float> after = applied(changes, {5, 6, end_of_text()}, std::vector<float>(words().size(), -1.0F));
  // (-1 + 4) / 2, not -1 * 2 + 4.
  CHECK_EQUAL(after[5], 1.5F);
  CHECK_EQUAL(after[6], never);
  CHECK_EQUAL(after[static_cast<std::size_t>(end_of_text())], 1.0F);
}

TEST("R16: without a penalty the window is nothing, so that it makes no settings unequal") {
  CHECK(logit_changes({}, {1.0F, 3}, words(), "base") == logit_changes({}, {1.0F, 64}, words(), "base"));
  CHECK(logit_changes({}, {1.0F, 3}, words(), "base").none());
  CHECK(logit_changes({}, {1.1F, 3}, words(), "base") != logit_changes({}, {1.1F, 64}, words(), "base"));
}
