// Proves the audit log of a store, as far as it can be proved: chain, heads, and that it agrees with what was decided.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "audit/finding.h"
#include "audit/head.h"
#include "env/audit_log.h"
#include "env/bank_store.h"
#include "env/gateway_store.h"

namespace strife::audit {

struct Report {
  AuditStart start;
  std::uint64_t records = 0;
  std::uint64_t last_sequence = 0;
  Sha256 last_hash{};
  std::uint64_t decided = 0;     // payments, at a bank transactions
  std::uint64_t unrecorded = 0;  // of them, those without a record; right when they are older than the log
  std::uint64_t finding_count = 0;
  std::vector<Finding> findings;  // the first Findings::kMaxListed

  bool ok() const { return finding_count == 0; }
};

// Called with the number of records read, now and then.
using ProgressFunction = std::function<void(std::uint64_t records)>;

// Reads the log once, and once more for each two million payments beyond the first. The server may be running. `heads`
// are verified ones of this server. An error when the store cannot be read; whatever is wrong with what is read is a
// finding.
Result<Report> Examine(GatewayReader& reader, const std::vector<Head>& heads, const ProgressFunction& progress = {});
Result<Report> Examine(BankReader& reader, const std::vector<Head>& heads, const ProgressFunction& progress = {});

}  // namespace strife::audit
