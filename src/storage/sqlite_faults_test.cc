// Fault injection at every point: a small run of each store is made to fail at its first, second, … last file
// operation, in every way a disk can fail, and is then opened again. A commit that was confirmed is there; one that
// failed is there whole or not at all; nothing else is.
#include <gmock/gmock.h>

#include <atomic>
#include <fstream>
#include <functional>

#include "storage/sqlite/fault_vfs.h"
#include "storage/store_test_support.h"

namespace strife {
namespace {

using sqlite::FileFault;
using sqlite::FileOperation;
using ::testing::HasSubstr;

enum class Mode {
  kOnce,      // the disk fails once and then seems to work again, as after a failed fsync
  kForever,   // it fails from then on
  kPowerCut,  // it fails from then on, and what was not synced is lost
};

struct Plan {
  std::string_view folder;  // files elsewhere are left alone
  int strike_at = 0;        // counting operations from 1; 0: never
  FileFault::Kind kind = FileFault::Kind::kIoError;
  Mode mode = Mode::kOnce;
};

// Counts what SQLite does in a folder and fails it as planned. One at a time.
class Faults {
 public:
  explicit Faults(Plan plan) : plan_(plan) {
    sqlite::InstallFaultVfs(
        {.fault = [this](FileOperation operation, std::string_view file) { return Decide(operation, file); },
         .hold = [this](std::string_view) { return plan_.mode == Mode::kPowerCut; }});
  }
  ~Faults() { sqlite::InstallFaultVfs({}); }
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  int operations() const { return operations_; }
  // What was struck first.
  std::string struck() const { return struck_; }

 private:
  FileFault Decide(FileOperation operation, std::string_view file) {
    if (!file.starts_with(plan_.folder)) return {};
    const int number = ++operations_;
    const bool strikes = plan_.mode == Mode::kOnce ? number == plan_.strike_at : number >= plan_.strike_at;
    if (plan_.strike_at == 0 || !strikes) return {};
    if (struck_.empty()) struck_ = std::to_string(static_cast<int>(operation)) + " on " + std::string(file);
    return {.kind = plan_.kind};
  }

  const Plan plan_;
  std::atomic<int> operations_ = 0;
  std::string struck_;
};

// A run of commits, each of which must be all there or not at all. Stops at the first error.
struct Outcome {
  int confirmed = 0;
  std::optional<Error> error;
};

constexpr int kCommits = 3;  // before the store is closed and opened again, and as many after

void Continue(Outcome& outcome, const Status& status) {
  if (status) {
    ++outcome.confirmed;
  } else {
    outcome.error = status.error();
  }
}

// ---- The bank.

Outcome RunBank(const std::filesystem::path& file) {
  Outcome outcome;
  for (int round = 0; round < 2; ++round) {
    auto store = OpenBankStore(file);
    if (!store) return {outcome.confirmed, store.error()};
    if (Status opened = (*store)->Open("bank1"); !opened) return {outcome.confirmed, opened.error()};
    for (int i = 0; i < kCommits; ++i) {
      Continue(outcome, (*store)->Commit(BankCommit(outcome.confirmed + 1)));
      if (!outcome.error) continue;
      const Status again = (*store)->Commit(BankCommit(outcome.confirmed + 1));
      EXPECT_EQ(again ? "done" : again.error().message, outcome.error->message)
          << "a store that has failed must not try again";
      return outcome;
    }
  }
  return outcome;
}

// How many commits the file holds, each whole.
int CommitsInBank(const std::filesystem::path& file) {
  auto store = OpenBankStore(file);
  if (!store) {
    ADD_FAILURE() << store.error().message;
    return -1;
  }
  const Status opened = (*store)->Open("bank1");
  EXPECT_TRUE(opened) << opened.error().message;
  auto reader = OpenBankReader(file).value();
  auto snapshot = reader->Snapshot().value();
  const int commits = static_cast<int>(Drain(snapshot->Transactions()).size());
  EXPECT_EQ(Drain(snapshot->Entries()).size(), 2U * static_cast<unsigned>(commits));
  const auto accounts = Drain(snapshot->Accounts());
  EXPECT_EQ(accounts.size(), commits == 0 ? 0U : 2U);
  for (const auto& account : accounts) {
    EXPECT_EQ(account.posted, account.account_id == "A-1" ? 1000 - commits : 1000 + commits);
  }
  const auto totals = reader->Totals().value();
  EXPECT_EQ(totals.empty() ? 0 : totals[0].debits, commits);
  const auto seen = (*store)->LoadGatewaySeen().value();
  EXPECT_EQ(seen ? seen->sequence : 0U, static_cast<std::uint64_t>(commits));
  const Status goes_on = (*store)->Commit(BankCommit(commits + 1));
  EXPECT_TRUE(goes_on) << goes_on.error().message;
  return commits;
}

// ---- The gateway: commit n adds payment n and moves every earlier one on.

GatewayRecords GatewayCommit(int n) {
  GatewayRecords records;
  records.sequence = static_cast<std::uint64_t>(n);
  for (int i = 1; i <= n; ++i) {
    records.payments.push_back(PaymentOf(static_cast<std::uint32_t>(i)));
    if (i < n) records.payments.back().state = protocol::PaymentState::kCompleted;
    records.payments.back().updated_at = At(n);
  }
  return records;
}

Outcome RunGateway(const std::filesystem::path& file) {
  Outcome outcome;
  for (int round = 0; round < 2; ++round) {
    auto store = OpenGatewayStore(file);
    if (!store) return {outcome.confirmed, store.error()};
    const auto incarnation = (*store)->OpenIncarnation(IdOf(9));
    if (!incarnation) return {outcome.confirmed, incarnation.error()};
    EXPECT_EQ(incarnation->sequence, static_cast<std::uint64_t>(outcome.confirmed));
    for (int i = 0; i < kCommits; ++i) {
      Continue(outcome, (*store)->Commit(GatewayCommit(outcome.confirmed + 1)));
      if (!outcome.error) continue;
      const Status again = (*store)->Commit(GatewayCommit(outcome.confirmed + 1));
      EXPECT_EQ(again ? "done" : again.error().message, outcome.error->message)
          << "a store that has failed must not try again";
      return outcome;
    }
  }
  return outcome;
}

int CommitsInGateway(const std::filesystem::path& file) {
  auto store = OpenGatewayStore(file);
  if (!store) {
    ADD_FAILURE() << store.error().message;
    return -1;
  }
  const auto incarnation = (*store)->OpenIncarnation(IdOf(9));
  EXPECT_TRUE(incarnation) << incarnation.error().message;
  const int commits = static_cast<int>(incarnation->sequence);
  const auto payments = Drain(OpenGatewayReader(file).value()->ScanPayments());
  EXPECT_EQ(payments.size(), static_cast<std::size_t>(commits));
  for (const auto& payment : payments) {
    EXPECT_EQ(payment.updated_at, At(commits));
    const bool last = payment.order.id == IdOf(static_cast<std::uint32_t>(commits));
    EXPECT_EQ(payment.state, last ? protocol::PaymentState::kInitiated : protocol::PaymentState::kCompleted);
  }
  const Status goes_on = (*store)->Commit(GatewayCommit(commits + 1));
  EXPECT_TRUE(goes_on) << goes_on.error().message;
  return commits;
}

struct Subject {
  const char* name;
  Outcome (*run)(const std::filesystem::path&);
  int (*commits_in)(const std::filesystem::path&);
};

class EveryPoint : public ::testing::TestWithParam<Subject> {
 protected:
  int CountOperations() {
    const TestDirectory folder(Memory());
    const std::string prefix = (folder / "").string();
    const Faults faults({.folder = prefix});
    const Outcome outcome = GetParam().run(folder / "store.db");
    EXPECT_FALSE(outcome.error) << outcome.error->message;
    EXPECT_EQ(outcome.confirmed, 2 * kCommits);
    return faults.operations();
  }

