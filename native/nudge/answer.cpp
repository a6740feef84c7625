#include "nudge/answer.h"

#include <algorithm>

namespace nudging {

void Answer::add_words(std::string_view words, std::optional<float> base_probability) {
  rounds_.back().words += words;
  append(words, Source::nudge, base_probability);
}

void Answer::add_token(std::string_view shown, Source source, float probability, std::optional<bool> agreed) {
  Round& round = rounds_.back();
  (source == Source::nudge ? round.words : round.base) += shown;
  append(shown, source, probability, agreed);
}

void Answer::spend(std::size_t tokens, Source source) {
  used_ = std::min(used_ + tokens, limits_.max_tokens);
  if (source == Source::base) base_tokens_ += tokens;
  if (source == Source::mix) mixed_tokens_ += tokens;
  if (used_ == limits_.max_tokens && !ended_) ended_ = StopReason::length;
}

void Answer::end(Source by) {
  if (ended_ == StopReason::stop) return;
  ended_ = StopReason::end;
  ended_by_ = by;
}

void Answer::append(std::string_view text, Source source, std::optional<float> probability, std::optional<bool> agreed) {
  if (text.empty()) return;
  text_ += text;
  pieces_.push_back({std::string(text), source, probability, agreed});

  if (const auto first = stops_.read(thinking_.read(text))) {
    cut(thinking_.begin() + *first);
    ended_ = StopReason::stop;
  }
}

void Answer::cut(std::size_t length) {
  std::size_t excess = text_.size() - length;
  text_.resize(length);
  passed_ = std::min(passed_, length);
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

void Answer::refuse() {
  cut(passed_);
  ended_ = StopReason::refused;
  ended_by_.reset();
}

void Answer::finish() {
  finished_ = true;
  if (guard_ != nullptr && unchecked()) cut(passed_);
}

std::size_t Answer::reportable() const {
  const std::size_t not_passed = guard_ == nullptr ? 0 : text_.size() - passed_;
  // The longest end of the text that a stop string begins with is held back, and what may yet have to be searched for one.
  const std::size_t begun = finished_ || ended_ || limits_.stop.empty() ? 0 : std::max(stops_.begun(), thinking_.undecided());
  const std::size_t held = std::max(begun, not_passed);
  std::size_t count = pieces_.size();
  for (std::size_t covered = 0; covered < held; --count) covered += pieces_[count - 1].text.size();
  return count;
}

}  // namespace nudging
