#include "nudge/words.h"

#include <algorithm>

namespace nudging {

std::vector<std::size_t> boundaries(std::string_view draft) {
  std::vector<std::size_t> found;
  const std::size_t first_word = draft.find_first_not_of(' ');
  if (first_word == std::string_view::npos) return found;
  for (std::size_t i = first_word + 1; i + 1 < draft.size(); ++i) {
    if (draft[i] == ' ' && draft[i + 1] != ' ') found.push_back(i);
  }
  return found;
}

std::string_view word_at(std::string_view draft, std::size_t at) {
  const std::size_t next_space = draft.find(' ', at + 1);
  return draft.substr(at, std::min(next_space, draft.size()) - at);
}

std::size_t word_end(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  return first == std::string_view::npos ? first : text.find(' ', first);
}

std::size_t without_last_word(std::string_view draft) {
  const std::size_t first_word = std::min(draft.find_first_not_of(' '), draft.size());
  const std::size_t last_space = draft.rfind(' ');
  if (last_space == std::string_view::npos || last_space < first_word) return draft.size();
  return last_space;
}

}  // namespace nudging
