#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "bytes/byte_law.h"
#include "check.h"
#include "text/text_tokens.h"
#include "vocabularies.h"

namespace nudging {
namespace {

/// Texts with what tokenizers treat in ways of their own: white space, digits, contractions, scripts without spaces, emoji.
const std::vector<std::string> texts{
    "The quick brown fox jumps over the lazy dog, and it's 12345 times  as fast;\n\n  so they've said.\r\n\tIt'LL (2+2=4) be \"done\"!!!",
    "def f(x):\n    return [x[0] for i in range(10)]  # ok\n\n\n\nprint(f(\"a\"))\n",
    "Die Straße führt über 1.000,50 € nach Köln – früher hieß sie »Öde«.",
    "日本語の文章は空白がない。北京是中国的首都，人口2189万。",
    "Привет, мир! Ελληνικά και עברית, العربية. 👩‍🚀🎉 naïve café",
    "aaaaaaaaaaaaaaaa        b --------- ================ x\n\n\n\n\ny",
};

/// A model without weights: it spells, and is not asked.
class Speller final : public Lane, public Spelling {
 public:
  Speller(const Vocabulary& vocabulary, std::string beginning)
      : vocabulary_(vocabulary), beginning_(std::move(beginning)), tokens_(vocabulary) {}

  void set_text(std::string_view) override {}
  void push(Token) override {}
  void pop(std::size_t) override {}

  const TokenOrder& order() override { return vocabulary_.order(); }
  std::string_view beginning() override { return beginning_; }
  std::size_t settled() override { return vocabulary_.last_split(beginning_); }
  bool prefixes_space() override { return vocabulary_.prefixes_space(); }
  const std::vector<Token>& spell(std::string_view text) override { return tokens_.follow(text); }
  void set_tokens(std::span<const Token>) override {}
  void take_along(std::vector<std::vector<Token>>) override {}
  std::vector<std::vector<float>> taken_along() override { return {}; }

 protected:
  bool answered(Wanted) override { throw std::logic_error("not asked"); }
  void ask(Wanted, std::coroutine_handle<>) override {}
  Top1 answer() override { return {}; }
  std::span<const float> logits() override { return {}; }

 private:
  const Vocabulary& vocabulary_;
  std::string beginning_;
  TextTokens tokens_;
};

}  // namespace

TEST("R42: what a vocabulary spells is spelled that way all along, so a text always has a valid cover") {
  std::size_t spelled = 0;
  for (const collections::Loaded& loaded : collections::vocabularies()) {
    if (!loaded.vocabulary->spells()) continue;
    ++spelled;
    for (const std::string& text : texts) {
      Speller speller(*loaded.vocabulary, "");
      ByteLaw law(speller, speller);
      for (const char byte : text) law.append(static_cast<unsigned char>(byte));
      if (law.restarts() > 0) std::cout << loaded.name << ": " << law.restarts() << " restarts in " << text << "\n";
      CHECK_EQUAL(law.restarts(), 0U);
    }
  }
  CHECK(spelled >= 10);
}

TEST("R41: the tokens of a vocabulary in the order of their bytes") {
  for (const collections::Loaded& loaded : collections::vocabularies()) {
    const Vocabulary& vocabulary = *loaded.vocabulary;
    const TokenOrder& order = vocabulary.order();
    std::size_t placed = 0;
    for (Token token = 0; token < static_cast<Token>(vocabulary.size()); ++token) {
      const std::size_t place = order.place(token);
      const bool shows = !vocabulary.ends(token) && !vocabulary.bytes(token).empty();
      CHECK_EQUAL(place != TokenOrder::nowhere, shows);
      if (place == TokenOrder::nowhere) continue;
      ++placed;
      CHECK_EQUAL(order.bytes(place), vocabulary.bytes(token));
      if (place > 0) CHECK(order.bytes(place - 1) <= order.bytes(place));
    }
    CHECK_EQUAL(placed, order.all().size());
  }
}

}  // namespace nudging
