#include "storage/sqlite/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/text.h"

namespace strife::sqlite {
namespace {

std::string HolderOf(int fd) {
  std::array<char, 16> text{};
  const ssize_t bytes = pread(fd, text.data(), text.size(), 0);
  return bytes > 0 ? Sanitize({text.data(), static_cast<std::size_t>(bytes)}, text.size()) : std::string("unknown");
}

}  // namespace

Result<FileLock> FileLock::Take(const std::filesystem::path& file) {
  const std::string path = file.string() + ".lock";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return Fail(ErrorCode::kStorage, "cannot open lock file " + path + " (" + std::strerror(errno) +
                                         "): check that its folder exists and may be written");
  }
  FileLock lock(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return Fail(ErrorCode::kStorage, "cannot lock " + path + " (" + std::strerror(errno) + "): use a local disk");
    }
    return Fail(ErrorCode::kUnavailable, "database " + file.string() + " is in use by process " + HolderOf(fd) +
                                             ", which holds " + path + ": stop that process first");
  }
  const std::string pid = std::to_string(getpid());
  if (ftruncate(fd, 0) != 0 || pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return Fail(ErrorCode::kStorage, "cannot write " + path + " (" + std::strerror(errno) + "): check the disk");
  }
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileLock::~FileLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace strife::sqlite
