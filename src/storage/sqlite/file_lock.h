// FileLock: a lock file beside a database that keeps a second process from running on it.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace strife::sqlite {

// Held for the life of the object; the kernel lets go of it when the process ends, however it ends.
class FileLock {
 public:
  // Takes FILE.lock, which is made when needed and never removed. kUnavailable when another holder has it; the message
  // names its process.
  static Result<FileLock> Take(const std::filesystem::path& file);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}

  int fd_;
};

}  // namespace strife::sqlite
