// Files that only their owner may read.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace strife::client {

// Creates `folder` and its parents when missing, the last one 0700.
Status MakePrivateFolder(const std::filesystem::path& folder);

// Replaces the file by `content`, mode 0600: after a crash it holds either the old or the new content, in full.
Status WritePrivateFile(const std::filesystem::path& file, std::string_view content);

// kNotFound when there is none, kPermissionDenied when others may read or write it or it is somebody else's.
Result<std::string> ReadPrivateFile(const std::filesystem::path& file);

// An exclusive lock between processes, held until destroyed. Waits for whoever holds it.
class FileLock {
 public:
  // Creates the file, 0600, when missing; its content does not matter.
  static Result<FileLock> Acquire(const std::filesystem::path& file);

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
