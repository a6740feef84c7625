#pragma once

#include <string_view>

namespace nudging {

/// R28: whether a token's bytes, spaces in front aside, are punctuation and white space alone, and at least one character of it. Bytes that
/// are no whole characters are not.
bool is_punctuation(std::string_view bytes);

}  // namespace nudging
