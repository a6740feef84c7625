#include "gguf/foreign_file.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace nudging {

namespace {

bool is_only_zeros(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char byte) { return byte == '\0'; });
}

/// Whether a text begins so behind white space and a byte order mark, upper and lower case alike.
bool begins_with(std::string_view text, std::string_view lower) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  const auto same = [](char wanted, char got) { return wanted == std::tolower(static_cast<unsigned char>(got)); };
  return text.size() >= lower.size() && std::equal(lower.begin(), lower.end(), text.begin(), same);
}

/// A header of tensors as JSON behind its length in 64 bits.
bool is_safetensors(std::string_view bytes) {
  return bytes.size() > 9 && bytes[8] == '{' && bytes.substr(4, 4) == std::string_view("\0\0\0\0", 4);
}

bool is_archive(std::string_view bytes) {
  constexpr std::array<std::string_view, 4> magics = {"\x1F\x8B", "\x28\xB5\x2F\xFD",
                                                      "\xFD"
                                                      "7zXZ",
                                                      "7z\xBC\xAF"};
  return std::any_of(magics.begin(), magics.end(), [&](std::string_view magic) { return bytes.starts_with(magic); });
}

}  // namespace

std::string describe_foreign_file(std::string_view beginning) {
  constexpr std::string_view lfs = "version https://git-lfs.github.com/spec/";
  if (beginning.empty()) return "is empty: download it again";
  if (beginning.starts_with(lfs)) {
    return "is a Git LFS pointer, which only names the model: fetch the model itself with \"git lfs pull\", or download it again";
  }
  for (const std::string_view page : {"<!doctype", "<html", "<head", "<?xml", "<error"}) {
    if (begins_with(beginning, page)) {
      return "is a web page and not the model: "
             "download it again, from the link of the file itself (on a hub \"…/resolve/…\", not \"…/blob/…\")";
    }
  }
  if (begins_with(beginning, "{\"error") || begins_with(beginning, "{\"message")) {
    return "is a server's error message and not the model: download it again, and look whether the server wants you to log in";
  }
  if (is_only_zeros(beginning)) return "begins with nothing but zeros: its download was broken off; download it again";
  if (std::string_view("GGUF").starts_with(beginning)) {
    return "is damaged or cut short: download it again (it has " + std::to_string(beginning.size()) + " bytes)";
  }
  if (is_archive(beginning)) return "is a compressed file: unpack it first";
  if (is_safetensors(beginning)) {
    return "is not a GGUF file but one of safetensors: "
           "convert the model with llama.cpp's convert_hf_to_gguf.py, or download a GGUF file of it";
  }
  return "is not a GGUF file: download the model as a GGUF file, or convert the model with llama.cpp's convert_hf_to_gguf.py";
}

}  // namespace nudging
