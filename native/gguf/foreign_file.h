#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nudging {

/// How much of a file's beginning tells what it is.
constexpr std::uint64_t telling_bytes = 512;

/// What a file that is no GGUF file is, and what to do about it, to go on after its name: most of them are a download that brought
/// something else.
std::string describe_foreign_file(std::string_view beginning);

}  // namespace nudging
