#include "protocol/legs.h"

#include <unordered_map>

#include "base/assert.h"
#include "base/limits.h"
#include "protocol/defect.h"
#include "protocol/reason.h"

namespace strife::protocol {

std::vector<Transfer> TransfersOf(const BankTransactionRecord& record) {
  const std::string clearing = InternalAccountId(AccountKind::kClearing, record.amount.currency);
  std::vector<Transfer> transfers;
  if (!record.debit_account.empty()) transfers.push_back({record.debit_account, clearing});
  if (!record.credit_account.empty()) transfers.push_back({clearing, record.credit_account});
  return transfers;
}

std::optional<std::string> ProblemWithHolds(const std::vector<BankTransactionRecord>& undecided, const BankRows& rows) {
  std::unordered_map<std::string, AccountRecord> left = rows.accounts;  // reserved and not yet accounted for
  for (const BankTransactionRecord& record : undecided) {
    if (record.state != BankTransactionState::kPrepared) continue;
    const std::string what = "transaction " + record.id.ToString() + " is prepared, but ";
    if (!ValidAmount(record.amount) || record.debit_account == record.credit_account) return what + "moves nothing";
    for (const Transfer& transfer : TransfersOf(record)) {
      const auto from = left.find(transfer.from);
      const auto to = left.find(transfer.to);
      if (from == left.end() || to == left.end()) return what + "an account of it is missing";
      from->second.held -= record.amount.minor_units;
      to->second.incoming -= record.amount.minor_units;
      if (from->second.held < 0 || to->second.incoming < 0) return what + "its money is not held";
    }
  }
  return std::nullopt;
}

std::string_view AccountProblem(const AccountRecord* account, Currency currency, std::string_view unknown) {
  if (account == nullptr || account->kind != AccountKind::kCustomer) return unknown;
  if (account->status == AccountStatus::kClosed) return reason::kAccountClosed;
  if (account->status == AccountStatus::kBlocked) return reason::kAccountBlocked;
  if (account->currency != currency) return reason::kAccountCurrency;
  return {};
}

std::string_view ReasonFor(LedgerRefusal refusal) {
  return refusal == LedgerRefusal::kInsufficientFunds ? reason::kInsufficientFunds : reason::kAmountTooLarge;
}

bool ValidAmount(const Money& amount) {
  return amount.minor_units > 0 && amount.minor_units <= limits::kMaxAmountMinorUnits;
}

bool SameTransaction(const BankTransactionRecord& a, const BankTransactionRecord& b) {
  return a.kind == b.kind && a.debit_account == b.debit_account && a.credit_account == b.credit_account &&
         a.amount == b.amount;
}

std::string HoldLegs(BankWorkingSet& batch, const BankTransactionRecord& record) {
  if (!ValidAmount(record.amount)) return std::string(reason::kInvalidAmount);
  if (record.debit_account == record.credit_account) return std::string(reason::kForbidden);
  const Currency currency = record.amount.currency;
  if (!record.debit_account.empty()) {
    const auto problem =
        AccountProblem(batch.FindAccount(record.debit_account), currency, reason::kDebtorAccountUnknown);
    if (!problem.empty()) return std::string(problem);
  }
  if (!record.credit_account.empty()) {
    const auto problem =
        AccountProblem(batch.FindAccount(record.credit_account), currency, reason::kCreditorAccountUnknown);
    if (!problem.empty()) return std::string(problem);
  }
  batch.OwnAccount(AccountKind::kClearing, currency);
  if (Mutated(Defect::kYesWithoutHold)) return {};
  const std::vector<Transfer> transfers = TransfersOf(record);
  for (std::size_t i = 0; i < transfers.size(); ++i) {
    AccountRecord& from = *batch.FindAccount(transfers[i].from);
    AccountRecord& to = *batch.FindAccount(transfers[i].to);
    if (const auto refusal = Reserve(from, to, record.amount.minor_units)) {
      if (i == 1) {  // a payment within the bank holds both legs or none
        Release(*batch.FindAccount(transfers[0].from), from, record.amount.minor_units);
      }
      return std::string(ReasonFor(*refusal));
    }
    batch.Changed(from);
    batch.Changed(to);
  }
  return {};
}

void PostLegs(BankWorkingSet& batch, const BankTransactionRecord& record) {
  std::uint8_t line = 0;
  for (const Transfer& transfer : TransfersOf(record)) {
    AccountRecord* from = batch.FindAccount(transfer.from);
    AccountRecord* to = batch.FindAccount(transfer.to);
    STRIFE_ASSERT(from != nullptr && to != nullptr);
    Post(*from, *to, record.amount.minor_units);
    batch.Enter(record, line, *from, *to);
    batch.Changed(*from);
    batch.Changed(*to);
    line = static_cast<std::uint8_t>(line + 2);
  }
}

void ReleaseLegs(BankWorkingSet& batch, const BankTransactionRecord& record) {
  for (const Transfer& transfer : TransfersOf(record)) {
    AccountRecord* from = batch.FindAccount(transfer.from);
    AccountRecord* to = batch.FindAccount(transfer.to);
    STRIFE_ASSERT(from != nullptr && to != nullptr);
    Release(*from, *to, record.amount.minor_units);
    batch.Changed(*from);
    batch.Changed(*to);
    if (Mutated(Defect::kAbortFreesOneLeg)) break;
  }
}

}  // namespace strife::protocol
