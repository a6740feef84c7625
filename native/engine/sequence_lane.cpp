#include "engine/sequence_lane.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/stopwatch.h"

namespace nudging {

namespace {

std::size_t common_prefix(const std::vector<Token>& a, const std::vector<Token>& b) {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

}  // namespace

void SequenceLane::begin(Prompt prompt) {
  prompt_ = std::move(prompt);
  stats_ = {};
  asker_ = nullptr;
  set_text({});
  stats_.prompt_tokens = wanted_.size();
  stats_.cached_prompt_tokens = std::min(common_prefix(cached_, wanted_), wanted_.empty() ? 0 : wanted_.size() - 1);
}

void SequenceLane::forget() {
  context_.clear(sequence_);
  cached_.clear();
  answers_.clear();
}

void SequenceLane::set_text(std::string_view text) {
  const Stopwatch watch(stats_.tokenize_ms);
  const std::vector<Token>& tokens = text_.follow(prompt_.tail + std::string(text));
  wanted_ = prompt_.head;
  wanted_.insert(wanted_.end(), tokens.begin(), tokens.end());
}

bool SequenceLane::answered() {
  ++stats_.questions;
  const std::size_t length = wanted_.size();
  if (length == 0 || length > cached_.size() || !answers_[length - 1] || common_prefix(cached_, wanted_) < length) return false;
  ++stats_.remembered;
  return true;
}

void SequenceLane::prepare() {
  // The last token is decoded in any case: its logits are what is asked for.
  const std::size_t kept = std::min(common_prefix(cached_, wanted_), wanted_.size() - 1);
  if (kept < cached_.size()) cut(kept);
}

void SequenceLane::cut(std::size_t length) {
  ++stats_.rewinds;
  stats_.rewound_tokens += cached_.size() - length;
  if (!context_.cut(sequence_, length)) {
    // Recurrent state holds no past to go back to: start again from nothing.
    ++stats_.recomputations;
    context_.clear(sequence_);
    length = 0;
  }
  cached_.resize(length);
  answers_.resize(length);
}

void SequenceLane::decoded(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) cached_.push_back(wanted_[cached_.size()]);
  answers_.resize(cached_.size());
  stats_.decoded_tokens += count;
  ++stats_.decodes;
}

void SequenceLane::resume() { std::exchange(asker_, nullptr).resume(); }

}  // namespace nudging
