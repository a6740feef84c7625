#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nudge/top1.h"

namespace nudging {

/// The tokens of a vocabulary in the order of their bytes, so that those that begin with the same bytes stand side by side. That is a trie
/// without nodes: a range of places is a node, and its depth is what all of its tokens have in common. Left out are tokens that end a
/// generation or show nothing. Immutable after construction, so any thread may read it.
class TokenOrder {
 public:
  /// Places from `begin` up to `end`.
  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool empty() const { return begin == end; }
    std::size_t size() const { return end - begin; }
  };
  static constexpr std::size_t nowhere = SIZE_MAX;

  /// `bytes` and `ends` are asked for each token below `count`, and not kept.
  TokenOrder(std::size_t count, const std::function<std::string_view(Token)>& bytes, const std::function<bool(Token)>& ends);

  Range all() const { return {0, tokens_.size()}; }
  Token token(std::size_t place) const { return tokens_[place]; }
  std::string_view bytes(std::size_t place) const { return std::string_view(text_).substr(starts_[place], length(place)); }
  std::size_t length(std::size_t place) const { return starts_[place + 1] - starts_[place]; }
  unsigned char byte(std::size_t place, std::size_t depth) const { return static_cast<unsigned char>(text_[starts_[place] + depth]); }
  /// Where a token stands; `nowhere` if it is left out.
  std::size_t place(Token token) const { return places_[static_cast<std::size_t>(token)]; }

  /// Of a range whose tokens have `depth` bytes in common, and more bytes, those that go on with `byte`.
  Range narrow(Range range, std::size_t depth, unsigned char byte) const;

  /// Tokens that end a generation.
  std::span<const Token> ending() const { return ending_; }
  /// Bytes of the longest token.
  std::size_t longest() const { return longest_; }
  /// What it takes in memory, in bytes.
  std::size_t memory() const;

 private:
  std::vector<Token> tokens_;
  std::vector<std::size_t> places_;
  std::vector<Token> ending_;
  /// The bytes of all tokens, in their order; one start more than tokens.
  std::string text_;
  std::vector<std::uint32_t> starts_;
  std::size_t longest_ = 0;
};

}  // namespace nudging
