// How long a log gets, and what becomes of a checkpoint that fails.
#include "storage/sqlite/checkpointer.h"

#include <gmock/gmock.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <thread>

#include "storage/sqlite/fault_vfs.h"
#include "storage/store_test_support.h"

namespace strife {
namespace {

using sqlite::FileFault;
using sqlite::FileOperation;

constexpr std::uintmax_t kMiB = 1 << 20;

// A database with one table, its writer and its checkpointer.
class WrittenDatabase {
 public:
  WrittenDatabase() {
    sqlite::InstallFaultVfs({.fault = [this](FileOperation operation, std::string_view path) -> FileFault {
                               if (operation == FileOperation::kSync && path.ends_with(".db")) {
                                 ++syncs_;
                                 syncs_.notify_all();
                               }
                               return {};
                             },
                             .hold = nullptr});
    std::ofstream(folder_ / "x.db").close();
    writer_ = sqlite::Database::Open(folder_ / "x.db", sqlite::Database::Mode::kReadWrite).value();
    Run("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (x BLOB)");
    syncs_ = 0;
    checkpointer_ = sqlite::Checkpointer::Start(folder_ / "x.db", writer_).value();
  }
  ~WrittenDatabase() {
    checkpointer_.reset();
    writer_ = {};
    sqlite::InstallFaultVfs({});
  }

  void Run(const char* sql) {
    const Status done = writer_.Execute(sql);
    ASSERT_TRUE(done) << done.error().message;
  }
  void Commit(const char* sql) {
    Run(sql);
    ASSERT_TRUE(checkpointer_->AfterCommit());
  }
  // So small that hundreds of them are no reason for a checkpoint.
  void CommitLittle() { Commit("INSERT INTO t VALUES ('little')"); }
  // 34 MB: more than the log holds before a checkpoint begins.
  void CommitMuch() { Commit("INSERT INTO t VALUES (zeroblob(34000000))"); }

  // Whether it comes true with a little commit now and then, of which each but the last is followed by a checkpoint.
  // Waits without end for one that does not come; the test's own time limit ends that.
  bool ComesTrue(const std::function<bool()>& condition) {
    for (int n = 0; n < 20; ++n) {
      const int before = syncs_;
      CommitLittle();
      if (condition()) return true;
      syncs_.wait(before);
    }
    return false;
  }

  sqlite::Database Reader() {
    return sqlite::Database::Open(folder_ / "x.db", sqlite::Database::Mode::kReadOnly).value();
  }
  std::uintmax_t log_bytes() const { return std::filesystem::file_size(folder_ / "x.db-wal"); }
  // How often the log has started over: the fourth number in its header.
  std::string log_number() const {
    std::ifstream log(folder_ / "x.db-wal");
    std::string header(16, '\0');
    log.read(header.data(), 16);
    return header.substr(12);
  }
  // Returns when the thread has moved the whole log.
  void WaitForCheckpoint() {
    syncs_.wait(0);
    auto other = sqlite::Database::Open(folder_ / "x.db", sqlite::Database::Mode::kReadWrite).value();
    while (other.QueryInteger("PRAGMA wal_checkpoint").value() != 0) std::this_thread::yield();  // somebody is at it
  }

 private:
  TestDirectory folder_;
  std::atomic<int> syncs_ = 0;  // of the database: each ends a checkpoint
  sqlite::Database writer_;
  std::unique_ptr<sqlite::Checkpointer> checkpointer_;
};

// Such a transaction goes on with the log although all before it is in the database.
TEST(Checkpointer, TransactionOpenWhileTheLogIsMoved_DoesNotKeepItFromStartingOver) {
  WrittenDatabase database;
  database.CommitMuch();
  const std::string number = database.log_number();
  database.Run("BEGIN IMMEDIATE");
  database.Run("INSERT INTO t VALUES ('late')");
  database.WaitForCheckpoint();
  database.Commit("COMMIT");
  EXPECT_TRUE(database.ComesTrue([&] { return database.log_number() != number; }));
}

TEST(Checkpointer, ReaderThatGoes_LetsTheLogStartOverAndGiveBackWhatItNeedNotKeep) {
  WrittenDatabase database;
  {
    sqlite::Database reader = database.Reader();
    ASSERT_TRUE(reader.Execute("BEGIN; SELECT * FROM t"));
    for (int n = 0; n < 2; ++n) database.CommitMuch();
    database.CommitLittle();
    EXPECT_GT(database.log_bytes(), 60 * kMiB) << "the reader is in the way";
  }
  EXPECT_TRUE(database.ComesTrue([&] { return database.log_bytes() <= 40 * kMiB; })) << database.log_bytes();
}

// The checkpointer's thread works beside the commits: what it meets comes out of one of the next.
TEST(Checkpointer, FailingCheckpoint_EndsTheStoreAndLosesNothing) {
  sqlite::InstallFaultVfs({});
  const TestDirectory folder(Memory());
  const auto file = folder / "bank.db";
  std::atomic<bool> failing = false;
  int confirmed = 0;
  {
    auto store = OpenBankStore(file).value();
    ASSERT_TRUE(store->Open("bank1"));
    sqlite::InstallFaultVfs({.fault = [&](FileOperation operation, std::string_view path) -> FileFault {
                               const bool checkpoints = path.ends_with("bank.db") && operation == FileOperation::kWrite;
                               return {.kind =
                                           failing && checkpoints ? FileFault::Kind::kIoError : FileFault::Kind::kNone};
                             },
                             .hold = nullptr});
    failing = true;
    Status committed;
    while (committed && confirmed < 100'000) {
      BankRecords records = BankCommit(confirmed + 1);
      // Long names fill the log soon.
      records.transactions[0].debit_account.assign(3000, 'x');
      committed = store->Commit(records);
      if (committed) ++confirmed;
    }
    ASSERT_FALSE(committed) << "nobody noticed";
    EXPECT_EQ(committed.error().code, ErrorCode::kStorage);
    EXPECT_FALSE(store->Commit(BankCommit(confirmed + 1)));
  }
  sqlite::InstallFaultVfs({});
  auto reader = OpenBankReader(file).value();
  const auto transactions = Drain(reader->Snapshot().value()->Transactions()).size();
  EXPECT_GE(transactions, static_cast<std::size_t>(confirmed));
  EXPECT_LE(transactions, static_cast<std::size_t>(confirmed) + 1);
}

}  // namespace
}  // namespace strife
