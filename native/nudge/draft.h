#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "nudge/utf8.h"

namespace nudging {

/// R3, R4: what the aligned model proposes: up to L tokens, seen as text.
class Draft {
 public:
  /// Adds a token's bytes.
  void add(std::string_view bytes) {
    characters_.feed(bytes, text_);
    shown_.push_back(text_.size());
  }
  /// R3: the aligned model has reached its end of text.
  void end() { ended_ = true; }

  std::string_view text() const { return text_; }
  bool ended() const { return ended_; }

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
  Utf8Stream characters_;
  std::string text_;
  std::vector<std::size_t> shown_;
  bool ended_ = false;
};

}  // namespace nudging
