#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace nudging {

/// R5: the positions in a draft at which the base is asked, left to right: just before the last space of a run of spaces
/// that has a non-space character somewhere before it and a non-space right after it. A space is U+0020 only.
std::vector<std::size_t> boundaries(std::string_view draft);

/// R6: the word at boundary `at`: one space and everything up to the next space.
std::string_view word_at(std::string_view draft, std::size_t at);

/// R18: where the word that begins a text ends: at the first space behind a character that is none. npos if it may go on.
std::size_t word_end(std::string_view text);

/// R8: what is taken of a draft that nobody took over: all words but the last; the whole draft if it is one word.
std::size_t without_last_word(std::string_view draft);

}  // namespace nudging
