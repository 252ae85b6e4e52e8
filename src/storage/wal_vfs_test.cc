// How commits reach the write-ahead log: in one piece, and into a log that grows ahead of them.
#include "storage/sqlite/wal_vfs.h"

#include <gmock/gmock.h>

#include <utility>

#include "storage/sqlite/fault_vfs.h"
#include "storage/store_test_support.h"

namespace strife {
namespace {

using sqlite::FileFault;
using sqlite::FileOperation;

// Every page of a commit with two system calls of its own was a quarter of what a commit cost.
TEST(WalVfs, Commit_GoesToTheLogInOnePieceBeforeTheSync) {
  sqlite::InstallFaultVfs({});
  const TestDirectory folder;
  auto store = OpenBankStore(folder / "bank.db").value();
  ASSERT_TRUE(store->Open("bank1"));
  BankRecords records = BankCommit(1);
  for (int n = 2; n < 100; ++n) records.transactions.push_back(BankCommit(n).transactions[0]);
  ASSERT_TRUE(store->Commit(records)) << "the log is long enough now";
  for (auto& transaction : records.transactions) transaction.debit_account = "A-2";
  records.entries.clear();
  std::vector<FileOperation> on_log;
  sqlite::InstallFaultVfs({.fault = [&](FileOperation operation, std::string_view path) -> FileFault {
                             if (path.ends_with("bank.db-wal")) on_log.push_back(operation);
                             return {};
                           },
                           .hold = nullptr});
  ASSERT_TRUE(store->Commit(records));
  sqlite::InstallFaultVfs({});
  EXPECT_EQ(on_log, (std::vector{FileOperation::kWrite, FileOperation::kSync}));
}

TEST(WalVfs, LogThatGrows_DoesSoInFewSteps) {
  sqlite::InstallFaultVfs({});
  const TestDirectory folder;
  auto store = OpenBankStore(folder / "bank.db").value();
  ASSERT_TRUE(store->Open("bank1"));
  std::vector<std::uintmax_t> sizes;
  for (int n = 1; sizes.empty() || sizes.back() < 3 << 20; ++n) {
    ASSERT_TRUE(store->Commit(BankCommit(n)));
    const auto size = std::filesystem::file_size(folder / "bank.db-wal");
    if (sizes.empty() || sizes.back() != size) sizes.push_back(size);
  }
  // Twice as long, up to some 2 MiB, then by 1 MiB and the commit that made it grow.
  EXPECT_LE(sizes.size(), 12U);
  for (std::size_t i = 1; i < sizes.size(); ++i) EXPECT_LE(sizes[i] - sizes[i - 1], (1 << 20) + (100 << 10));
}

// As after a crash: zeros must not be written over what another commit has left there.
TEST(WalVfs, LogFromBefore_HasItsSize) {
  sqlite::InstallFaultVfs({});
  const TestDirectory folder;
  auto store = OpenBankStore(folder / "bank.db").value();
  ASSERT_TRUE(store->Open("bank1"));
  for (const char* suffix : {"", "-wal"}) {
    std::filesystem::copy_file((folder / "bank.db").string() + suffix, (folder / "copy.db").string() + suffix);
  }
  auto copy = OpenBankStore(folder / "copy.db").value();
  int writes = 0;
  sqlite::InstallFaultVfs({.fault = [&](FileOperation operation, std::string_view path) -> FileFault {
                             if (path.ends_with("copy.db-wal") && operation == FileOperation::kWrite) ++writes;
                             return {};
                           },
                           .hold = nullptr});
  ASSERT_TRUE(copy->Open("bank1"));
  ASSERT_TRUE(copy->Commit(BankCommit(1)));
  sqlite::InstallFaultVfs({});
  EXPECT_EQ(writes, 1);
}

// What follows the first write before a sync is a step of zeros.
Status CommitWhileZerosFail(FileFault::Kind kind) {
  sqlite::InstallFaultVfs({});
  const TestDirectory folder;
  auto store = OpenBankStore(folder / "bank.db").value();
  EXPECT_TRUE(store->Open("bank1"));
  bool in_commit = false;
  int struck = 0;
  sqlite::InstallFaultVfs({.fault = [&](FileOperation operation, std::string_view path) -> FileFault {
                             if (!path.ends_with("bank.db-wal")) return {};
                             if (!std::exchange(in_commit, operation == FileOperation::kWrite) || !in_commit) return {};
                             ++struck;
                             return {.kind = kind};
                           },
                           .hold = nullptr});
  Status committed;
  for (int n = 1; committed && struck < 10 && n < 1000; ++n) committed = store->Commit(BankCommit(n));
  sqlite::InstallFaultVfs({});
  EXPECT_GT(struck, 0);
  return committed;
}

TEST(WalVfs, DiskTooFullForAStep_CommitsInWhatIsThere) {
  EXPECT_TRUE(CommitWhileZerosFail(FileFault::Kind::kDiskFull));
}

TEST(WalVfs, DiskThatFailsAtAStep_FailsTheCommit) {
  const Status committed = CommitWhileZerosFail(FileFault::Kind::kIoError);
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code, ErrorCode::kStorage);
}

}  // namespace
}  // namespace strife
