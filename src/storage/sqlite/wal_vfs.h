// A file system for the connections that write: SQLite's own, but what a commit appends to the write-ahead log goes to
// the kernel in one piece instead of two system calls for each page.
//
// Safe because SQLite, with synchronous = FULL, syncs the log before it tells anybody that a commit is in it (the
// shared index is written last, see "WAL-Index Format" in its documentation): a sync, and everything else that looks at
// the file, writes out first what has gathered. Do not use it for connections with another setting.
//
// A log that has to grow is followed by zeros, as many as it is long and at most 1 MiB, written with what made it grow.
// To sync bytes that lie in blocks of the file already takes the disk half as long as to sync a file that has become
// longer, and what follows then lies in such. SQLite takes zeros for the end of the log, as it does everything that is
// left behind it from an earlier round.
#pragma once

namespace strife::sqlite {

// The name to open a connection with, at once: it stands on what is SQLite's default file system now. Thread-safe.
const char* WalVfs();

}  // namespace strife::sqlite
