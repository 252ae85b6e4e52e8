// FaultVfs: SQLite's file system with failures, for tests and for the chaos executable. Never part of `strife`.
//
// It stands in front of the default VFS. Each operation on a file asks a decider what is to become of it, so a test can
// fail the nth operation of a run, and the chaos executable can fail whatever a control file says just then.
//
// A file can also be *held*: what is written to it stays in memory, seen by this process alone, until it is synced. A
// process that is killed then loses what it had not synced, as a machine without power would.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace strife::sqlite {

enum class FileOperation { kOpen, kRead, kWrite, kSync, kTruncate, kDelete };

struct FileFault {
  enum class Kind {
    kNone,
    kIoError,     // nothing happens but the error
    kDiskFull,    // as a disk without space
    kShortWrite,  // the first half is written, then an I/O error; for other operations the same as kIoError
  } kind = Kind::kNone;
  Duration delay{};  // before the operation or its failure
};

struct FaultDecider {
  // Asked before every operation, on the thread that does it; thread-safe. `file` is the path as SQLite opened it.
  std::function<FileFault(FileOperation, std::string_view file)> fault;
  // Asked once when a file is opened.
  std::function<bool(std::string_view file)> hold;
};

// Makes the VFS the default of this process from now on; the first time before any database is opened. A later call
// replaces the decider. Held files and open databases keep working.
void InstallFaultVfs(FaultDecider decider);

}  // namespace strife::sqlite
