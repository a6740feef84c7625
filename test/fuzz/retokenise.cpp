// libFuzzer: the bytes choose a vocabulary and a text that grows and shrinks. Tokens of the windowed tokenising (TextTokens) must be those
// of the whole text.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "basics/failure.h"
#include "text/text_tokens.h"
#include "vocabularies.h"

namespace {

/// Files under 3 MB, one or more of each kind of splitting; the others would take minutes to load under the sanitizers.
const std::vector<collections::Loaded>& vocabularies() {
  static const std::vector<collections::Loaded> small = [] {
    std::vector<collections::Loaded> loaded;
    for (const char* name :
         {"llama-spm", "gpt-2", "phi-3", "baichuan", "deepseek-coder", "falcon", "refact", "starcoder", "gpt-neox", "mpt"})
      loaded.push_back(collections::load(name));
    return loaded;
  }();
  return small;
}

/// Words that are likely to meet cuts and merges, chosen by bytes above 0x7F; other bytes stand for themselves, so the text is valid UTF-8.
constexpr std::array words = {" the",
                              " of",
                              "a b",
                              " I'm",
                              " don't",
                              "  ",
                              "\n\n",
                              " 1234",
                              "\xC3\xA9",
                              "\xE6\xB8\xAF",
                              "\xF0\x9F\x99\x82",
                              " harbor",
                              "\t",
                              "</s>",
                              "<s>",
                              "▁",
                              " x y",
                              "e\xCC\x81",
                              " \n ",
                              "\r\n",
                              ".",
                              " z",
                              "A",
                              "<0x0A>",
                              "<|endoftext|>",
                              "\xC2\xA0"};

void append(std::string& text, std::uint8_t byte) {
  if (byte < 0x80)
    text += static_cast<char>(byte);
  else
    text += words[byte % words.size()];
}

void check(nudging::TextTokens& window, const nudging::Vocabulary& vocabulary, const std::string& text, const std::string& name) {
  if (window.follow(text) == vocabulary.tokenize(text)) return;
  std::cerr << name << " gives other tokens for the text of " << text.size() << " bytes:\n" << text << "\n";
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  vocabularies();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const collections::Loaded& chosen = vocabularies()[data[0] % vocabularies().size()];
  nudging::TextTokens window(*chosen.vocabulary);
  std::string text;
  // Where the text stood at earlier steps, to go back to.
  std::vector<std::size_t> marks{0};
  for (std::size_t i = 1; i < size; ++i) {
    if (data[i] == 0x01) {
      check(window, *chosen.vocabulary, text, chosen.name);
      marks.push_back(text.size());
    } else if (data[i] == 0x02 && i + 1 < size) {
      text.resize(marks[data[++i] % marks.size()]);
      while (marks.back() > text.size()) marks.pop_back();
    } else {
      append(text, data[i]);
    }
  }
  check(window, *chosen.vocabulary, text, chosen.name);
  return 0;
}
