#include "nudge/refusal.h"

#include <algorithm>

namespace nudging {

namespace {

constexpr std::string_view curly_apostrophe = "\xE2\x80\x99";

bool is_blank(char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

/// A byte of a character beyond ASCII counts as a letter.
bool is_of_word(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || static_cast<unsigned char>(byte) >= 0x80;
}

/// What is compared: small letters, straight apostrophes, single spaces.
std::string plain(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char byte = text[at];
    if (is_blank(byte)) {
      if (!plain.ends_with(' ')) plain += ' ';
    } else if (text.substr(at).starts_with(curly_apostrophe)) {
      plain += '\'';
      at += curly_apostrophe.size() - 1;
    } else {
      plain += byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
    }
  }
  return plain;
}

bool holds(std::string_view text, std::string_view phrase) {
  for (std::size_t at = text.find(phrase); at != std::string_view::npos; at = text.find(phrase, at + 1)) {
    if (at == 0 || !is_of_word(text[at - 1]) || !is_of_word(phrase.front())) return true;
  }
  return false;
}

}  // namespace

RefusalPhrases::RefusalPhrases(const std::vector<std::string>& phrases) {
  for (const std::string& phrase : phrases) {
    std::string one = plain(phrase);
    if (!one.empty()) phrases_.push_back(std::move(one));
  }
}

bool RefusalPhrases::in(std::string_view text) const {
  const std::string said = plain(text);
  return std::any_of(phrases_.begin(), phrases_.end(), [&](const std::string& phrase) { return holds(said, phrase); });
}

}  // namespace nudging
