#include "storage/sqlite/bank_rows.h"

#include <utility>

#include "storage/sqlite/row.h"

namespace strife::sqlite {

using protocol::AccountKind;
using protocol::AccountStatus;
using protocol::BankTransactionKind;
using protocol::BankTransactionState;

Result<BankMeta> ReadBankMeta(const Statement& statement) {
  Row row(statement, "meta");
  BankMeta meta;
  meta.bank_id = row.Text(0);
  if (!statement.IsNull(1)) meta.gateway_seen = GatewaySeen{row.Id(1), row.Unsigned(2)};
  return row.Finish(std::move(meta));
}

Result<protocol::BankTransactionRecord> ReadBankTransaction(const Statement& statement) {
  Row row(statement, "transactions");
  protocol::BankTransactionRecord transaction;
  transaction.id = row.Id(0);
  transaction.kind = row.Enumerated(1, BankTransactionKind::kPayment, BankTransactionKind::kOpening);
  transaction.state = row.Enumerated(2, BankTransactionState::kPrepared, BankTransactionState::kAborted);
  transaction.epoch = row.Unsigned(3);
  transaction.gateway_store_id = row.Id(4);
  transaction.debit_account = row.Text(5);
  transaction.credit_account = row.Text(6);
  transaction.amount.minor_units = static_cast<std::int64_t>(row.Unsigned(7));
  transaction.amount.currency = row.OptionalCurrencyCode(8);
  transaction.reason_code = row.Text(9);
  transaction.created_at = row.Time(10);
  transaction.updated_at = row.Time(11);
  return row.Finish(std::move(transaction));
}

Result<protocol::AccountRecord> ReadAccount(const Statement& statement) {
  Row row(statement, "accounts");
  protocol::AccountRecord account;
  account.account_id = row.Text(0);
  account.kind = row.Enumerated(1, AccountKind::kCustomer, AccountKind::kOpening);
  account.status = row.Enumerated(2, AccountStatus::kActive, AccountStatus::kClosed);
  account.currency = row.CurrencyCode(3);
  account.posted = row.Integer(4);
  account.held = static_cast<std::int64_t>(row.Unsigned(5));
  account.incoming = static_cast<std::int64_t>(row.Unsigned(6));
  // What may leave and what may arrive can be posted without an overflow, as the ledger makes sure when it reserves.
  row.Require(CheckedSubtract(account.posted, account.held).has_value(), 5);
  row.Require(CheckedAdd(account.posted, account.incoming).has_value(), 6);
  return row.Finish(std::move(account));
}

Result<protocol::HeuristicRecord> ReadHeuristic(const Statement& statement) {
  Row row(statement, "heuristics");
  protocol::HeuristicRecord record;
  record.transaction_id = row.Id(0);
  record.state = row.Enumerated(1, protocol::HeuristicState::kProposed, protocol::HeuristicState::kAcknowledged);
  record.decision = row.Enumerated(2, protocol::Decision::kCommit, protocol::Decision::kAbort);
  record.proposed_by = row.Text(3);
  record.proposed_at = row.Time(4);
  record.confirmed_by = row.Text(5);
  record.forced_at = row.Time(6);
  record.decided_at = row.Time(7);
  record.acknowledged_by = row.Text(8);
  record.acknowledged_at = row.Time(9);
  return row.Finish(std::move(record));
}

Result<protocol::EntryRecord> ReadEntry(const Statement& statement) {
  Row row(statement, "entries");
  protocol::EntryRecord entry;
  entry.transaction_id = row.Id(0);
  entry.line = static_cast<std::uint8_t>(row.IntegerBetween(1, 0, 255));
  entry.account_id = row.Text(2);
  entry.amount_minor_units = row.Integer(3);
  entry.currency = row.CurrencyCode(4);
  entry.posted_at = row.Time(5);
  return row.Finish(std::move(entry));
}

}  // namespace strife::sqlite
