#include "models/file_identity.h"

#include <filesystem>
#include <system_error>

#ifndef _WIN32
#include <sys/stat.h>
#endif

namespace nudging {

FileIdentity FileIdentity::of(const std::string& path) {
  std::error_code error;
  // Paths are UTF-8 on every system.
  const std::filesystem::path canonical = std::filesystem::canonical(std::filesystem::path(std::u8string(path.begin(), path.end())), error);
  if (error) return {path};
  const std::u8string name = canonical.u8string();
  FileIdentity identity{std::string(name.begin(), name.end())};
#ifndef _WIN32
  struct stat status{};
  if (stat(identity.path.c_str(), &status) == 0) {
    identity.device = static_cast<std::uint64_t>(status.st_dev);
    identity.inode = static_cast<std::uint64_t>(status.st_ino);
  }
#endif
  identity.size = std::filesystem::file_size(canonical, error);
  if (error) identity.size = 0;
  const auto modified = std::filesystem::last_write_time(canonical, error);
  if (!error) identity.modified = static_cast<std::int64_t>(modified.time_since_epoch().count());
  return identity;
}

}  // namespace nudging
