// A database of Strife's as bytes, and what a damaged disk or a hostile hand does to it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fuzz.h"
#include "scratch.h"

namespace strife::fuzz {

class DatabaseImage {
 public:
  // `make` makes a store with a few rows in the file it is given, and closes it.
  DatabaseImage(const Scratch& scratch, const std::function<void(const std::filesystem::path&)>& make);

  // Writes the database into `file`, changed as `input` says: bytes overwritten, cut off or added anywhere; or, when
  // the first byte is odd, values of any type put where Strife would never put them. The file of the second kind has
  // lost its CHECKs, types and NOT NULLs, as somebody's own database would have none.
  void WriteChanged(const std::filesystem::path& file, Input& input) const;

 private:
  struct Column {
    std::string table, key, name;
  };
  void Loosen(const std::filesystem::path& file);
  void PutValues(const std::filesystem::path& file, Input& input) const;

  std::string image_;        // as made
  std::string loose_image_;  // without constraints
  std::vector<Column> columns_;
};

}  // namespace strife::fuzz
