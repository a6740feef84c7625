#include "nudge/punctuation.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "nudge/utf8.h"

namespace nudging {

namespace {

struct Range {
  char32_t first;
  char32_t last;
};

/// White space and punctuation, in order: ASCII's, Latin-1's, general punctuation, CJK's, and the wide forms of ASCII's.
constexpr std::array ranges = {
    Range{0x09, 0x0D},     Range{0x20, 0x2F},     Range{0x3A, 0x40},     Range{0x5B, 0x60},     Range{0x7B, 0x7E},
    Range{0xA1, 0xA1},     Range{0xA7, 0xA7},     Range{0xAB, 0xAB},     Range{0xB6, 0xB7},     Range{0xBB, 0xBB},
    Range{0xBF, 0xBF},     Range{0x2010, 0x2027}, Range{0x2030, 0x205E}, Range{0x3001, 0x3003}, Range{0x3008, 0x3011},
    Range{0x3014, 0x301F}, Range{0x3030, 0x3030}, Range{0xFF01, 0xFF0F}, Range{0xFF1A, 0xFF20}, Range{0xFF3B, 0xFF40},
    Range{0xFF5B, 0xFF65},
};

/// Takes the first character from valid UTF-8.
char32_t take_character(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  char32_t character = size == 1 ? lead : lead & (0xFFU >> (size + 1));
  for (const char byte : text.substr(1, size - 1)) character = character << 6U | (static_cast<unsigned char>(byte) & 0x3FU);
  text.remove_prefix(size);
  return character;
}

}  // namespace

bool is_punctuation(std::string_view bytes) {
  bytes.remove_prefix(std::min(bytes.find_first_not_of(' '), bytes.size()));
  Utf8Stream characters;
  std::string text;
  characters.feed(bytes, text);
  if (text.empty() || characters.pending()) return false;
  for (std::string_view rest = text; !rest.empty();) {
    const char32_t character = take_character(rest);
    const auto range = std::find_if(ranges.begin(), ranges.end(), [character](const Range& each) { return character <= each.last; });
    if (range == ranges.end() || character < range->first) return false;
  }
  return true;
}

}  // namespace nudging
