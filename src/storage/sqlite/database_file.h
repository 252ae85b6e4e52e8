// What makes an SQLite file one of Strife's: its mark, its version and the steps that bring it there, the settings
// every connection has, and the checks at open.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "base/result.h"
#include "storage/sqlite/sqlite.h"

namespace strife::sqlite {

struct Schema {
  const char* what;             // "gateway database", for messages
  std::int32_t application_id;  // SQLite's mark of whose file it is
  // SQL steps. Step i turns version i into version i + 1; a step that has been released never changes.
  std::span<const char* const> migrations;
  // Tables small enough to be checked whole at every start, however large the database is.
  std::span<const char* const> small_tables;
  // A row that breaks the table's CHECKs is dealt with where it is read, and does not condemn the file.
  bool tolerates_bad_rows = false;
};

// Opens the file for its one writer; makes it, readable for its owner only, when it is not there. Afterwards:
// write-ahead log, every commit synced, no automatic checkpoints, schema of the newest version. kInvalidInput when the
// file is somebody else's, or of a newer version.
//
// The file is checked first: all of it while it is small; of a large one the header, its length and the small tables,
// so that a start stays quick. A torn write cannot hurt the rest, for the log holds those pages until they are synced;
// other damage is found, and named, by the read that meets it.
Result<Database> OpenWriter(const std::filesystem::path& file, const Schema& schema);

// Opens the file for reading; it must exist and be of this very version.
Result<Database> OpenReader(const std::filesystem::path& file, const Schema& schema);

}  // namespace strife::sqlite
