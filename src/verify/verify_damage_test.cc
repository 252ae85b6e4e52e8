// Every kind of damage, planted one at a time in copies of real databases: each must be found, and named.
#include <gmock/gmock.h>

#include <filesystem>

#include "base/test_directory.h"
#include "protocol/participant.h"
#include "protocol/reason.h"
#include "storage/sqlite/bank_sqlite.h"
#include "storage/sqlite/gateway_sqlite.h"
#include "storage/sqlite/sqlite.h"
#include "verify/verify.h"

namespace strife::verify {
namespace {

namespace fs = std::filesystem;
using protocol::CommandKind;
using protocol::PaymentOrder;
using protocol::PaymentState;
using ::testing::HasSubstr;

Currency Usd() { return *Currency::Parse("USD"); }

// 00000001-… for 1, as a text and as SQL.
Uuid IdOf(std::uint8_t number) {
  Uuid id;
  id.bytes[3] = number;
  id.bytes[15] = 1;
  return id;
}
std::string SqlId(std::uint8_t number) {
  std::string hex = IdOf(number).ToString();
  std::erase(hex, '-');
  return "x'" + hex + "'";
}

class Bank {
 public:
  Bank(const fs::path& file, const std::string& bank_id)
      : bank_id_(bank_id), store_(OpenBankStore(file).value()), participant_({.bank_id = bank_id}) {
    EXPECT_TRUE(store_->Open(bank_id));
  }

  void Do(protocol::ParticipantInput input) {
    BankKeys keys;
    participant_.CollectKeys(input, keys);
    const auto effects =
        participant_.Step({{}, WallTime(std::chrono::hours(1))}, {std::move(input)}, store_->Load(keys).value());
    ASSERT_TRUE(store_->Commit(effects.records));
  }
  void Tell(CommandKind kind, const PaymentOrder& order) {
    if (order.from.bank_id != bank_id_ && order.to.bank_id != bank_id_) return;
    Do(protocol::CommandInput{{}, {kind, order.id, 1, IdOf(99), 1, order.from, order.to, order.amount}});
  }
  void ForceByTwo(const PaymentOrder& order, protocol::Decision decision) {
    for (const char* by : {"alice", "bob"}) Do(protocol::ForceInput{{1, 0}, order.id, decision, by});
  }

