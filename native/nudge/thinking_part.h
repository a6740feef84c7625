#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nudge/stop_strings.h"

namespace nudging {

/// What stands around the thinking of a model that thinks before it answers, such as "<think>" and "</think>". Neither is empty.
struct ThinkingMarks {
  std::string open;
  std::string close;
};

/// Finds where the answer itself begins in a text that grows. A text has a thinking part if it begins with the opening mark, white space
/// aside; the part ends with the first closing mark, and the white space behind that belongs to neither. A text without one is an answer
/// from its first byte.
class ThinkingPart {
 public:
  /// `undecided`: what was read may become an opening mark. `gap`: behind the closing mark, where the answer has not begun.
  enum class State : std::uint8_t { undecided, thinking, gap, answer };

  /// Without marks every text is an answer. `start`: `thinking`, if the opening mark stands in front of the text already.
  explicit ThinkingPart(const std::optional<ThinkingMarks>& marks, State start = State::undecided);

  /// Reads on. Returns what turned out to belong to the answer, which may have been read before; valid until the next call, and as long as
  /// `text`.
  std::string_view read(std::string_view text);

  State state() const { return state_; }
  /// Where the answer begins, in bytes from the beginning of everything read. Only if it has begun.
  std::size_t begin() const { return begin_; }
  /// Bytes at the end of what was read that may yet turn out to belong to the answer.
  std::size_t undecided() const { return state_ == State::undecided ? held_.size() : 0; }

 private:
  std::string_view read_undecided();
  std::string_view read_thinking(std::string_view text);
  std::string_view read_gap(std::string_view text);

  std::string open_;
  std::size_t close_size_ = 0;
  StopStrings close_;
  State state_;
  /// What was read while it was undecided, and the white space in front of it.
  std::string held_;
  std::size_t blank_ = 0;
  /// What `close_` has read.
  std::size_t searched_ = 0;
  std::size_t begin_ = 0;
};

}  // namespace nudging
