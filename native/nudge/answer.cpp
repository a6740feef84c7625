#include "nudge/answer.h"

#include <algorithm>

namespace nudging {

void Answer::add_words(std::string_view words, std::optional<float> base_probability) {
  rounds_.back().words += words;
  append(words, Source::nudge, base_probability);
}

void Answer::add_token(std::string_view shown, Source source, float probability) {
  Round& round = rounds_.back();
  (source == Source::base ? round.base : round.words) += shown;
  append(shown, source, probability);
}

void Answer::spend(std::size_t tokens, Source source) {
  used_ = std::min(used_ + tokens, limits_.max_tokens);
  if (source == Source::base) base_tokens_ += tokens;
  if (used_ == limits_.max_tokens && !ended_) ended_ = StopReason::length;
}

void Answer::append(std::string_view text, Source source, std::optional<float> probability) {
  if (text.empty()) return;
  const std::size_t before = text_.size();
  text_ += text;
  pieces_.push_back({std::string(text), source, probability});

  std::size_t first = std::string::npos;
  for (const std::string& stop : limits_.stop) {
    // A stop string that begins in earlier text ends in the new text.
    const std::size_t from = before - std::min(before, stop.size() - 1);
    first = std::min(first, text_.find(stop, from));
  }
  if (first != std::string::npos) {
    cut(first);
    ended_ = StopReason::stop;
  }
}

void Answer::cut(std::size_t length) {
  std::size_t excess = text_.size() - length;
  text_.resize(length);
  for (std::size_t left = excess; left > 0;) {
    std::string& last = pieces_.back().text;
    const std::size_t taken = std::min(left, last.size());
    last.resize(last.size() - taken);
    left -= taken;
    if (last.empty()) pieces_.pop_back();
  }
  for (auto round = rounds_.rbegin(); excess > 0; ++round) {
    for (std::string* part : {&round->base, &round->words}) {
      const std::size_t taken = std::min(excess, part->size());
      part->resize(part->size() - taken);
      excess -= taken;
    }
  }
}

std::size_t Answer::reportable() const {
  if (finished_ || ended_) return pieces_.size();
  // The longest end of the text that a stop string begins with is held back.
  std::size_t held = 0;
  for (const std::string& stop : limits_.stop) {
    for (std::size_t length = std::min(stop.size() - 1, text_.size()); length > held; --length) {
      if (text_.ends_with(std::string_view(stop).substr(0, length))) held = length;
    }
  }
  std::size_t count = pieces_.size();
  for (std::size_t covered = 0; covered < held; --count) covered += pieces_[count - 1].text.size();
  return count;
}

}  // namespace nudging
