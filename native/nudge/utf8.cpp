#include "nudge/utf8.h"

namespace nudging {

namespace {
constexpr std::string_view replacement = "\xEF\xBF\xBD";
}

bool Utf8Stream::takes(unsigned char byte) const {
  return missing_ > 0 ? byte >= lowest_ && byte <= highest_ : byte < 0x80 || (byte >= 0xC2 && byte <= 0xF4);
}

std::size_t Utf8Stream::feed(std::string_view bytes, std::string& text) {
  const std::size_t before = text.size();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (missing_ > 0) {
      if (byte >= lowest_ && byte <= highest_) {
        partial_ += bytes[i];
        lowest_ = 0x80;
        highest_ = 0xBF;
        if (--missing_ == 0) {
          text += partial_;
          partial_.clear();
        }
        continue;
      }
      // The character breaks off here; this byte is looked at again, as the start of another one.
      text += replacement;
      partial_.clear();
      missing_ = 0;
      lowest_ = 0x80;
      highest_ = 0xBF;
    }
    // Lead bytes and the ranges of the byte after them: Unicode 15, table 3-7 (no overlong forms, no surrogates).
    if (byte < 0x80) {
      text += bytes[i];
      continue;
    }
    if (byte >= 0xC2 && byte <= 0xDF) {
      missing_ = 1;
    } else if (byte >= 0xE0 && byte <= 0xEF) {
      missing_ = 2;
      if (byte == 0xE0) lowest_ = 0xA0;
      if (byte == 0xED) highest_ = 0x9F;
    } else if (byte >= 0xF0 && byte <= 0xF4) {
      missing_ = 3;
      if (byte == 0xF0) lowest_ = 0x90;
      if (byte == 0xF4) highest_ = 0x8F;
    } else {
      text += replacement;
      continue;
    }
    partial_ = bytes[i];
  }
  return text.size() - before;
}

}  // namespace nudging
