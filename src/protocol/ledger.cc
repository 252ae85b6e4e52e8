#include "protocol/ledger.h"

#include "base/assert.h"
#include "protocol/defect.h"

namespace strife::protocol {

std::optional<LedgerRefusal> Reserve(AccountRecord& from, AccountRecord& to, std::int64_t amount) {
  STRIFE_ASSERT(amount > 0 && from.currency == to.currency && from.account_id != to.account_id);
  const auto held = CheckedAdd(from.held, amount);
  const auto incoming = CheckedAdd(to.incoming, amount);
  if (!held || !incoming) return LedgerRefusal::kOverflow;
  const auto available = CheckedSubtract(from.posted, Mutated(Defect::kHoldsOvercommit) ? amount : *held);
  if (!available || !CheckedAdd(to.posted, *incoming)) return LedgerRefusal::kOverflow;
  const std::int64_t least = Mutated(Defect::kOverdraftByOne) ? -1 : 0;
  if (from.kind == AccountKind::kCustomer && *available < least) return LedgerRefusal::kInsufficientFunds;
  from.held = *held;
  to.incoming = *incoming;
  return std::nullopt;
}

void Post(AccountRecord& from, AccountRecord& to, std::int64_t amount) {
  Release(from, to, amount);
  // Reserve has made sure that both sums fit.
  from.posted -= amount;
  to.posted += amount;
}

void Release(AccountRecord& from, AccountRecord& to, std::int64_t amount) {
  STRIFE_ASSERT(amount > 0 && from.held >= amount && to.incoming >= amount);
  from.held -= amount;
  to.incoming -= amount;
}

std::string InternalAccountId(AccountKind kind, Currency currency) {
  STRIFE_ASSERT(kind != AccountKind::kCustomer);
  const char* name = kind == AccountKind::kClearing ? "clearing:" : kind == AccountKind::kCash ? "cash:" : "opening:";
  return name + std::string(currency.code());
}

AccountRecord EmptyAccount(std::string account_id, AccountKind kind, Currency currency) {
  AccountRecord account;
  account.account_id = std::move(account_id);
  account.kind = kind;
  account.currency = currency;
  return account;
}

}  // namespace strife::protocol
