// Heuristic decisions: what two operators of a bank decide about an in-doubt transaction in the gateway's place (rule
// 14).
//
// The gateway's decision stays the payment's outcome. A heuristic one is a bank's deviation from it at the bank's own
// risk: when the two agree nothing has happened, when they do not the outcome is mixed, the bank settles the difference
// by hand, and an operator acknowledges that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "protocol/types.h"

namespace strife::protocol {

// Values are stored: never renumber.
enum class HeuristicState : std::uint8_t {
  kProposed = 1,      // one operator wants it; nothing has been done
  kForced = 2,        // a second one has confirmed: done, and the gateway's decision is not known
  kAgreed = 3,        // the gateway's decision is the same
  kMixed = 4,         // the gateway's decision is the other one; nothing was changed here
  kAcknowledged = 5,  // mixed, and an operator has settled the difference by hand
};

constexpr std::string_view StateName(HeuristicState state) {
  switch (state) {
    case HeuristicState::kProposed:
      return "PROPOSED";
    case HeuristicState::kForced:
      return "FORCED";
    case HeuristicState::kAgreed:
      return "AGREED";
    case HeuristicState::kMixed:
      return "MIXED";
    case HeuristicState::kAcknowledged:
      return "ACKNOWLEDGED";
  }
  return "UNKNOWN";
}

// The bank's durable record of one. Operators are named as in their certificates; times are zero until they come.
struct HeuristicRecord {
  Uuid transaction_id;
  HeuristicState state = HeuristicState::kProposed;
  Decision decision = Decision::kAbort;  // commit or abort
  std::string proposed_by;
  WallTime proposed_at;
  std::string confirmed_by;
  WallTime forced_at;
  WallTime decided_at;  // when the gateway's decision was heard
  std::string acknowledged_by;
  WallTime acknowledged_at;

  bool operator==(const HeuristicRecord&) const = default;
};

// Whether the transaction was ended by operators.
constexpr bool WasForced(HeuristicState state) { return state != HeuristicState::kProposed; }

// ---- What operators ask of a bank ----

// The first call proposes, the same call by another operator confirms.
struct ForceInput {
  ReplyTo reply_to;
  Uuid id;
  Decision decision = Decision::kAbort;
  std::string by;
};

struct AcknowledgeInput {
  ReplyTo reply_to;
  Uuid id;
  std::string by;
};

enum class HeuristicOutcome {
  kProposed,
  kForced,
  kAcknowledged,
  kNotPrepared,    // unknown, or ended: only a prepared transaction can be forced
  kSameOperator,   // who proposed may not confirm
  kOtherProposal,  // somebody else has proposed the opposite
  kNotMixed,       // there is nothing to acknowledge
};

struct HeuristicAnswer {
  ReplyTo reply_to;
  HeuristicOutcome outcome = HeuristicOutcome::kNotPrepared;
  std::optional<HeuristicRecord> record;  // as it now stands, if there is one
};

// Lists what is in doubt at a bank: oldest first.
struct ListInDoubtInput {
  ReplyTo reply_to;
  std::size_t limit = 0;
};

struct InDoubtTransaction {
  BankTransactionRecord transaction;
  std::optional<HeuristicRecord> heuristic;
  std::uint32_t inquiries = 0;  // made since the bank started
};

struct InDoubtAnswer {
  ReplyTo reply_to;
  std::vector<InDoubtTransaction> transactions;  // prepared, or forced without decision
  std::vector<HeuristicRecord> mixed;            // not acknowledged
  std::size_t total = 0;                         // of the first kind
};

}  // namespace strife::protocol
