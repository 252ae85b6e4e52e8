// What the audit log says about money: made from the records themselves, in this one place, by every store, in the
// transaction that writes them. So no decision can become durable without its entry.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "env/bank_store.h"
#include "env/gateway_store.h"

namespace strife::audit {

// The decision a payment's record tells of; nullopt when it tells of none: INITIATED, and COMPLETED, which only carries
// out what was decided. A decision that a later incarnation takes over is recorded again.
std::optional<protocol::AuditRecord> AuditOf(const protocol::PaymentRecord& payment);

// As above: everything that is not merely prepared.
std::optional<protocol::AuditRecord> AuditOf(const protocol::BankTransactionRecord& transaction);

template <typename Record, typename Append>
Status ForEachAudit(const std::vector<Record>& money, const std::vector<protocol::AuditRecord>& others,
                    Append& append) {
  for (const Record& record : money) {
    auto derived = AuditOf(record);
    if (!derived) continue;
    if (Status appended = append(*std::move(derived)); !appended) return appended;
  }
  for (const protocol::AuditRecord& record : others) {
    if (Status appended = append(record); !appended) return appended;
  }
  return {};
}

// Hands what belongs into the log to `append`, a `Status(protocol::AuditRecord)`, in order: what is derived, then
// `records.audit`.
template <typename Append>
Status ForEachAudit(const GatewayRecords& records, Append append) {
  return ForEachAudit(records.payments, records.audit, append);
}

template <typename Append>
Status ForEachAudit(const BankRecords& records, Append append) {
  return ForEachAudit(records.transactions, records.audit, append);
}

}  // namespace strife::audit
