#include "nudge/thinking_part.h"

#include <algorithm>
#include <vector>

namespace nudging {

namespace {

constexpr std::string_view white_space = " \t\n\v\f\r";

std::vector<std::string> closing(const std::optional<ThinkingMarks>& marks) {
  return marks ? std::vector{marks->close} : std::vector<std::string>{};
}

}  // namespace

ThinkingPart::ThinkingPart(const std::optional<ThinkingMarks>& marks, State start)
    : open_(marks ? marks->open : ""),
      close_size_(marks ? marks->close.size() : 0),
      close_(closing(marks)),
      state_(marks ? start : State::answer) {}

std::string_view ThinkingPart::read(std::string_view text) {
  switch (state_) {
    case State::undecided: held_ += text; return read_undecided();
    case State::thinking: return read_thinking(text);
    case State::gap: return read_gap(text);
    case State::answer: return text;
  }
  return text;
}

std::string_view ThinkingPart::read_undecided() {
  blank_ = std::min(held_.find_first_not_of(white_space, blank_), held_.size());
  const std::string_view shown = std::string_view(held_).substr(blank_);
  if (shown.size() < open_.size() && open_.starts_with(shown)) return {};
  if (!shown.starts_with(open_)) {
    state_ = State::answer;
    return held_;
  }
  state_ = State::thinking;
  begin_ = blank_ + open_.size();
  return read_thinking(shown.substr(open_.size()));
}

std::string_view ThinkingPart::read_thinking(std::string_view text) {
  const std::optional<std::size_t> found = close_.read(text);
  if (!found) {
    searched_ += text.size();
    return {};
  }
  const std::size_t end = *found + close_size_;
  state_ = State::gap;
  begin_ += end;
  return read_gap(text.substr(end - searched_));
}

std::string_view ThinkingPart::read_gap(std::string_view text) {
  const std::size_t first = std::min(text.find_first_not_of(white_space), text.size());
  begin_ += first;
  if (first < text.size()) state_ = State::answer;
  return text.substr(first);
}

}  // namespace nudging
