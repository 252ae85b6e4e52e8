#include "storage/sqlite/checkpointer.h"

#include <sqlite3.h>

#include <chrono>
#include <utility>

namespace strife::sqlite {
namespace {

// 32 MB of 4 KB pages. A page that many commits have changed is moved once for all of them, so long steps are cheap.
constexpr int kStepPages = 8000;
constexpr int kLongPages = 24'000;  // 96 MB
// 40 MB of a log that starts over are kept: what a step needs, and what is committed meanwhile.
constexpr const char* kLimitLog = "PRAGMA journal_size_limit = 41943040";
constexpr auto kRetryInterval = std::chrono::milliseconds(200);

}  // namespace

Result<std::unique_ptr<Checkpointer>> Checkpointer::Start(const std::filesystem::path& file, Database& writer) {
  auto connection = Database::Open(file, Database::Mode::kReadWrite);
  if (!connection) return std::unexpected(std::move(connection.error()));
  if (auto set = connection->Execute("PRAGMA synchronous = FULL"); !set) return std::unexpected(std::move(set.error()));
  if (auto set = writer.Execute(kLimitLog); !set) return std::unexpected(std::move(set.error()));
  return std::unique_ptr<Checkpointer>(new Checkpointer(std::move(*connection), writer));
}

Checkpointer::Checkpointer(Database connection, Database& writer)
    : connection_(std::move(connection)), writer_(writer) {
  sqlite3_wal_hook(writer_.handle(), &Checkpointer::OnCommit, this);
  thread_ = std::thread([this] { Run(); });
}

Checkpointer::~Checkpointer() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  sqlite3_wal_hook(writer_.handle(), nullptr, nullptr);
  // A reader that is still there keeps the log in place, which is no loss: it is read again at the next open.
  sqlite3_busy_timeout(writer_.handle(), 0);
  (void)sqlite3_wal_checkpoint_v2(writer_.handle(), "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
}

int Checkpointer::OnCommit(void* self, sqlite3*, const char*, int pages) {
  auto* checkpointer = static_cast<Checkpointer*>(self);
  {
    const std::scoped_lock lock(checkpointer->mutex_);
    const bool goes_on = checkpointer->moved_pages_ > 0 && pages > checkpointer->moved_pages_;
    checkpointer->pages_in_log_ = pages;
    if (pages != checkpointer->moved_pages_) checkpointer->moved_pages_ = 0;
    if (pages < checkpointer->begun_pages_) checkpointer->begun_pages_ = 0;  // it has started over
    if (pages - checkpointer->begun_pages_ >= kStepPages) checkpointer->wanted_ = true;
    if (!checkpointer->wanted_ && !goes_on) return SQLITE_OK;
  }
  checkpointer->wake_.notify_one();
  return SQLITE_OK;
}

Status Checkpointer::AfterCommit() {
  const auto is_to_finish = [this] {
    const std::scoped_lock lock(mutex_);
    return (std::exchange(rest_left_, false) && IsOverdue()) || pages_in_log_ > kLongPages;
  };
  if (is_to_finish()) Checkpoint(writer_);
  if (!failed_) return {};
  const std::scoped_lock lock(mutex_);
  return std::unexpected(*failure_);
}

void Checkpointer::Run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return wanted_ || stopping_ || IsOverdue(); });
      // The writer is about to do the rest; if it cannot, a reader is in the way, and may have gone by then.
      wake_.wait_for(lock, kRetryInterval, [this] { return wanted_ || stopping_; });
      if (stopping_) return;
      if (!std::exchange(wanted_, false) && !IsOverdue()) continue;
    }
    Checkpoint(connection_);
    const std::scoped_lock lock(mutex_);
    // Also when all is moved: a transaction that was open meanwhile goes on with the log, and only the writer can tell.
    rest_left_ = true;
  }
}

void Checkpointer::Checkpoint(Database& database) {
  const std::scoped_lock checkpointing(checkpoint_mutex_);
  {
    const std::scoped_lock lock(mutex_);
    if (moved_pages_ > 0 && moved_pages_ == pages_in_log_) return;
    begun_pages_ = pages_in_log_;
  }
  int in_log = 0;
  int moved = 0;
  const int code = sqlite3_wal_checkpoint_v2(database.handle(), "main", SQLITE_CHECKPOINT_PASSIVE, &in_log, &moved);
  if ((code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED) return;  // somebody else is at it
  const std::scoped_lock lock(mutex_);
  if (code == SQLITE_OK) {
    if (moved == in_log) moved_pages_ = in_log;
    return;
  }
  if (!failure_) failure_ = MakeError(database.handle(), code);
  failed_ = true;
}

}  // namespace strife::sqlite
