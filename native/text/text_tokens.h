#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "text/vocabulary.h"

namespace nudging {

/// The tokens of a text that grows and shrinks at its end. After every change they are the tokens of the whole text, tokenised afresh, but
/// only the part behind the last safe cut in what stayed the same is tokenised again: a word or two, however long the text is.
class TextTokens {
 public:
  explicit TextTokens(const Vocabulary& vocabulary) : vocabulary_(&vocabulary) {}

  /// The tokens of `text`; the same as `vocabulary.tokenize(text)`. Valid until the next call.
  const std::vector<Token>& follow(std::string_view text);
  /// Those of the last text.
  const std::vector<Token>& tokens() const { return tokens_; }

 private:
  /// A place where the text may be cut (Vocabulary::splits), and the tokens in front of it.
  struct Cut {
    std::size_t offset;
    std::size_t tokens;
  };
  void append(std::size_t from, std::size_t to);

  const Vocabulary* vocabulary_;
  std::string text_;
  std::vector<Token> tokens_;
  std::vector<Cut> cuts_;
  /// Whether `tokens_` are all of the text's: tokenising may have thrown.
  bool complete_ = true;
};

}  // namespace nudging
