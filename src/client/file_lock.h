// A lock between processes.
#pragma once

#include <filesystem>
#include <utility>

#include "base/result.h"

namespace strife::client {

// Held until destroyed, and let go by the system when the process dies.
class FileLock {
 public:
  // Waits for whoever holds it. Creates the file, 0600, when missing; its content does not matter.
  static Result<FileLock> Acquire(const std::filesystem::path& file);
  // kAlreadyExists at once when somebody else holds it. REQUIRES: the file exists.
  static Result<FileLock> TryAcquire(const std::filesystem::path& file);

  FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}

  int fd_;
};

}  // namespace strife::client
