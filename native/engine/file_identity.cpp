#include "engine/file_identity.h"

#include <filesystem>
#include <system_error>

#ifndef _WIN32
#include <sys/stat.h>
#endif

namespace nudging {

FileIdentity FileIdentity::of(const std::string& path) {
  std::error_code error;
  const std::filesystem::path canonical = std::filesystem::canonical(path, error);
  if (error) return {path};
  FileIdentity identity{canonical.string()};
#ifndef _WIN32
  struct stat status {};
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
