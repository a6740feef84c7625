#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nudge/guess.h"
#include "nudge/top1.h"
#include "nudge/utf8.h"

namespace nudging {

/// R3, R4: what the aligned model proposes: up to L tokens, seen as text.
class Draft {
 public:
  /// Adds a token that the model has said.
  void add(const Top1& said) {
    characters_.feed(said.bytes, text_);
    shown_.push_back(text_.size());
    probabilities_.push_back(said.probability);
    tokens_.push_back(said.token);
  }
  /// R3: the aligned model has reached its end of text.
  void end() { ended_ = true; }

  std::string_view text() const { return text_; }
  bool ended() const { return ended_; }
  const std::vector<Token>& tokens() const { return tokens_; }

  /// The text from byte `from` on, as a guess of what somebody else will say there.
  Guess rest(std::size_t from) const {
    std::vector<Guess::Part> parts;
    for (std::size_t i = 0; i < shown_.size(); ++i) {
      if (shown_[i] > from) parts.push_back({shown_[i] - from, probabilities_[i]});
    }
    return {std::string_view(text_).substr(from), std::move(parts)};
  }

  /// How many tokens begin at byte `from` or behind it. A token begins where the text of those before it ends.
  std::size_t begun(std::size_t from) const { return tokens_.size() - first_from(from); }

  /// R18: how probable the model finds what begins at byte `from`, given what is in front of it: the product over the tokens that begin
  /// there or behind it, but in front of byte `to`, at most `count` of them.
  float probability(std::size_t from, std::size_t to, std::size_t count) const {
    float product = 1;
    const std::size_t first = first_from(from);
    for (std::size_t i = first; i < tokens_.size() && i < first + count && begin(i) < to; ++i) product *= probabilities_[i];
    return product;
  }

  /// R12: the smallest number of leading tokens whose text covers `length` bytes.
  std::size_t cost(std::size_t length) const {
    if (length == 0) return 0;
    return static_cast<std::size_t>(std::lower_bound(shown_.begin(), shown_.end(), length) - shown_.begin()) + 1;
  }

  /// R13: how many bytes of text the first `tokens` tokens show.
  std::size_t shown(std::size_t tokens) const {
    if (tokens == 0) return 0;
    return shown_.empty() ? 0 : shown_[std::min(tokens, shown_.size()) - 1];
  }

 private:
  std::size_t begin(std::size_t token) const { return token == 0 ? 0 : shown_[token - 1]; }
  std::size_t first_from(std::size_t from) const {
    std::size_t first = 0;
    while (first < tokens_.size() && begin(first) < from) ++first;
    return first;
  }

  Utf8Stream characters_;
  std::string text_;
  std::vector<std::size_t> shown_;
  std::vector<float> probabilities_;
  std::vector<Token> tokens_;
  bool ended_ = false;
};

}  // namespace nudging
