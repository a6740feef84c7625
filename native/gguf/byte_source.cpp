#include "gguf/byte_source.h"

#include <algorithm>

#include "basics/failure.h"

namespace nudging {

FileBytes::FileBytes(const std::string& path) : path_(path), file_(path, std::ios::binary | std::ios::ate) {
  const std::streamoff end = file_ ? static_cast<std::streamoff>(file_.tellg()) : -1;
  if (end < 0) throw Failure(FailureKind::model_unreadable, "cannot read \"" + path_ + "\": check its permissions");
  size_ = static_cast<std::uint64_t>(end);
}

void FileBytes::read(std::uint64_t offset, std::span<char> into) {
  file_.clear();
  file_.seekg(static_cast<std::streamoff>(offset));
  file_.read(into.data(), static_cast<std::streamsize>(into.size()));
  if (!file_) {
    throw Failure(FailureKind::model_unreadable, "cannot read byte " + std::to_string(offset) + " of \"" + path_ +
                                                     "\": check the disk, and that nobody writes to the file");
  }
}

void MemoryBytes::read(std::uint64_t offset, std::span<char> into) {
  const std::span<const char> wanted = bytes_.subspan(offset, into.size());
  std::copy(wanted.begin(), wanted.end(), into.begin());
}

}  // namespace nudging
