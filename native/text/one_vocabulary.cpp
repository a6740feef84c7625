#include "text/one_vocabulary.h"

#include <algorithm>
#include <cstddef>

namespace nudging {

std::optional<Token> first_difference(const Vocabulary& a, const Vocabulary& b) {
  if (&a == &b) return std::nullopt;
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    const auto token = static_cast<Token>(i);
    if (a.bytes(token) != b.bytes(token)) return token;
  }
  const Vocabulary& longer = a.size() > b.size() ? a : b;
  for (std::size_t i = common; i < longer.size(); ++i) {
    const auto token = static_cast<Token>(i);
    if (!longer.bytes(token).empty() || longer.ends(token)) return token;
  }
  return std::nullopt;
}

std::string shown_token(const Vocabulary& vocabulary, Token token) {
  if (static_cast<std::size_t>(token) >= vocabulary.size()) return "no token of that number";
  const std::string_view bytes = vocabulary.bytes(token);
  if (bytes.empty()) return "a token that shows nothing";
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "\"";
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    // The message stays one line of ASCII, whatever is in a model file.
    if (value >= 0x20 && value < 0x7F && byte != '"' && byte != '\\') {
      text += byte;
    } else {
      text += {'\\', 'x', digits[value >> 4], digits[value & 15]};
    }
  }
  return text + '"';
}

}  // namespace nudging
