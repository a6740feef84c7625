#pragma once

#include <cstddef>
#include <string_view>

#include "nudge/draft.h"
#include "nudge/guess.h"
#include "nudge/lane.h"
#include "nudge/task.h"

namespace nudging {

/// R18: what the aligned model would say where the base speaks, and how probable it finds that. It follows the base: its latest draft
/// serves as long as the base says the same, and goes on by a word where it has to; elsewhere it begins another one.
class AlignedWords {
 public:
  /// A word is at most `limit` tokens.
  AlignedWords(Lane& aligned, std::size_t limit) : aligned_(aligned), limit_(limit) {}

  /// A round has this draft, made behind `text`.
  void follow(std::string_view text, const Draft& draft) {
    start_ = text.size();
    draft_ = draft;
  }

  /// How probable the aligned model finds its next word behind `text`; where it would end there, how probable it finds that.
  Task<float> next_word(std::string_view text);

  /// What it is known to say behind `text`.
  Guess rest(std::string_view text) const;

 private:
  /// Whether the draft goes on, or might, behind `text`.
  bool covers(std::string_view text) const;
  /// Whether the word at byte `at` of the draft is all there.
  bool is_whole(std::size_t at) const;

  Lane& aligned_;
  std::size_t limit_;
  /// Bytes of text in front of the draft.
  std::size_t start_ = 0;
  Draft draft_;
  /// How probable its end is, if it has ended.
  float end_ = 0;
};

}  // namespace nudging
