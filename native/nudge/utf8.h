#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nudging {

/// R4: turns the bytes of successive tokens into text. A character that is still incomplete waits for the next token; bytes
/// that can never become a character turn into U+FFFD, the way the WHATWG Encoding Standard's decoder does it, so that the
/// text is valid UTF-8 at any time.
class Utf8Stream {
 public:
  /// Appends to `text` every character that `bytes` completes. Returns the number of bytes appended.
  std::size_t feed(std::string_view bytes, std::string& text);

  /// True if what has come so far, and this byte, are the beginning of a text in UTF-8.
  bool takes(unsigned char byte) const;

  /// True while a character is incomplete.
  bool pending() const { return !partial_.empty(); }

 private:
  std::string partial_;
  unsigned missing_ = 0;
  unsigned char lowest_ = 0x80;
  unsigned char highest_ = 0xBF;
};

}  // namespace nudging
