// The strife executable on a disk that fails while a file beside the database says so.
//
// DATABASE.faults has one fault a line: OPERATION FAULT [db|wal] [once], where OPERATION is open, read, write, sync,
// truncate or delete and FAULT is ioerr, full, short or slow:MILLISECONDS. `db` and `wal` narrow it to the database
// itself or to its log. `once` removes the file when it has struck. The file is read before every operation.
// DATABASE.hold, when it is there as the database is opened, keeps what is written to its log in memory until it is
// synced. Not so the database itself: a checkpoint that is not complete is not synced, and other processes read its
// pages all the same.
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "cli/command.h"
#include "storage/sqlite/fault_vfs.h"

namespace {

using strife::sqlite::FileFault;
using strife::sqlite::FileOperation;

std::string_view NameOf(FileOperation operation) {
  switch (operation) {
    case FileOperation::kOpen:
      return "open";
    case FileOperation::kRead:
      return "read";
    case FileOperation::kWrite:
      return "write";
    case FileOperation::kSync:
      return "sync";
    case FileOperation::kTruncate:
      return "truncate";
    case FileOperation::kDelete:
      return "delete";
  }
  return {};
}

FileFault ParseFault(std::string_view word) {
  if (word == "full") return {.kind = FileFault::Kind::kDiskFull};
  if (word == "short") return {.kind = FileFault::Kind::kShortWrite};
  if (word.starts_with("slow:")) {
    int milliseconds = 0;
    std::from_chars(word.data() + 5, word.data() + word.size(), milliseconds);
    return {.kind = FileFault::Kind::kNone, .delay = std::chrono::milliseconds(milliseconds)};
  }
  return {.kind = FileFault::Kind::kIoError};
}

// The database a file belongs to, and which of its files it is.
struct Place {
  std::string database;
  std::string_view part;  // db, wal, or something else
};

Place PlaceOf(std::string_view file) {
  for (const std::string_view ending : {"-wal", "-shm", "-journal"}) {
    if (file.ends_with(ending)) return {std::string(file.substr(0, file.size() - ending.size())), ending.substr(1)};
  }
  return {std::string(file), "db"};
}

FileFault FaultNow(FileOperation operation, std::string_view file) {
  const Place place = PlaceOf(file);
  const std::string control = place.database + ".faults";
  std::ifstream lines(control);
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string name, fault, word, part;
    bool once = false;
    words >> name >> fault;
    while (words >> word) (word == "once" ? once = true : (part = word, false));
    if (name != NameOf(operation) || (!part.empty() && part != place.part)) continue;
    if (once && std::remove(control.c_str()) != 0) continue;  // another thread's operation was struck
    return ParseFault(fault);
  }
  return {};
}

bool Holds(std::string_view file) {
  const Place place = PlaceOf(file);
  std::error_code ignored;
  return place.part == "wal" && std::filesystem::exists(place.database + ".hold", ignored);
}

}  // namespace

int main(int argc, char** argv) {
  strife::sqlite::InstallFaultVfs({.fault = FaultNow, .hold = Holds});
  return strife::cli::Run(argc, argv);
}
