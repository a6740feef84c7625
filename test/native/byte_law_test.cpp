#include "bytes/byte_law.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "byte_oracle.h"
#include "check.h"
#include "toy_model.h"

namespace nudging {
namespace {

Masses exact(ByteLaw& law) {
  Task<Masses> task = law.exact();
  task.start();
  return task.take();
}

/// Largest relative difference of two laws.
double difference(const Masses& a, const Masses& b) {
  double largest = 0;
  for (std::size_t i = 0; i < symbol_count; ++i) {
    const double scale = std::max(std::abs(a[i]), std::abs(b[i]));
    if (scale > 0) largest = std::max(largest, std::abs(a[i] - b[i]) / scale);
  }
  return largest;
}

std::vector<std::string> texts(const std::vector<std::string>& letters, std::size_t most) {
  std::vector<std::string> all{""};
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const std::string& letter : letters) {
      if (all[i].size() + letter.size() <= most) all.push_back(all[i] + letter);
    }
  }
  return all;
}

/// Compares the law after every text with the oracle's, and returns how many it compared.
std::size_t compare(const ToyModel::Vocabulary& vocabulary, const std::string& beginning, const std::vector<std::string>& letters,
                    std::size_t settled = 0) {
  ToyModel model(vocabulary, beginning);
  model.settled_ = settled;
  Oracle oracle(model);
  const std::vector<std::string> all = texts(letters, 6);
  double worst = 0;
  for (const std::string& text : all) {
    ByteLaw law(model, model);
    for (const char byte : text) law.append(static_cast<unsigned char>(byte));
    worst = std::max(worst, difference(exact(law), oracle((vocabulary.prefixes_space ? " " : "") + beginning + text)));
    CHECK_EQUAL(law.restarts(), 0U);
  }
  CHECK(worst < 1e-6);
  return all.size();
}

}  // namespace

TEST("R41: the law of the next byte is that of all valid spellings, for every text of up to six bytes") {
  CHECK_EQUAL(compare(plain, "", {"a", "b", "c"}), 1093U);
  CHECK_EQUAL(compare(words, "", {"a", "b", " "}), 1093U);
}

TEST("R41: what the prompt ends with may become one token with what the answer begins with") {
  compare(plain, "bca", {"a", "b", "c"});
  compare(words, "ab a", {"a", "b", " "});
}

TEST("R41: a place where the prompt's tokens are settled changes nothing but the work") {
  // A word begins at its space, so the tokens in front of it stay.
  compare(words, "ab a", {"a", "b", " "}, 2);
}

TEST("R41: the space in front of every text is spelled, and is no part of it") {
  compare(prefixed, "", {"a", "b", " "});
  compare(prefixed, "ab a", {"a", "b", " "});
}

TEST("R42: white space is spelled as if something followed it, too") {
  compare(looking_ahead, "", {"a", "b", "\n"});
  compare(looking_ahead, "a\n\n", {"a", "b", "\n"});
}

TEST("R42: inside a character every spelling counts, and at its end only the valid one") {
  // Every text, also those that end inside a character.
  compare(characters, "", {"a", "\xC3\xA9", "\xC3\xBC"});
  ToyModel model(characters);
  Oracle oracle(model);
  for (const std::string& text : texts({"a", "\xC3\xA9", "\xC3\xBC"}, 5)) {
    ByteLaw law(model, model);
    for (const char byte : text + "\xC3") law.append(static_cast<unsigned char>(byte));
    CHECK(difference(exact(law), oracle(text + "\xC3")) < 1e-6);
  }
}

TEST("R41: of a model that says only what it would spell so, P(text) is the sum over its spellings") {
  ToyModel model(words, "");
  model.say_only_canonical();
  // P(text): all covers, each with the probability of its tokens.
  const auto sum = [&](const std::string& text) {
    double total = 0;
    const auto go_on = [&](const auto& self, std::vector<Token>& tokens, std::string_view left, double weight) -> void {
      if (left.empty()) return void(total += weight);
      const std::vector<float> logits = model.logits_after(tokens);
      double all = 0;
      for (const float logit : logits) all += std::exp(static_cast<double>(logit));
      for (std::size_t i = 0; i < logits.size(); ++i) {
        const std::string_view bytes = model.bytes(static_cast<Token>(i));
        if (bytes.empty() || (!left.starts_with(bytes) && !bytes.starts_with(left))) continue;
        tokens.push_back(static_cast<Token>(i));
        self(self, tokens, left.substr(std::min(left.size(), bytes.size())), weight * std::exp(static_cast<double>(logits[i])) / all);
        tokens.pop_back();
      }
    };
    std::vector<Token> none;
    go_on(go_on, none, text, 1);
    return total;
  };
  for (const std::string& text : texts({"a", "b", " "}, 6)) {
    ByteLaw law(model, model);
    double product = 1;
    for (const char byte : text) {
      product *= exact(law)[static_cast<unsigned char>(byte)];
      law.append(static_cast<unsigned char>(byte));
    }
    const double expected = sum(text);
    CHECK(std::abs(product - expected) <= 1e-6 * expected);
  }
}

