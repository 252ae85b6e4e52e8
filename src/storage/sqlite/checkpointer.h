// Checkpointer: moves committed pages from the write-ahead log into the database beside the hot path.
//
// It owns a thread and a connection. Passive checkpoints never wait for anybody, but against a writer that never pauses
// they never reach the log's end either, and only a log that is moved to its end when a transaction begins starts over.
// So the writer does the small rest itself, between two commits, once the thread has moved most; and past a second,
// larger limit it waits for the thread. Only a reader that stays can make the log longer than that; until the log has
// started over, the thread tries again a few times a second, and then the log is cut to what a step needs.
//
// A log that is completely in the database is left alone until the next commit. SQLite before 3.51.3 may lose pages
// when a checkpoint starts on such a log just as a commit starts the log over
// (https://sqlite.org/wal.html#walresetbug).
#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/result.h"
#include "storage/sqlite/sqlite.h"

namespace strife::sqlite {

class Checkpointer {
 public:
  // `writer` must outlive the checkpointer; its commits are watched from here on.
  static Result<std::unique_ptr<Checkpointer>> Start(const std::filesystem::path& file, Database& writer);
  // Stops the thread and, as the last thing done with the writer, moves everything into the database and empties the
  // log as far as readers allow.
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  // For the writer's thread, after each commit. An error of the thread is reported here.
  Status AfterCommit();

 private:
  Checkpointer(Database connection, Database& writer);
  static int OnCommit(void* self, sqlite3* connection, const char* name, int pages);
  void Run();
  void Checkpoint(Database& database);
  // Whether the log goes on behind what a checkpoint was to move. REQUIRES: mutex_ is held.
  bool IsOverdue() const { return begun_pages_ > 0 && moved_pages_ != pages_in_log_; }

  Database connection_;
  Database& writer_;
  std::mutex checkpoint_mutex_;  // held while either connection checkpoints
  std::mutex mutex_;
  int pages_in_log_ = 0;  // guarded by mutex_; as of the last commit
  int moved_pages_ = 0;   // guarded by mutex_; length of the log when a checkpoint has moved all of it
  int begun_pages_ = 0;   // guarded by mutex_; length of the log when its last checkpoint began
  std::condition_variable wake_;
  bool wanted_ = false;           // guarded by mutex_
  bool rest_left_ = false;        // guarded by mutex_; the thread has moved what it could
  bool stopping_ = false;         // guarded by mutex_
  std::optional<Error> failure_;  // guarded by mutex_
  std::atomic<bool> failed_ = false;
  std::thread thread_;
};

}  // namespace strife::sqlite
