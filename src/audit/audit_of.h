// What the audit log says about money, and about what operators have done to it: made from the records themselves, in
// this one place, by every store, in the transaction that writes them. So no decision can become durable without its
// entry.
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

// Each step of a heuristic decision.
std::optional<protocol::AuditRecord> AuditOf(const protocol::HeuristicRecord& heuristic);

std::optional<protocol::AuditRecord> AuditOf(const SuspensionRecord& suspension);

// Appends what each of `records` tells.
template <typename Record, typename Append>
Status AppendDerived(const std::vector<Record>& records, Append& append) {
  for (const Record& record : records) {
    auto derived = AuditOf(record);
    if (!derived) continue;
    if (Status appended = append(*std::move(derived)); !appended) return appended;
  }
  return {};
}

template <typename Append>
Status AppendAll(const std::vector<protocol::AuditRecord>& records, Append& append) {
  for (const protocol::AuditRecord& record : records) {
    if (Status appended = append(record); !appended) return appended;
  }
  return {};
}

// Hands what belongs into the log to `append`, a `Status(protocol::AuditRecord)`, in order: what is derived, then
// `records.audit`.
template <typename Append>
Status ForEachAudit(const GatewayRecords& records, Append append) {
  if (Status done = AppendDerived(records.payments, append); !done) return done;
  if (Status done = AppendDerived(records.suspensions, append); !done) return done;
  return AppendAll(records.audit, append);
}

template <typename Append>
Status ForEachAudit(const BankRecords& records, Append append) {
  if (Status done = AppendDerived(records.transactions, append); !done) return done;
  if (Status done = AppendDerived(records.heuristics, append); !done) return done;
  return AppendAll(records.audit, append);
}

}  // namespace strife::audit