  // Strikes at every operation in turn; returns in how many runs an error came out.
  int StrikeEverywhere(FileFault::Kind kind, Mode mode) {
    const int operations = CountOperations();
    int errors = 0;
    for (int at = 1; at <= operations && !HasFailure(); ++at) {
      const TestDirectory folder(Memory());
      const std::string prefix = (folder / "").string();
      const std::filesystem::path file = folder / "store.db";
      Outcome outcome;
      std::string struck;
      {
        const Faults faults({.folder = prefix, .strike_at = at, .kind = kind, .mode = mode});
        outcome = GetParam().run(file);
        struck = faults.struck();
      }
      SCOPED_TRACE("operation " + std::to_string(at) + " of " + std::to_string(operations) + ", " + struck);
      if (outcome.error) {
        ++errors;
        EXPECT_EQ(outcome.error->code, ErrorCode::kStorage) << outcome.error->message;
        EXPECT_THAT(outcome.error->message, HasSubstr(file.string()));
      }
      const int commits = GetParam().commits_in(file);
      EXPECT_GE(commits, outcome.confirmed) << "a confirmed commit is lost";
      EXPECT_LE(commits, outcome.confirmed + (outcome.error ? 1 : 0)) << "there is what nobody committed";
    }
    return errors;
  }
};

TEST_P(EveryPoint, IoErrorOnce_LosesNothingAndIsNotTriedAgain) {
  EXPECT_GT(StrikeEverywhere(FileFault::Kind::kIoError, Mode::kOnce), 50);
}

TEST_P(EveryPoint, ShortWrite_LosesNothing) {
  EXPECT_GT(StrikeEverywhere(FileFault::Kind::kShortWrite, Mode::kForever), 50);
}

TEST_P(EveryPoint, DiskFull_LosesNothing) {
  EXPECT_GT(StrikeEverywhere(FileFault::Kind::kDiskFull, Mode::kForever), 50);
}

TEST_P(EveryPoint, PowerCut_LosesNothingThatWasConfirmed) {
  EXPECT_GT(StrikeEverywhere(FileFault::Kind::kIoError, Mode::kPowerCut), 50);
}

INSTANTIATE_TEST_SUITE_P(Stores, EveryPoint,
                         ::testing::Values(Subject{"Bank", RunBank, CommitsInBank},
                                           Subject{"Gateway", RunGateway, CommitsInGateway}),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(SqliteFaults, DiskFull_SaysSoAndWhatToDo) {
  sqlite::InstallFaultVfs({});
  const TestDirectory folder;
  const std::string prefix = (folder / "").string();
  auto store = OpenBankStore(folder / "bank.db").value();
  ASSERT_TRUE(store->Open("bank1"));
  const Faults faults({.folder = prefix, .strike_at = 1, .kind = FileFault::Kind::kDiskFull, .mode = Mode::kForever});
  const Status full = store->Commit(BankCommit(1));
  ASSERT_FALSE(full);
  EXPECT_THAT(full.error().message, HasSubstr("full"));
  EXPECT_THAT(full.error().message, HasSubstr("free some disk space"));
}

}  // namespace
}  // namespace strife
