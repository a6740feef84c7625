#include "text/text_tokens.h"

#include <algorithm>

namespace nudging {

const std::vector<Token>& TextTokens::follow(std::string_view text) {
  if (complete_ && text == text_) return tokens_;
  complete_ = false;
  const auto unchanged =
      static_cast<std::size_t>(std::mismatch(text_.begin(), text_.end(), text.begin(), text.end()).first - text_.begin());
  // A cut is decided by the letter before the space, the space, and the letter behind it: all three must still be there.
  while (!cuts_.empty() && cuts_.back().offset + 2 > unchanged) cuts_.pop_back();
  const Cut start = cuts_.empty() ? Cut{0, 0} : cuts_.back();

  text_.resize(start.offset);
  text_ += text.substr(start.offset);
  tokens_.resize(start.tokens);

  const std::size_t split = vocabulary_->last_split(text_, start.offset);
  if (split > start.offset) {
    append(start.offset, split);
    cuts_.push_back({split, tokens_.size()});
  }
  append(std::max(split, start.offset), text_.size());
  complete_ = true;
  return tokens_;
}

void TextTokens::append(std::size_t from, std::size_t to) {
  std::string_view part = std::string_view(text_).substr(from, to - from);
  // The tokenizer puts a space in front of every text that it is given: at a cut, that one stands for the space that is there.
  if (from > 0 && vocabulary_->prefixes_space()) part.remove_prefix(1);
  const std::vector<Token> tokens = vocabulary_->tokenize(part);
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
}

}  // namespace nudging
