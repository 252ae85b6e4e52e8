// A temporary directory that goes away with its test.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

namespace strife::security {

class TestDirectory {
 public:
  TestDirectory() {
    std::string name = ::testing::TempDir() + "strife-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~TestDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// 2026-01-01T00:00:00Z, the time at which most tests play.
inline constexpr std::int64_t kTestUnixSeconds = 1'767'225'600;

inline int ModeOf(const std::filesystem::path& path) {
  return static_cast<int>(std::filesystem::status(path).permissions());
}

}  // namespace strife::security
