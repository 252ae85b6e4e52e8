// Fills the databases of a network with a long history whose books are right, with the traces and audit records that
// go with it, through the stores the servers use: what `strife verify` and ./run bench --history are measured on. The
// network must have been made by strife init and never been started. Payers are user0 … user999.
// Usage: books_fill DIRECTORY BANKS PAYMENTS [accounts at each bank]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>
#include <vector>

#include "audit/audit_of.h"
#include "protocol/ledger.h"
#include "protocol/reason.h"
#include "protocol/trace.h"
#include "storage/sqlite/bank_sqlite.h"
#include "storage/sqlite/gateway_sqlite.h"

namespace strife {
namespace {

using protocol::AccountKind;
using protocol::AccountRecord;
using protocol::BankTransactionKind;
using protocol::BankTransactionRecord;
using protocol::BankTransactionState;
using protocol::CommandOutcome;
using protocol::PaymentState;
using protocol::StepKind;
using protocol::Trace;

constexpr int kPaymentsPerCommit = 20'000;
constexpr std::int64_t kOpening = 1'000'000'000;
constexpr int kRefusedOneIn = 20;

void Require(const Status& status) {
  if (status) return;
  std::fprintf(stderr, "%s\n", status.error().message.c_str());
  std::exit(1);
}

Currency Usd() { return *Currency::Parse("USD"); }

// The outcome of a command to prepare, and of what follows.
CommandOutcome VoteOf(bool completed) { return completed ? CommandOutcome::kYes : CommandOutcome::kNo; }

// The way of a payment without incident, a millisecond a step.
std::string GatewayTrace(WallTime began, int legs, bool completed) {
  Trace trace;
  WallTime at = began;
  const auto add = [&](StepKind kind, int leg, std::optional<CommandOutcome> outcome) {
    const WallTime until = at + std::chrono::milliseconds(1);
    trace.Add({.kind = kind,
               .leg = static_cast<std::uint8_t>(leg),
               .outcome = outcome,
               .epoch = kind == StepKind::kRecorded ? 1U : 0U,
               .at = at,
               .until = until});
    at = until;
  };
  add(StepKind::kReceived, 0, {});
  add(StepKind::kRecorded, 0, {});
  for (int leg = 1; leg <= legs; ++leg) add(StepKind::kPrepare, leg, VoteOf(completed || leg == 2));
  add(completed ? StepKind::kDecidedCommit : StepKind::kDecidedAbort, 0, {});
  for (int leg = 1; leg <= legs; ++leg) {
    add(completed ? StepKind::kCommit : StepKind::kAbort, leg, CommandOutcome::kDone);
  }
  if (completed) add(StepKind::kCompleted, 0, {});
  add(StepKind::kReplied, 0, {});
  return trace.Encode(began, protocol::kGatewayTraceBytes);
}

std::string BankTrace(WallTime began, bool completed) {
  Trace trace;
  const auto add = [&](StepKind kind, CommandOutcome outcome) {
    trace.Add({.kind = kind, .outcome = outcome, .epoch = 1, .at = began, .until = began});
  };
  add(StepKind::kPrepare, VoteOf(completed));
  add(completed ? StepKind::kCommit : StepKind::kAbort, CommandOutcome::kDone);
  return trace.Encode(began, protocol::kBankTraceBytes);
}

class Ids {
 public:
  Uuid Next() {
    std::array<std::uint8_t, 10> random;
    for (auto& byte : random) byte = static_cast<std::uint8_t>(generator());
    if (++made_ % 3 == 0) ++now_ms;  // 3,000 a second
    return Uuid::MakeV7(now_ms, random);
  }
  WallTime now() const { return WallTime(Duration(now_ms * 1000)); }

  std::mt19937_64 generator{1};
  std::int64_t now_ms = 1'700'000'000'000;

 private:
  std::uint64_t made_ = 0;
};

class Bank {
 public:
  Bank(const std::filesystem::path& folder, std::string id, int accounts, Ids& ids) : id_(std::move(id)) {
    std::filesystem::create_directories(folder);
    store_ = OpenBankStore(folder / "bank.db").value();
    Require(store_->Open(id_));
    accounts_.push_back(protocol::EmptyAccount("clearing:USD", AccountKind::kClearing, Usd()));
    accounts_.push_back(protocol::EmptyAccount("opening:USD", AccountKind::kOpening, Usd()));
    for (int i = 0; i < accounts; ++i) {
      accounts_.push_back(protocol::EmptyAccount("account-" + std::to_string(i), AccountKind::kCustomer, Usd()));
      BankTransactionRecord opening = Transaction(ids.Next(), ids.now(), {kOpening, Usd()});
      opening.kind = BankTransactionKind::kOpening;
      opening.credit_account = accounts_.back().account_id;
      Enter(opening, 0, 1, accounts_.size() - 1);
      records_.transactions.push_back(std::move(opening));
    }
    touched_.insert(0);
  }

  void Refuse(const Uuid& id, WallTime now, const Money& amount) {
    BankTransactionRecord transaction = Transaction(id, now, amount);
    transaction.state = BankTransactionState::kAborted;
    transaction.reason_code = protocol::reason::kInsufficientFunds;
    Keep(std::move(transaction));
  }
  void Abort(const Uuid& id, WallTime now, const Money& amount) {
    Refuse(id, now, amount);
    records_.transactions.back().reason_code.clear();
  }

  // Account numbers; -1: that leg is elsewhere.
  void Commit(const Uuid& id, WallTime now, const Money& amount, int debit, int credit) {
    BankTransactionRecord transaction = Transaction(id, now, amount);
    std::uint8_t line = 0;
    if (debit >= 0) {
      transaction.debit_account = Account(debit).account_id;
      Enter(transaction, line, Index(debit), 0);
      line = 2;
    }
    if (credit >= 0) {
      transaction.credit_account = Account(credit).account_id;
      Enter(transaction, line, 0, Index(credit));
    }
    Keep(std::move(transaction));
  }

