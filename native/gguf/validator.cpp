#include "gguf/validator.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "basics/failure.h"
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

/// Which of the parts this file is, from 0 on. llama.cpp reads it without a look at its type.
std::int32_t part_of(const GgufHeader& header) {
  const GgufValue* number = header.find("split.no");
  if (number == nullptr || number->is_array || number->type != GgufType::u16) {
    header.refuse("the key \"split.no\" is missing or has not the type u16");
  }
  std::int32_t part = 0;
  header.each_integer(*number, [&](std::int64_t value) { part = static_cast<std::int32_t>(value); });
  return part;
}

/// The path of a part as llama.cpp will make it from another part's path; nothing if that part is not called as it must be.
std::optional<std::string> path_of(std::int32_t part, const std::string& other_path, std::int32_t other, std::int32_t parts) {
  std::vector<char> text(other_path.size() + 64);
  if (llama_split_prefix(text.data(), text.size(), other_path.c_str(), other, parts) <= 0) return std::nullopt;
  const std::string prefix = text.data();
  llama_split_path(text.data(), text.size(), prefix.c_str(), part, parts);
  return text.data();
}

/// How the name of a part ends.
std::string ending_of(std::int32_t part, std::int32_t parts) {
  std::array<char, 64> text{};
  llama_split_path(text.data(), text.size(), "", part, parts);
  return text.data();
}

/// Refuses a file of a model in parts that is not the first, or from whose name the others' names cannot be made.
void check_first_part(const GgufHeader& header, std::int32_t parts) {
  const std::string& path = header.path();
  const auto fail = [&](std::int32_t part, const std::string& rest) {
    const std::string which = "\"" + path + "\" is part " + std::to_string(part + 1) + " of " + std::to_string(parts);
    throw Failure(FailureKind::model_unreadable, which + " of a model" + rest);
  };
  if (const std::int32_t part = part_of(header); part != 0) {
    fail(part, ": name part 1, \"" + path_of(0, path, part, parts).value_or("…" + ending_of(0, parts)) + "\"");
  }
  if (!path_of(0, path, 0, parts)) {
    fail(0, ", and the others are found by its name, which must end in \"" + ending_of(0, parts) +
                "\": give all parts their names back; in a hub's cache, name the file in \"snapshots\", not the one in \"blobs\"");
  }
}

void check_part(const std::string& path, std::int32_t part, std::int32_t parts) {
  if (std::error_code error; !std::filesystem::is_regular_file(path, error)) {
    throw Failure(FailureKind::model_unreadable, "a part of the model is missing, \"" + path + "\": put all parts into one folder");
  }
  FileBytes bytes(path);
  const GgufHeader header(bytes, path);
  const std::int32_t found = part_of(header);
  if (found == part) return;
  const auto which = [](std::int32_t one, std::int32_t all) { return "part " + std::to_string(one + 1) + " of " + std::to_string(all); };
  const std::string says = "\"" + path + "\" says that it is " + which(found, parts_of(header)) + " of a model, ";
  throw Failure(FailureKind::model_unreadable, says + "and by its name it is " + which(part, parts) + ": give all parts their names back");
}

}  // namespace

void validate_gguf(const std::string& path) {
  FileBytes bytes(path);
  const GgufHeader header(bytes, path);
  // Before all else: only the first part says what the model is.
  const std::int32_t parts = parts_of(header);
  if (parts > 1) check_first_part(header, parts);
  check_hyperparameters(header);
  check_tokenizer(header);
  for (std::int32_t part = 1; part < parts; ++part) check_part(path_of(part, path, 0, parts).value_or(""), part, parts);
}

}  // namespace nudging
