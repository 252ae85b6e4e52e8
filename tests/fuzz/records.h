// What records look like that Strife writes: the limits that no input, whoever sent it, may get past.
#pragma once

#include "fuzz.h"
#include "protocol/ledger.h"
#include "protocol/types.h"

namespace strife::fuzz {

inline void CheckOrder(const protocol::PaymentOrder& order) {
  STRIFE_ASSERT(!order.id.IsNil());
  STRIFE_ASSERT(IsIdentifier(order.from.bank_id, limits::kMaxBankIdBytes));
  STRIFE_ASSERT(IsIdentifier(order.from.account_id, limits::kMaxAccountIdBytes));
  STRIFE_ASSERT(IsIdentifier(order.to.bank_id, limits::kMaxBankIdBytes));
  STRIFE_ASSERT(IsIdentifier(order.to.account_id, limits::kMaxAccountIdBytes));
  STRIFE_ASSERT(order.from != order.to);
  STRIFE_ASSERT(order.amount.minor_units > 0 && order.amount.minor_units <= limits::kMaxAmountMinorUnits);
  STRIFE_ASSERT(!order.amount.currency.code().empty());
  STRIFE_ASSERT(order.memo.size() <= limits::kMaxMemoBytes && IsPrintableUtf8(order.memo));
}

// A refused payment may name the bank's own accounts, whose names are no identifiers.
inline bool IsAccountOrNone(const std::string& account) {
  return account.size() <= limits::kMaxAccountIdBytes && IsPrintableUtf8(account);
}

inline void CheckBankTransaction(const protocol::BankTransactionRecord& record) {
  STRIFE_ASSERT(!record.id.IsNil());
  STRIFE_ASSERT(record.amount.minor_units >= 0);
  STRIFE_ASSERT(record.reason_code.size() <= limits::kMaxReasonCodeBytes && IsPrintableUtf8(record.reason_code));
  if (record.kind != protocol::BankTransactionKind::kPayment) return;  // those name the bank's own accounts as well
  STRIFE_ASSERT(IsAccountOrNone(record.debit_account) && IsAccountOrNone(record.credit_account));
  if (record.state == protocol::BankTransactionState::kAborted) return;
  STRIFE_ASSERT(record.amount.minor_units > 0 && record.amount.minor_units <= limits::kMaxAmountMinorUnits);
  STRIFE_ASSERT(record.debit_account != record.credit_account);
}

inline void CheckBank(const protocol::BankRecord& bank) {
  STRIFE_ASSERT(IsIdentifier(bank.bank_id, limits::kMaxBankIdBytes));
  STRIFE_ASSERT(bank.display_name.size() <= limits::kMaxDisplayNameBytes && IsPrintableUtf8(bank.display_name));
  STRIFE_ASSERT(bank.endpoint.size() <= limits::kMaxEndpointBytes && IsPrintableUtf8(bank.endpoint));
  STRIFE_ASSERT(bank.currencies.size() <= limits::kMaxCurrenciesPerBank);
  STRIFE_ASSERT(bank.capabilities.size() <= limits::kMaxCapabilitiesPerBank);
  // Kept as one text with commas, so none may hold a comma.
  for (const auto& names : {bank.currencies, bank.capabilities}) {
    for (const std::string& name : names) STRIFE_ASSERT(IsIdentifier(name, limits::kMaxBankIdBytes));
  }
}

}  // namespace strife::fuzz
