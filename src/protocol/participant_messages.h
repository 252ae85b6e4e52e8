// What the participant is told and what it wants done: its inputs and effects.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/audit.h"
#include "protocol/bank_batch.h"
#include "protocol/types.h"

namespace strife::protocol {

// A command from the gateway.
struct CommandInput {
  ReplyTo reply_to;
  BankCommand command;
  // A prepare of something new gets a NO that is not recorded: there is hardly room for what was promised (rule 15).
  // Should the same prepare come again and be held after all, the bank asks and is told of the abort.
  bool storage_full = false;
  std::optional<WallTime> arrived_at{};  // for the trace
};

// The gateway's answer to an inquiry of ours; without a decision when none was to be had. Every inquiry handed out
// comes back exactly once, or it is not asked again before the next restart.
struct InquiryAnswered {
  Uuid id;
  std::optional<Decision> decision;
  std::uint64_t epoch = 0;
};

// A deposit or withdrawal against the bank's cash account, decided and posted in one step.
struct DirectInput {
  ReplyTo reply_to;
  Uuid id;
  std::string account_id;
  Money amount;
  bool deposit = true;
  AuditOrigin origin{};  // the operator
};

// An account to open with a balance from the bank's opening account. Ignored when the account exists.
struct OpenAccountInput {
  Uuid id;  // of the opening transaction
  std::string account_id;
  Money opening;
};

using ParticipantInput = std::variant<CommandInput, InquiryAnswered, DirectInput, OpenAccountInput, ForceInput,
                                      AcknowledgeInput, ListInDoubtInput, AuditInput>;

struct CommandAnswer {
  ReplyTo reply_to;
  BankReply reply;
};

struct DirectAnswer {
  ReplyTo reply_to;
  Uuid id;
  std::string reason_code;  // empty: done
  Money posted;             // balance afterwards, when done
};

struct Inquiry {
  Uuid id;
  Uuid gateway_store_id;  // the one seen at prepare
  std::uint64_t gateway_sequence = 0;
};

// Something an operator must know. The first kind breaks the protocol and is never normal; the last five are steps of a
// heuristic decision.
struct ParticipantEvent {
  enum class Kind { kProtocolViolation, kStaleGateway, kProposed, kForced, kAgreed, kMixed, kAcknowledged } kind;
  Uuid id;
  std::string what;
};

struct ParticipantEffects {
  BankRecords records;
  std::vector<CommandAnswer> answers;
  std::vector<DirectAnswer> direct_answers;
  std::vector<Inquiry> inquiries;
  std::vector<HeuristicAnswer> heuristic_answers;
  std::vector<InDoubtAnswer> in_doubt_answers;
  std::vector<ReplyTo> audit_answers;  // of AuditInputs
  std::vector<ParticipantEvent> events;
};

}  // namespace strife::protocol
