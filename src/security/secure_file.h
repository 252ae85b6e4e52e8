// Files that hold, or sit beside, secrets.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace strife::security {

inline constexpr mode_t kPrivateMode = 0600;
inline constexpr mode_t kPublicMode = 0644;

enum class Existing { kRefuse, kReplace };

// The whole file; kNotFound when there is none, kInvalidInput when it is larger than `max_bytes` or no regular file.
Result<std::string> ReadFile(const std::filesystem::path& path, std::size_t max_bytes = std::size_t{64} << 20);

// Writes under a temporary name with the mode from the start, syncs, and moves it into place: readers see the old file
// or the new one. With kRefuse, kAlreadyExists when there is a file of that name.
Status WriteFile(const std::filesystem::path& path, std::string_view contents, mode_t mode, Existing existing);

struct FileContents {
  std::filesystem::path path;
  std::string contents;
  mode_t mode = kPrivateMode;
};

// Writes two files that are of use only together. Both are written and synced as by WriteFile before either is moved
// into its place; when one cannot be moved, both places are as they were. A crash in between leaves the new `first`
// with the old `second`.
Status WritePair(const FileContents& first, const FileContents& second, Existing existing);

// The file is gone, also after a crash. kNotFound when there is none.
Status RemoveFile(const std::filesystem::path& path);

// kPermissionDenied unless the file belongs to the user the process runs as (or root) and nobody else can read or write
// it; the message says which chmod puts it right.
Status CheckKeyFile(const std::filesystem::path& path);

// The contents of a key file that passes CheckKeyFile.
Result<std::string> ReadKeyFile(const std::filesystem::path& path);

}  // namespace strife::security
