#include "engine/gguf_validator.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "engine/failure.h"
#include "llama.h"

namespace nudging {

namespace {

/// How many files the model is in, 1 unless the header says otherwise.
std::int32_t parts_of(const GgufHeader& header) {
  const GgufValue* count = header.find("split.count");
  if (count == nullptr) return 1;
  if (count->is_array || count->type != GgufType::u16) header.refuse("the key \"split.count\" has not the type u16");
  std::int32_t parts = 1;
  header.each_integer(*count, [&](std::int64_t value) { parts = std::max(static_cast<std::int32_t>(value), 1); });
  return parts;
}

/// The paths of the other parts, as llama.cpp will make them. It refuses a first part with another name by itself.
std::vector<std::string> other_parts(const std::string& path, std::int32_t parts) {
  std::vector<char> text(path.size() + 64);
  if (llama_split_prefix(text.data(), text.size(), path.c_str(), 0, parts) <= 0) return {};
  const std::string prefix = text.data();
  std::vector<std::string> paths;
  for (std::int32_t part = 1; part < parts; ++part) {
    llama_split_path(text.data(), text.size(), prefix.c_str(), part, parts);
    paths.emplace_back(text.data());
  }
  return paths;
}

void check_part(const std::string& path) {
  if (std::error_code error; !std::filesystem::is_regular_file(path, error)) {
    throw Failure(FailureKind::model_unreadable, "a part of the model is missing, \"" + path + "\": put all parts into one folder");
  }
  FileBytes bytes(path);
  const GgufHeader header(bytes, path);
  // llama.cpp reads it without a look at its type.
  const GgufValue* number = header.find("split.no");
  if (number == nullptr || number->is_array || number->type != GgufType::u16) header.refuse("the key \"split.no\" is missing or has not the type u16");
}

}  // namespace

void validate_gguf(const std::string& path) {
  FileBytes bytes(path);
  const GgufHeader header(bytes, path);
  check_hyperparameters(header);
  check_tokenizer(header);
  if (const std::int32_t parts = parts_of(header); parts > 1) {
    for (const std::string& part : other_parts(path, parts)) check_part(part);
  }
}

}  // namespace nudging
