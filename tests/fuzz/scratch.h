// A folder for the files of one fuzzing process, gone when it ends in peace.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/test_directory.h"

namespace strife::fuzz {

class Scratch : public TestDirectory {
 public:
  // Puts `bytes` into a file readable by its owner alone, and returns its path.
  std::filesystem::path Write(const std::string& name, std::string_view bytes) const {
    const std::filesystem::path file = *this / name;
    {
      std::ofstream out(file, std::ios::binary | std::ios::trunc);
      out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
      STRIFE_ASSERT(out.good());
    }
    std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return file;
  }
};

}  // namespace strife::fuzz
