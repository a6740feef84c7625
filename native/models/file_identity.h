#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace nudging {

/// Which file a path leads to, and in which state. Equal identities mean equal content, as far as the file system tells.
struct FileIdentity {
  /// Absolute, without symbolic links.
  std::string path;
  std::uint64_t device = 0;
  /// 0 where the system has none (Windows).
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  /// Of the last change, in the file system's own units.
  std::int64_t modified = 0;
  auto operator<=>(const FileIdentity&) const = default;

  /// All zeros but the path if the file cannot be looked at: opening it will say why.
  static FileIdentity of(const std::string& path);
};

}  // namespace nudging
