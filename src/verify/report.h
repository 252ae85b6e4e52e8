// What a verification found, as data: `strife verify` prints it, tests and benchmarks judge it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "env/bank_store.h"
#include "invariant/violation.h"
#include "protocol/heuristic.h"
#include "protocol/types.h"

namespace strife::verify {

inline constexpr std::size_t kMaxListedViolations = 1000;

// All violations counted, the first kMaxListedViolations listed.
struct Findings {
  std::vector<invariant::Violation> violations;
  std::uint64_t violation_count = 0;
  std::map<std::string_view, std::uint64_t> violations_by_invariant;

  bool ok() const { return violation_count == 0; }
  void Add(invariant::Violations found);
  void Add(Findings others);
};

struct BankSummary {
  std::string bank_id;
  std::uint64_t prepared = 0;  // payments by state, as this bank has them
  std::uint64_t committed = 0;
  std::uint64_t aborted = 0;
  std::uint64_t own = 0;  // direct and opening transactions
  std::uint64_t entries = 0;
  std::uint64_t accounts = 0;        // customers' and the bank's own
  std::vector<LedgerTotals> totals;  // by currency
};

// What operators of a bank have ended in the gateway's place.
struct ForcedTransaction {
  std::string bank_id;
  protocol::HeuristicRecord record;
};

struct Report : Findings {
  std::map<protocol::PaymentState, std::uint64_t> payments;  // as the gateway had them when it was read
  // Payments that are undecided, or decided and not yet delivered everywhere: no violation, but not the end either.
  std::uint64_t open = 0;
  // Payments that went on while the books were being read, so that they were looked up again.
  std::uint64_t moving = 0;
  std::vector<BankSummary> banks;
  // Banks the gateway knows or has paid through whose books were not given: none of their legs was checked.
  std::vector<std::string> banks_not_checked;
  // Whether the clearing accounts could be summed up: every bank was given. What open payments have posted at one bank
  // and not yet at the other is accounted for.
  bool clearing_checked = false;
  // By bank and id. Those that differ from the gateway's decision and are not acknowledged are violations as well.
  std::vector<ForcedTransaction> forced;
};

}  // namespace strife::verify
