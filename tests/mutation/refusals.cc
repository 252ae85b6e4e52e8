#include "mutation/refusals.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "protocol/participant.h"
#include "runtime/engine.h"

namespace strife::mutation {
namespace {

using namespace protocol;

constexpr std::string_view kRefusals = "refusals";

// A bank's process, for a few commands.
class Bank {
 public:
  Bank(std::string bank_id, MemoryBankDisk& disk)
      : bank_id_(std::move(bank_id)),
        store_(OpenMemoryBankStore({std::shared_ptr<void>(), &disk})),
        machine_({.bank_id = bank_id_}) {
    STRIFE_ASSERT(store_->Open(bank_id_));
    machine_.Recover(now_, store_->LoadPrepared().value(), store_->LoadGatewaySeen().value());
  }

  void MustAnswer(CommandOutcome expected, const BankCommand& command, const std::string& what) {
    runtime::Engine engine(machine_, *store_);
    auto effects = engine.Cycle(now_, {CommandInput{{1, 0}, command}});
    if (effects && effects->answers.at(0).reply.outcome == expected) return;
    found.push_back({kRefusals, command.id, bank_id_, {}, "bank " + bank_id_ + " does not refuse " + what});
  }

  const std::string& id() const { return bank_id_; }
  invariant::Violations found;

 private:
  const std::string bank_id_;
  const Now now_{};
  std::unique_ptr<BankStore> store_;
  Participant machine_;
};

// The prepare this bank must have been sent.
BankCommand PrepareOf(const BankTransactionRecord& known, const std::string& bank_id) {
  BankCommand command{CommandKind::kPrepare, known.id,           known.epoch, {}, 0,
                      {"elsewhere", "x"},    {"elsewhere", "x"}, known.amount};
  if (!known.debit_account.empty()) command.from = {bank_id, known.debit_account};
  if (!known.credit_account.empty()) command.to = {bank_id, known.credit_account};
  return command;
}

void ContradictCommitted(Bank& bank, const BankTransactionRecord& known) {
  BankCommand command = PrepareOf(known, bank.id());
  ++command.amount.minor_units;
  bank.MustAnswer(CommandOutcome::kViolation, command, "a prepare with the id of another payment");
  command = {CommandKind::kAbort, known.id, known.epoch, {}, 0, {}, {}, {}};
  bank.MustAnswer(CommandOutcome::kViolation, command, "the abort of what it has committed");
  for (const CommandKind kind : {CommandKind::kPrepare, CommandKind::kCommit, CommandKind::kAbort}) {
    command = PrepareOf(known, bank.id());
    command.kind = kind;
    --command.epoch;
    bank.MustAnswer(CommandOutcome::kStale, command, "a command of a gateway that has been succeeded");
  }
}

void ContradictUnknown(Bank& bank, const BankTransactionRecord& like) {
  BankCommand command = PrepareOf(like, bank.id());
  std::ranges::reverse(command.id.bytes);
  command.kind = CommandKind::kCommit;
  bank.MustAnswer(CommandOutcome::kViolation, command, "the commit of what it never prepared");
}

}  // namespace

invariant::Violations CheckRefusals(const std::string& bank_id, MemoryBankDisk& disk) {
  const auto contents = [&] {
    MemoryBankContents copy;
    disk.Access([&](MemoryBankContents& now) { copy = now; });
    return copy;
  };
  const MemoryBankContents before = contents();
  const auto committed = std::ranges::find_if(before.transactions, [](const auto& row) {
    return row.second.state == BankTransactionState::kCommitted && row.second.kind == BankTransactionKind::kPayment;
  });
  if (committed == before.transactions.end()) return {};
  Bank bank(bank_id, disk);
  ContradictCommitted(bank, committed->second);
  ContradictUnknown(bank, committed->second);
  const MemoryBankContents after = contents();
  if (before.transactions != after.transactions || before.accounts != after.accounts ||
      before.entries != after.entries) {
    bank.found.push_back(
        {kRefusals, {}, bank_id, {}, "bank " + bank_id + " has changed its books for a command it must refuse"});
  }
  return std::move(bank.found);
}

}  // namespace strife::mutation