TEST("R43: the bounds hold before all is known, and close as the model is asked") {
  ToyModel model(words, "ab ");
  for (const std::string& text : texts({"a", "b", " "}, 5)) {
    ByteLaw law(model, model);
    for (const char byte : text) law.append(static_cast<unsigned char>(byte));
    ByteLaw whole(model, model);
    for (const char byte : text) whole.append(static_cast<unsigned char>(byte));
    const Masses is = exact(whole);
    double open = std::numeric_limits<double>::infinity();
    while (law.bounds().open > 0) {
      const ByteLaw::Bounds& bounds = law.bounds();
      const double all = bounds.total + bounds.open;
      for (std::size_t i = 0; i < symbol_count; ++i) {
        CHECK(bounds.known[i] / all <= is[i] * (1 + 1e-12));
        CHECK((bounds.known[i] + bounds.open) / all >= is[i] * (1 - 1e-12));
      }
      CHECK(bounds.open <= open * (1 + 1e-12));
      open = bounds.open;
      Task<bool> task = law.learn();
      task.start();
      CHECK(task.take());
    }
  }
}

TEST("R43: a place that all spellings have in common needs no question about what is in front of it") {
  ToyModel model(words, "ab ab ab");
  ByteLaw law(model, model);
  exact(law);
  for (const std::vector<Token>& question : model.questions) {
    CHECK(question.size() >= 2);
    CHECK_EQUAL(question[0], model.token("ab"));
    CHECK_EQUAL(question[1], model.token(" ab"));
  }
}

TEST("R43: the model is asked about no context twice while a text grows") {
  ToyModel model(words, "a");
  ByteLaw law(model, model);
  for (const char byte : std::string("ab abba  ab")) {
    exact(law);
    law.append(static_cast<unsigned char>(byte));
  }
  std::sort(model.questions.begin(), model.questions.end());
  CHECK(std::adjacent_find(model.questions.begin(), model.questions.end()) == model.questions.end());
  CHECK_EQUAL(law.asked(), model.questions.size());
}

TEST("R43: one question answers all places that a guess leads to, whether it comes true or not") {
  for (const ToyModel::Vocabulary& vocabulary : {plain, words, looking_ahead}) {
    const std::string letters = vocabulary.looks_ahead ? "ab\n" : vocabulary.words ? "ab " : "abc";
    ToyModel counted(vocabulary);
    Oracle oracle(counted);
    for (const std::string& text : texts({letters.substr(0, 1), letters.substr(1, 1), letters.substr(2, 1)}, 4)) {
      for (const std::string& guess : {text, std::string("ba") + letters[2]}) {
        ToyModel model(vocabulary);
        model.most_along = 100;
        ByteLaw law(model, model);
        Task<bool> task = law.learn({guess, std::vector<double>(guess.size(), 1)}, 0);
        task.start();
        task.take();
        std::string shown;
        for (const char byte : text) {
          if (guess == text) CHECK_EQUAL(law.bounds().open, 0);
          CHECK(difference(exact(law), oracle(shown)) < 1e-6);
          law.append(static_cast<unsigned char>(byte));
          shown += byte;
        }
        if (guess == text) CHECK_EQUAL(law.asked(), 1U);
        std::sort(model.questions.begin(), model.questions.end());
        CHECK(std::adjacent_find(model.questions.begin(), model.questions.end()) == model.questions.end());
      }
    }
  }
}

TEST("R43: where a question can take nothing along, the places are asked one after the other") {
  ToyModel model(words, "ab");
  model.most_along = 0;
  Oracle oracle(model);
  ByteLaw law(model, model);
  Task<bool> task = law.learn({"ab a", {1, 1, 1, 1}}, 0);
  task.start();
  task.take();
  std::string shown = "ab";
  for (const char byte : std::string("ab a")) {
    CHECK(difference(exact(law), oracle(shown)) < 1e-6);
    law.append(static_cast<unsigned char>(byte));
    shown += byte;
  }
  CHECK(law.asked() > 1);
}

TEST("R43: what has too little weight to matter is not asked about by the way") {
  std::size_t all = 0;
  std::size_t some = 0;
  for (const double negligible : {0.0, 0.5}) {
    ToyModel model(words, "ab");
    model.most_along = 100;
    ByteLaw law(model, model);
    exact(law);
    law.append('b');
    Task<bool> task = law.learn({"a ab", {0.1, 0.1, 0.1, 0.9}}, negligible);
    task.start();
    task.take();
    (negligible == 0 ? all : some) = model.questions.size();
  }
  CHECK(some < all);
}

TEST("R44: where no valid spelling is left, the model goes on from the canonical one") {
  ToyModel model(plain);
  // What begins with b begins with a token that is banned, whoever has said it.
  model.ban("b");
  model.ban("bc");
  ByteLaw law(model, model);
  exact(law);
  law.append('b');
  const Masses said = exact(law);
  CHECK_EQUAL(law.restarts(), 1U);
  CHECK_EQUAL(model.questions.back(), std::vector<Token>{model.token("b")});
  CHECK(std::abs(std::accumulate(said.begin(), said.end(), 0.0) - 1) < 1e-12);
}

TEST("R44: a model that has nothing to say is asked once") {
  ToyModel model(plain);
  for (const char* token : {"a", "b", "c", "ab", "abc", "ca", "bc", "aa", "aab"}) model.ban(token);
  ByteLaw law(model, model);
  const Masses said = exact(law);
  // The end is left.
  CHECK(std::abs(said[end_symbol] - 1) < 1e-12);
  CHECK_EQUAL(model.questions.size(), 1U);
}

}  // namespace nudging
