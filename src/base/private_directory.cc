#include "base/private_directory.h"

#include <sys/stat.h>

#include <cerrno>
#include <system_error>

namespace strife {

Status MakePrivateDirectory(const std::filesystem::path& directory) {
  namespace fs = std::filesystem;
  // The parent of "a/b/" is "a/b".
  const fs::path path = directory.has_filename() ? directory : directory.parent_path();
  std::error_code error;
  if (fs::is_directory(path, error)) return {};
  error.clear();
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  if (!error && ::mkdir(path.c_str(), S_IRWXU) != 0) error.assign(errno, std::generic_category());
  std::error_code ignored;
  if (!error || (error == std::errc::file_exists && fs::is_directory(path, ignored))) return {};
  return Fail(ErrorCode::kStorage, "cannot make the directory " + directory.string() + ": " + error.message());
}

}  // namespace strife
