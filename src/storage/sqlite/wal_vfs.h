// A file system for the connections that write: SQLite's own, but what a commit appends to the write-ahead log goes to
// the kernel in one piece instead of two system calls for each page.
//
// Safe because SQLite, with synchronous = FULL, syncs the log before it tells anybody that a commit is in it (the
// shared index is written last, see "WAL-Index Format" in its documentation): a sync, and everything else that looks at
// the file, writes out first what has gathered. Do not use it for connections with another setting.
#pragma once

namespace strife::sqlite {

// The name to open a connection with, at once: it stands on what is SQLite's default file system now. Thread-safe.
const char* WalVfs();

}  // namespace strife::sqlite
