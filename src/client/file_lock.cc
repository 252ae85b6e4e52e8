#include "client/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace strife::client {
namespace {

std::unexpected<Error> SystemError(const std::string& what, const std::filesystem::path& file) {
  return Fail(errno == EACCES ? ErrorCode::kPermissionDenied : ErrorCode::kStorage,
              "cannot " + what + " " + file.string() + ": " + std::strerror(errno));
}

}  // namespace

Result<FileLock> FileLock::Acquire(const std::filesystem::path& file) {
  int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return SystemError("open", file);
  FileLock lock(fd);
  while (::flock(fd, LOCK_EX) != 0) {
    if (errno != EINTR) return SystemError("lock", file);
  }
  return lock;
}

Result<FileLock> FileLock::TryAcquire(const std::filesystem::path& file) {
  int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return SystemError("open", file);
  FileLock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return SystemError("lock", file);
  return Fail(ErrorCode::kAlreadyExists, file.string() + " is in use by another process; wait until it has ended");
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace strife::client