  void Write() {
    for (const std::size_t account : touched_) records_.accounts.push_back(accounts_[account]);
    Require(store_->Commit(records_));
    records_ = {};
    touched_.clear();
  }

  const AccountRecord& Account(int number) const { return accounts_[Index(number)]; }
  const std::string& id() const { return id_; }

 private:
  // In accounts_: after the two of the bank itself.
  static std::size_t Index(int number) { return static_cast<std::size_t>(number) + 2; }

  static BankTransactionRecord Transaction(const Uuid& id, WallTime now, const Money& amount) {
    BankTransactionRecord transaction;
    transaction.id = id;
    transaction.state = BankTransactionState::kCommitted;
    transaction.epoch = 1;
    transaction.amount = amount;
    transaction.created_at = transaction.updated_at = now;
    return transaction;
  }

  void Keep(BankTransactionRecord transaction) {
    const bool completed = transaction.state == BankTransactionState::kCommitted;
    records_.traces.push_back({transaction.id, BankTrace(transaction.created_at, completed)});
    records_.transactions.push_back(std::move(transaction));
  }

  void Enter(const BankTransactionRecord& transaction, std::uint8_t line, std::size_t debit, std::size_t credit) {
    AccountRecord &from = accounts_[debit], &to = accounts_[credit];
    touched_.insert({debit, credit});
    const std::int64_t amount = transaction.amount.minor_units;
    from.posted -= amount;
    to.posted += amount;
    const WallTime at = transaction.updated_at;
    records_.entries.push_back({transaction.id, line, from.account_id, -amount, transaction.amount.currency, at});
    records_.entries.push_back(
        {transaction.id, static_cast<std::uint8_t>(line + 1), to.account_id, amount, transaction.amount.currency, at});
  }

  const std::string id_;
  std::unique_ptr<BankStore> store_;
  std::vector<AccountRecord> accounts_;
  std::set<std::size_t> touched_;  // since the last Write
  BankRecords records_;
};

// The record of the decision that comes before what is written here, the end.
protocol::AuditRecord DecisionOf(protocol::PaymentRecord payment) {
  payment.state = PaymentState::kCommitting;
  return *audit::AuditOf(payment);
}

void Fill(const std::filesystem::path& data, int banks, int payments, int accounts) {
  Ids ids;
  std::vector<std::unique_ptr<Bank>> all;
  for (int i = 1; i <= banks; ++i) {
    const std::string id = "bank" + std::to_string(i);
    all.push_back(std::make_unique<Bank>(data / id, id, accounts, ids));
  }
  std::filesystem::create_directories(data / "gateway");
  auto gateway = OpenGatewayStore(data / "gateway" / "gateway.db").value();
  GatewayRecords records;
  records.sequence = gateway->OpenIncarnation(ids.Next()).value().sequence;
  for (const auto& bank : all) records.banks.push_back({bank->id(), bank->id(), "localhost:1", {"USD"}, {}, ids.now()});
  const auto any = [&](int below) { return static_cast<int>(ids.generator() % static_cast<unsigned>(below)); };
  for (int i = 0; i < payments; ++i) {
    Bank& from = *all[static_cast<std::size_t>(any(banks))];
    Bank& to = *all[static_cast<std::size_t>(any(banks))];
    const int payer = any(accounts), payee = &from == &to ? (payer + 1 + any(accounts - 1)) % accounts : any(accounts);
    const Money amount{1 + any(1000), Usd()};
    protocol::PaymentRecord payment;
    payment.order = {ids.Next(),
                     "user" + std::to_string(any(1000)),
                     {from.id(), from.Account(payer).account_id},
                     {to.id(), to.Account(payee).account_id},
                     amount,
                     "invoice " + std::to_string(i)};
    payment.epoch = 1;
    payment.created_at = payment.updated_at = ids.now();
    const Uuid& id = payment.order.id;
    if (i % kRefusedOneIn == 0) {
      payment.state = PaymentState::kAborted;
      payment.reason_code = protocol::reason::kInsufficientFunds;
      from.Refuse(id, ids.now(), amount);
      if (&from != &to) to.Abort(id, ids.now(), amount);
    } else {
      payment.state = PaymentState::kCompleted;
      if (&from == &to) {
        from.Commit(id, ids.now(), amount, payer, payee);
      } else {
        from.Commit(id, ids.now(), amount, payer, -1);
        to.Commit(id, ids.now(), amount, -1, payee);
      }
    }
    records.traces.push_back(
        {id, GatewayTrace(payment.created_at, &from == &to ? 1 : 2, payment.state == PaymentState::kCompleted)});
    if (payment.state == PaymentState::kCompleted) records.audit.push_back(DecisionOf(payment));
    records.payments.push_back(std::move(payment));
    if ((i + 1) % kPaymentsPerCommit != 0 && i + 1 != payments) continue;
    for (const auto& bank : all) bank->Write();
    ++records.sequence;
    Require(gateway->Commit(records));
    records.payments.clear();
    records.traces.clear();
    records.audit.clear();
    records.banks.clear();
    std::printf("\r%d payments", i + 1);
    std::fflush(stdout);
  }
  std::printf("\n");
}

}  // namespace
}  // namespace strife

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: %s DIRECTORY BANKS PAYMENTS [accounts at each bank]\n", argv[0]);
    return 2;
  }
  const int accounts = argc > 4 ? std::atoi(argv[4]) : 1000;
  strife::Fill(std::filesystem::path(argv[1]) / "data", std::atoi(argv[2]), std::atoi(argv[3]), accounts);
  return 0;
}
