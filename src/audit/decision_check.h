// Compares a log with what its store says was decided: each decided payment (at a bank: each transaction that has
// ended) has its record, and each record its payment, with the same outcome and the same money.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "audit/finding.h"
#include "env/audit_log.h"
#include "env/bank_store.h"
#include "env/gateway_store.h"

namespace strife::audit {

enum class Outcome : std::uint8_t { kUndecided, kCommitted, kAborted };

// A payment of a gateway, or a transaction of a bank, as far as the log has to agree with it.
struct Decided {
  Uuid id;
  WallTime updated_at;
  std::uint64_t story = 0;  // a digest of who pays whom how much
  Outcome outcome = Outcome::kUndecided;
  bool seen = false;  // by DecisionCheck
};

Decided DecidedOf(const protocol::PaymentRecord& payment);
Decided DecidedOf(const protocol::BankTransactionRecord& transaction);

// Takes a store one stretch of ids after the other and the whole log with each, so that memory is bounded. For one
// thread at a time.
class DecisionCheck {
 public:
  // Records up to `settled` were written before the store was read, so what they tell of must be in it. `findings` must
  // outlive it.
  DecisionCheck(const AuditStart& start, std::uint64_t settled, Findings& findings)
      : decided_before_(start.decided_before), settled_(settled), findings_(findings) {}

  // The next stretch, ascending by id; `last`: nothing comes after it.
  void BeginStretch(std::vector<Decided> stretch, bool last);
  void Take(const AuditEntry& entry);
  void EndStretch();
  // Once, after the last stretch.
  void Conclude();

  std::uint64_t decided() const { return decided_; }
  // Decided payments without a record.
  std::uint64_t unrecorded() const { return unrecorded_; }

 private:
  const std::uint64_t decided_before_;
  const std::uint64_t settled_;
  Findings& findings_;
  std::vector<Decided> stretch_;
  Uuid after_;  // the stretch covers the ids after this one …
  Uuid up_to_;  // … up to this one
  std::uint64_t decided_ = 0;
  std::uint64_t unrecorded_ = 0;
  std::vector<Decided> newest_unrecorded_;
};

}  // namespace strife::audit
