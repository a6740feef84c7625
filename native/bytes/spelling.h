#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "bytes/token_order.h"

namespace nudging {

/// How one model spells text in one request: what the byte level needs to know of a lane besides what it says.
///
/// `text` is always all of the plain text behind the last control token of the prompt: the prompt's own, and the answer's.
class Spelling {
 public:
  virtual ~Spelling() = default;

  virtual const TokenOrder& order() = 0;
  /// The prompt's plain text behind its last control token, which merges may cross on their way into the answer.
  virtual std::string_view beginning() = 0;
  /// A number of bytes of `beginning()` whose tokens are given: they stay whatever follows, or a template wrote them. 0 if there are none.
  virtual std::size_t settled() = 0;
  /// Whether the tokens of a text show a space in front that the text does not have.
  virtual bool prefixes_space() = 0;
  /// The tokens of `text`: its canonical spelling. Valid until the next call.
  virtual const std::vector<Token>& spell(std::string_view text) = 0;
  /// The context becomes the prompt up to its last control token, and these tokens as they are.
  virtual void set_tokens(std::span<const Token> tokens) = 0;
  /// Other contexts that the next question takes along, the most important one first: what the model says behind them costs a few tokens
  /// more, but no pass.
  virtual void take_along(std::vector<std::vector<Token>> contexts) = 0;
  /// What it says behind each of them, once that question is answered: the logits of its vocabulary, or none where there was no room.
  virtual std::vector<std::vector<float>> taken_along() = 0;
};

}  // namespace nudging
