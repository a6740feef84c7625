#include "nudge/judge.h"

#include <utility>

#include "nudge/words.h"

namespace nudging {

void Judge::begin_word(std::size_t start) {
  word_ = {.start = start};
  foreseen_ = 0;
  foresees_ = false;
}

void Judge::said(const Top1& token) {
  if (!rule_.compares_words()) return;
  word_.add(token);
  foresees_ = foreseen_ > 0;
  if (foresees_) --foreseen_;
}

std::optional<Judgement> Judge::at_once(std::string_view text, const Top1& next) {
  if (rule_.compares_words() && ends(word_, next)) begin_word(text.size());
  if (const std::optional<bool> base = rule_.by_token(next)) return Judgement{*base};
  if (word_.base) return Judgement{*word_.base};
  return std::nullopt;
}

Task<Judgement> Judge::compare(std::string_view text, const Top1& next, Guess& guess) {
  const float aligned = co_await aligned_words_.next_word(text.substr(0, word_.start));
  // The draft may have gone on since it was made a guess of.
  if (Guess rest = aligned_words_.rest(text); rest.text().size() > guess.text().size()) guess = std::move(rest);
  const WordPair words{co_await read_word(next, guess, aligned), aligned};
  word_.base = rule_.by_words(words);
  co_return Judgement{*word_.base, words};
}

/// How probable the base finds its word, `next` being its next token: as far as that has to be known. It only falls.
Task<float> Judge::read_word(Top1 next, Guess guess, float aligned) {
  Word word = word_;
  std::size_t pushed = 0;
  while (true) {
    word.add(next);
    if (is_whole(word) || !rule_.by_words({word.probability, aligned})) break;
    base_.push(next.token);
    ++pushed;
    guess.said(next.bytes);
    base_.expect(guess);
    next = co_await base_.top1();
    if (next.silent() || ends(word, next)) break;
  }
  base_.pop(pushed);
  foreseen_ = pushed;
  co_return word.probability;
}

bool Judge::is_whole(const Word& word) const { return word_end(word.text) != std::string_view::npos || word.tokens >= limit_; }

bool Judge::ends(const Word& word, const Top1& next) const {
  const bool shows = word.text.find_first_not_of(' ') != std::string::npos;
  return is_whole(word) || (shows && next.bytes.starts_with(' '));
}

}  // namespace nudging
