#include "protocol/bank_own_transactions.h"

#include "base/assert.h"
#include "base/limits.h"
#include "protocol/legs.h"
#include "protocol/reason.h"

namespace strife::protocol {

DirectAnswer ProcessDirect(BankWorkingSet& batch, const DirectInput& input, bool id_is_prepared) {
  const auto answer = [&](std::string_view code, std::int64_t posted = 0) {
    return DirectAnswer{input.reply_to, input.id, std::string(code), Money{posted, input.amount.currency}};
  };
  BankTransactionRecord record;
  record.id = input.id;
  record.kind = BankTransactionKind::kDirect;
  (input.deposit ? record.credit_account : record.debit_account) = input.account_id;
  record.amount = input.amount;
  record.created_at = batch.now.wall;
  AccountRecord* customer = batch.FindAccount(input.account_id);
  if (const BankTransactionRecord* known = batch.FindTransaction(input.id); known != nullptr || id_is_prepared) {
    if (known == nullptr || !SameTransaction(*known, record)) return answer(reason::kDuplicate);
    STRIFE_ASSERT(customer != nullptr);
    return answer({}, customer->posted);
  }
  const auto unknown = input.deposit ? reason::kCreditorAccountUnknown : reason::kDebtorAccountUnknown;
  const auto problem = AccountProblem(customer, input.amount.currency, unknown);
  if (!problem.empty()) return answer(problem);
  STRIFE_ASSERT(customer != nullptr);
  if (!ValidAmount(input.amount)) return answer(reason::kInvalidAmount);
  AccountRecord& cash = batch.OwnAccount(AccountKind::kCash, input.amount.currency);
  AccountRecord& from = input.deposit ? cash : *customer;
  AccountRecord& to = input.deposit ? *customer : cash;
  if (const auto refusal = Reserve(from, to, input.amount.minor_units)) return answer(ReasonFor(*refusal));
  Post(from, to, input.amount.minor_units);
  record.state = BankTransactionState::kCommitted;
  batch.Enter(record, 0, from, to);
  batch.Changed(from);
  batch.Changed(to);
  AuditRecord& audit = batch.effects.records.audit.emplace_back();
  audit.event = AuditEvent::kDirectTransaction;
  audit.at = batch.now.wall;
  audit.actor = input.origin.actor;
  audit.peer = input.origin.peer;
  audit.subject = input.id.ToString();
  audit.detail = (input.deposit ? "deposit to " : "withdrawal from ") + input.account_id;
  batch.Changed(batch.PutTransaction(std::move(record)));
  return answer({}, customer->posted);
}

void OpenAccount(BankWorkingSet& batch, const OpenAccountInput& input) {
  if (batch.FindAccount(input.account_id) != nullptr) return;
  STRIFE_ASSERT(input.opening.minor_units >= 0 && input.opening.minor_units <= limits::kMaxAmountMinorUnits);
  const Currency currency = input.opening.currency;
  AccountRecord& opening = batch.OwnAccount(AccountKind::kOpening, currency);
  AccountRecord& account = batch.PutAccount(EmptyAccount(input.account_id, AccountKind::kCustomer, currency));
  batch.Changed(account);
  if (input.opening.minor_units == 0) return;
  BankTransactionRecord record;
  record.id = input.id;
  record.kind = BankTransactionKind::kOpening;
  record.state = BankTransactionState::kCommitted;
  record.credit_account = input.account_id;
  record.amount = input.opening;
  record.created_at = batch.now.wall;
  const auto refusal = Reserve(opening, account, input.opening.minor_units);
  STRIFE_ASSERT(!refusal);  // bounded amounts on a new account
  Post(opening, account, input.opening.minor_units);
  batch.Enter(record, 0, opening, account);
  batch.Changed(opening);
  batch.Changed(batch.PutTransaction(std::move(record)));
}

}  // namespace strife::protocol