 private:
  const std::string bank_id_;
  std::unique_ptr<BankStore> store_;
  protocol::Participant participant_;
};

PaymentOrder Order(std::uint8_t number, protocol::AccountRef from, protocol::AccountRef to, std::int64_t amount) {
  return {IdOf(number), "user", std::move(from), std::move(to), {amount, Usd()}, ""};
}

// Folders with the databases of a gateway and two banks. Payments: 1 bank1/A to bank2/C, 2 within bank1, 3 bank2/C to
// bank1/B, all completed; 4 refused by bank1; 5 committed at bank1 and not yet at bank2; 6 aborted, which bank2 heard
// before it was asked; 7 forced to abort at bank2, decided to commit, acknowledged; 8 forced as decided.
class Books {
 public:
  static void Write(const fs::path& folder) {
    Bank bank1(folder / "bank1.db", "bank1"), bank2(folder / "bank2.db", "bank2");
    auto gateway = OpenGatewayStore(folder / "gateway.db").value();
    GatewayRecords records;
    records.sequence = gateway->OpenIncarnation(IdOf(99)).value().sequence + 1;
    for (const char* id : {"bank1", "bank2"}) records.banks.push_back({id, id, "localhost:1", {"USD"}, {}, {}});
    bank1.Do(protocol::OpenAccountInput{IdOf(100), "A", {10'000, Usd()}});
    bank1.Do(protocol::OpenAccountInput{IdOf(101), "B", {10'000, Usd()}});
    bank2.Do(protocol::OpenAccountInput{IdOf(100), "C", {10'000, Usd()}});
    bank2.Do(protocol::DirectInput{{}, IdOf(102), "C", {50, Usd()}, true});
    const auto both = [&](CommandKind kind, const PaymentOrder& order) {
      bank1.Tell(kind, order);
      bank2.Tell(kind, order);
    };
    const auto record = [&](const PaymentOrder& order, PaymentState state, std::string_view reason = {}) {
      records.payments.push_back({order, state, std::string(reason), "", 1, {}, {}});
    };
    for (const auto& order :
         {Order(1, {"bank1", "A"}, {"bank2", "C"}, 500), Order(2, {"bank1", "A"}, {"bank1", "B"}, 70),
          Order(3, {"bank2", "C"}, {"bank1", "B"}, 120)}) {
      both(CommandKind::kPrepare, order);
      both(CommandKind::kCommit, order);
      record(order, PaymentState::kCompleted);
    }
    const auto refused = Order(4, {"bank1", "A"}, {"bank2", "C"}, 1'000'000);
    both(CommandKind::kPrepare, refused);
    bank2.Tell(CommandKind::kAbort, refused);
    record(refused, PaymentState::kAborted, protocol::reason::kInsufficientFunds);
    const auto half = Order(5, {"bank1", "A"}, {"bank2", "C"}, 10);
    both(CommandKind::kPrepare, half);
    bank1.Tell(CommandKind::kCommit, half);
    record(half, PaymentState::kCommitting);
    const auto overtaken = Order(6, {"bank1", "A"}, {"bank2", "C"}, 5);
    both(CommandKind::kAbort, overtaken);
    record(overtaken, PaymentState::kAborted, protocol::reason::kTimeoutDebtorAgent);
    const auto mixed = Order(7, {"bank1", "A"}, {"bank2", "C"}, 3);
    both(CommandKind::kPrepare, mixed);
    bank2.ForceByTwo(mixed, protocol::Decision::kAbort);
    both(CommandKind::kCommit, mixed);
    bank2.Do(protocol::AcknowledgeInput{{1, 0}, mixed.id, "carol"});
    record(mixed, PaymentState::kCompleted, protocol::reason::kHeuristicMixed);
    const auto agreed = Order(8, {"bank1", "A"}, {"bank2", "C"}, 2);
    both(CommandKind::kPrepare, agreed);
    bank1.ForceByTwo(agreed, protocol::Decision::kCommit);
    both(CommandKind::kCommit, agreed);
    record(agreed, PaymentState::kCompleted);
    ASSERT_TRUE(gateway->Commit(records));
  }
};

Result<Report> VerifyFolder(const fs::path& folder) {
  auto gateway = OpenGatewayReader(folder / "gateway.db");
  if (!gateway) return std::unexpected(gateway.error());
  auto bank1 = OpenBankReader(folder / "bank1.db");
  if (!bank1) return std::unexpected(bank1.error());
  auto bank2 = OpenBankReader(folder / "bank2.db");
  if (!bank2) return std::unexpected(bank2.error());
  return Verify(**gateway, {{"bank1", bank1->get()}, {"bank2", bank2->get()}});
}

std::string Describe(const Report& report) {
  std::string text;
  for (const auto& violation : report.violations) {
    text += "  " + std::string(violation.invariant) + ": " + violation.sentence + "\n";
  }
  return text;
}

struct Damage {
  std::string what;
  std::string database;
  std::string sql;
  std::string_view invariant;  // one that is found broken
  std::string bank;            // where that is, as the violation says it
  std::string named;           // in that violation: the transaction or account
};

std::string Text(std::uint8_t number) { return IdOf(number).ToString(); }

std::vector<Damage> AllDamages() {
  using namespace invariant;
  const std::string one = SqlId(1);
  return {
      {"entry removed", "bank1", "DELETE FROM entries WHERE transaction_id = " + one + " AND line = 1", kExactlyOnce,
       "bank1", Text(1)},
      {"all entries removed", "bank2", "DELETE FROM entries WHERE transaction_id = " + one, kExactlyOnce, "bank2",
       Text(1)},
      {"entry duplicated", "bank1",
       "INSERT INTO entries SELECT transaction_id, line + 2, account_id, amount, currency, posted_at FROM entries "
       "WHERE "
       "transaction_id = " +
           one,
       kExactlyOnce, "bank1", Text(1)},
      {"transaction duplicated under another id", "bank1",
       "INSERT INTO transactions SELECT " + SqlId(50) +
           ", kind, state, epoch, gateway_store_id, debit_account, credit_account, amount, currency, reason_code, "
           "created_at, updated_at, trace FROM transactions WHERE id = " +
           one,
       kKnown, "bank1", Text(50)},
      {"amount of an entry", "bank1",
       "UPDATE entries SET amount = amount - 1 WHERE transaction_id = " + one + " AND line = 0", kExactlyOnce, "bank1",
       Text(1)},
      {"amount of both entries, sums cancel", "bank2",
       "UPDATE entries SET amount = amount * 2 WHERE transaction_id = " + one, kExactlyOnce, "bank2", Text(1)},
      {"account of an entry", "bank1",
       "UPDATE entries SET account_id = 'B' WHERE transaction_id = " + one + " AND line = 0", kExactlyOnce, "bank1",
       Text(1)},
      {"sign of both entries, sums cancel", "bank1",
       "UPDATE entries SET amount = -amount WHERE transaction_id = " + one, kExactlyOnce, "bank1", Text(1)},
      {"sign of both entries and of the balances", "bank1",
       "UPDATE entries SET amount = -amount WHERE transaction_id = " + one +
           "; UPDATE accounts SET posted = posted + 1000 WHERE account_id = 'A'; UPDATE accounts SET posted = posted - "
           "1000 WHERE account_id = 'clearing:USD'",
       kExactlyOnce, "bank1", Text(1)},
      {"currency of an entry", "bank1",
       "UPDATE entries SET currency = 'EUR' WHERE transaction_id = " + one + " AND line = 0", kTerms, "bank1", "A"},
      {"currency that is none", "bank1",
       "UPDATE entries SET currency = 'XXX' WHERE transaction_id = " + one + " AND line = 0", kWellFormed, "bank1",
       Text(1)},
      {"entries of no transaction", "bank2",
       "INSERT INTO entries VALUES (" + SqlId(60) + ", 0, 'C', -5, 'USD', 0), (" + SqlId(60) +
           ", 1, 'clearing:USD', 5, 'USD', 0)",
       kExactlyOnce, "bank2", Text(60)},
      {"entries of an aborted transaction", "bank1",
       "INSERT INTO entries VALUES (" + SqlId(4) + ", 0, 'A', -5, 'USD', 0), (" + SqlId(4) +
           ", 1, 'clearing:USD', 5, 'USD', 0)",
       kExactlyOnce, "bank1", Text(4)},
      {"balance", "bank2", "UPDATE accounts SET posted = posted + 1 WHERE account_id = 'C'", kBalances, "bank2", "C"},
      {"balances moved between customers", "bank1",
       "UPDATE accounts SET posted = posted + 1 WHERE account_id = 'A'; UPDATE accounts SET posted = posted - 1 WHERE "
       "account_id = 'B'",
       kBalances, "bank1", "B"},
      {"clearing account", "bank1", "UPDATE accounts SET posted = posted + 1 WHERE account_id = 'clearing:USD'",
       kConservation, "", "clearing"},
      {"account removed", "bank1", "DELETE FROM accounts WHERE account_id = 'B'", kBalances, "bank1", "B"},
      {"running sum", "bank1", "UPDATE totals SET debits = debits + 1", kBalances, "bank1", "running sum of debits"},
      {"orphaned hold", "bank1", "UPDATE accounts SET held = 7 WHERE account_id = 'A'", kHolds, "bank1", "A"},
      {"hold of a prepared credit lost", "bank2", "UPDATE accounts SET incoming = 0 WHERE account_id = 'C'", kHolds,
       "bank2", "C"},
      {"negative hold", "bank1", "UPDATE accounts SET held = -1 WHERE account_id = 'A'", kWellFormed, "bank1", "A"},
      {"overdraft", "bank1", "UPDATE accounts SET held = posted + 1 WHERE account_id = 'A'", kNoOverdraft, "bank1",
       "A"},
      {"transaction missing at one bank", "bank2", "DELETE FROM transactions WHERE id = " + one, kToldTheTruth, "bank2",
       Text(1)},
      {"transaction and entries missing at one bank", "bank2",
       "DELETE FROM transactions WHERE id = " + one + "; DELETE FROM entries WHERE transaction_id = " + one,
       kToldTheTruth, "bank2", Text(1)},
      {"committed at one, aborted at the other", "bank2", "UPDATE transactions SET state = 4 WHERE id = " + one,
       kAgreement, "bank2", Text(1)},
      {"committed at one, prepared at the other", "bank2", "UPDATE transactions SET state = 2 WHERE id = " + one,
       kToldTheTruth, "bank2", Text(1)},
      {"unknown state", "bank1", "UPDATE transactions SET state = 9 WHERE id = " + one, kWellFormed, "bank1", Text(1)},
      {"amount of a transaction", "bank2", "UPDATE transactions SET amount = 501 WHERE id = " + one, kTerms, "bank2",
       Text(1)},
      {"account of a transaction", "bank1", "UPDATE transactions SET debit_account = 'B' WHERE id = " + one, kTerms,
       "bank1", Text(1)},
      {"refusal missing", "bank1", "DELETE FROM transactions WHERE id = " + SqlId(4), kToldTheTruth, "", Text(4)},
      {"refusal with another reason", "bank1", "UPDATE transactions SET reason_code = 'AC04' WHERE id = " + SqlId(4),
       kToldTheTruth, "", Text(4)},
      {"decision without votes", "bank2",
       "DELETE FROM transactions WHERE id = " + SqlId(5) + "; UPDATE accounts SET incoming = 0", kValidity, "bank2",
       Text(5)},
      {"gateway's record missing", "gateway", "DELETE FROM payments WHERE id = " + one, kKnown, "bank1", Text(1)},
      {"gateway's record aborted", "gateway", "UPDATE payments SET state = 4 WHERE id = " + one, kToldTheTruth, "bank1",
       Text(1)},
      {"gateway's record completed too early", "gateway", "UPDATE payments SET state = 3 WHERE id = " + SqlId(5),
       kToldTheTruth, "bank2", Text(5)},
      {"gateway's abort made a completion", "gateway", "UPDATE payments SET state = 3 WHERE id = " + SqlId(6),
       kToldTheTruth, "bank1", Text(6)},
      {"gateway's record undecided", "gateway", "UPDATE payments SET state = 1 WHERE id = " + one, kValidity, "bank1",
       Text(1)},
      {"gateway's record in an unknown state", "gateway", "UPDATE payments SET state = 9 WHERE id = " + one,
       kWellFormed, "", Text(1)},
      {"ordered amount", "gateway", "UPDATE payments SET amount = 499 WHERE id = " + one, kTerms, "bank1", Text(1)},
      {"ordered account", "gateway", "UPDATE payments SET to_account = 'D' WHERE id = " + one, kTerms, "bank2",
       Text(1)},
      {"ordered bank", "gateway", "UPDATE payments SET to_bank = 'bank1' WHERE id = " + one, kTerms, "bank2", Text(1)},
      {"acknowledgement taken back", "bank2", "UPDATE heuristics SET state = 4", kHeuristic, "bank2", Text(7)},
      {"forced transaction changed afterwards", "bank1",
       "UPDATE heuristics SET decision = 2 WHERE transaction_id = " + SqlId(8), kHeuristic, "bank1", Text(8)},
      {"heuristic of no transaction", "bank1",
       "UPDATE heuristics SET transaction_id = " + SqlId(70) + " WHERE transaction_id = " + SqlId(8), kHeuristic,
       "bank1", Text(70)},
      {"completion that does not say it was forced", "gateway",
       "UPDATE payments SET reason_code = '' WHERE id = " + SqlId(7), kToldTheTruth, "bank2", Text(7)},
  };
}

TEST(VerifyDamage, BooksAsTheyAreWritten_AreRight) {
  const TestDirectory folder;
  Books::Write(folder.path());
  const auto report = VerifyFolder(folder.path());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->ok()) << Describe(*report);
  EXPECT_EQ(report->open, 1u);
  EXPECT_TRUE(report->clearing_checked);
  ASSERT_EQ(report->forced.size(), 2u);
  EXPECT_EQ(report->forced[0].record.state, protocol::HeuristicState::kAgreed);
  EXPECT_EQ(report->forced[1].record.state, protocol::HeuristicState::kAcknowledged);
}

TEST(VerifyDamage, EachKindPlantedAlone_IsFoundAndNamed) {
  const TestDirectory original;
  Books::Write(original.path());
  for (const Damage& damage : AllDamages()) {
    SCOPED_TRACE(damage.what);
    const TestDirectory copy;
    fs::copy(original.path(), copy.path(), fs::copy_options::recursive);
    {
      auto database =
          sqlite::Database::Open(copy.path() / (damage.database + ".db"), sqlite::Database::Mode::kReadWrite).value();
      ASSERT_TRUE(database.Execute("PRAGMA ignore_check_constraints = ON"));
      const Status planted = database.Execute(damage.sql.c_str());
      ASSERT_TRUE(planted) << planted.error().message;
    }
    const auto report = VerifyFolder(copy.path());
    ASSERT_TRUE(report) << report.error().message;
    const auto names = [&](const invariant::Violation& violation) {
      return violation.invariant == damage.invariant && violation.bank_id == damage.bank &&
             violation.sentence.find(damage.named) != std::string::npos;
    };
    EXPECT_TRUE(std::ranges::any_of(report->violations, names)) << Describe(*report);
  }
}

TEST(VerifyDamage, DatabaseOfAnotherBank_IsOneSentence) {
  const TestDirectory folder;
  Books::Write(folder.path());
  fs::rename(folder.path() / "bank1.db", folder.path() / "bank3.db");
  fs::rename(folder.path() / "bank2.db", folder.path() / "bank1.db");
  fs::rename(folder.path() / "bank3.db", folder.path() / "bank2.db");
  const auto report = VerifyFolder(folder.path());
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("belongs to bank bank2"));
}

TEST(VerifyDamage, PageOfGarbage_IsOneSentence) {
  const TestDirectory folder;
  Books::Write(folder.path());
  const fs::path file = folder.path() / "bank1.db";
  ASSERT_GT(fs::file_size(file), 4096u * 3);
  std::FILE* bytes = std::fopen(file.c_str(), "r+b");
  const std::string garbage(fs::file_size(file) - 4096, 'x');
  std::fseek(bytes, 4096, SEEK_SET);
  std::fwrite(garbage.data(), 1, garbage.size(), bytes);
  std::fclose(bytes);
  const auto report = VerifyFolder(folder.path());
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kStorage);
  EXPECT_THAT(report.error().message, HasSubstr("bank1.db"));
}

}  // namespace
}  // namespace strife::verify
