// What the coordinator is told and what it wants done: its inputs and effects.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/trace.h"
#include "protocol/types.h"

namespace strife::protocol {

// A payment a user wants; validated and authorised.
struct SubmitInput {
  ReplyTo reply_to;
  PaymentOrder order;
  bool storage_full = false;  // a new payment is refused, a known one answered (rule 15)
  bool draining = false;      // the same
  bool suspended = false;     // operators have suspended a bank of it: a new payment is declined
  // For the trace.
  std::optional<WallTime> received_at{};
  std::optional<TraceContext> trace{};
  // The user gives it up: if it is not known, it is recorded as aborted and never begins (rule 7, for users).
  bool cancel = false;
};

// When a message to a bank went out, and when it was answered or given up.
struct Exchange {
  WallTime sent_at;
  WallTime ended_at;
};

// What a bank answered. Every command handed to the transport comes back exactly once, here or in UndeliveredInput.
struct BankRepliesInput {
  std::string bank_id;
  std::vector<BankReply> replies;
  std::optional<Exchange> exchange{};
};

// Commands that got no answer; the bank may or may not have executed them.
struct UndeliveredInput {
  struct Command {
    Uuid id;
    CommandKind kind;
  };
  std::string bank_id;
  std::vector<Command> commands;
  std::optional<Exchange> exchange{};
};

// A bank asks what was decided (rule 7).
struct InquiryInput {
  ReplyTo reply_to;
  std::string bank_id;
  Uuid id;
  std::optional<Uuid> store_id;  // gateway store the bank saw at prepare; absent: the bank does not say
  std::uint64_t sequence = 0;    // highest it saw from that store
  bool storage_full = false;     // no room for a record that nobody has to have
};

// A bank registers, or says again that it is there.
struct RegisterInput {
  ReplyTo reply_to;
  BankRecord bank;               // registered_at is filled in by the coordinator
  std::optional<Uuid> store_id;  // as in InquiryInput, also below
  std::uint64_t sequence = 0;
  bool storage_full = false;
};

// Operators have compared the books with those of a bank that is ahead: from here on the store is as far as the bank
// says. Without effect on another bank.
struct ReconciledInput {
  std::string bank_id;
};

// An operator asks what is open: oldest first.
struct ListOpenInput {
  ReplyTo reply_to;
  std::size_t limit = 0;
  WallTime created_before;
};

// Somebody wants to see a payment's way.
struct TraceInput {
  ReplyTo reply_to;
  Uuid id;
};

using CoordinatorInput = std::variant<SubmitInput, BankRepliesInput, UndeliveredInput, InquiryInput, RegisterInput,
                                      ReconciledInput, ListOpenInput, TraceInput>;

enum class SubmitOutcome {
  kEnded,             // `payment` is final, or kPartialCommit after the timeout
  kDuplicate,         // seen before, same payment: `payment` as it now stands
  kReused,            // the id belongs to another payment or user; `payment` is empty
  kUnknownPayerBank,  // nothing was recorded, as with all below
  kUnknownPayeeBank,
  kCurrencyNotKept,  // by a bank of it, says its registration
  kOverloaded,
  kStorageFull,
  kDraining,
  kNeedsReconciliation,  // a bank of it is ahead of this gateway's store
};

struct SubmitAnswer {
  ReplyTo reply_to;
  SubmitOutcome outcome = SubmitOutcome::kEnded;
  PaymentRecord payment;
};

enum class InquiryOutcome { kDecided, kNotAParticipant, kNeedsReconciliation };

struct InquiryAnswer {
  ReplyTo reply_to;
  InquiryOutcome outcome = InquiryOutcome::kDecided;
  Decision decision = Decision::kPending;  // when kDecided
};

struct RegisterAnswer {
  ReplyTo reply_to;
  bool accepted = false;      // false: too many banks
  bool storage_full = false;  // or this is why not
  BankRecord bank;
};

struct ListOpenAnswer {
  struct Bank {
    std::string bank_id;
    bool answered = false;       // has voted or confirmed, as the payment's state asks of it
    bool unreachable = false;    // the last delivery failed
    std::uint32_t attempts = 0;  // failed deliveries of the present command
  };
  struct Payment {
    PaymentRecord record;  // kAborted: while the abort is being delivered
    std::vector<Bank> banks;
  };
  ReplyTo reply_to;
  std::vector<Payment> payments;
  std::size_t total = 0;  // created before that time, listed or not
};

struct TraceAnswer {
  ReplyTo reply_to;
  std::optional<PaymentRecord> payment;  // none: unknown
  Trace trace;                           // with what is under way, and what is not written yet
};

struct AddressedCommand {
  std::string bank_id;
  BankCommand command;
};

// Something an operator must know.
struct CoordinatorEvent {
  enum class Kind { kPartialCommit, kProtocolViolation, kStaleEpoch, kNeedsReconciliation, kMixed } kind;
  Uuid id;
  std::string bank_id;
  std::string what;
};

struct CoordinatorEffects {
  // Durable first …
  std::vector<PaymentRecord> payments;
  std::vector<BankRecord> banks;
  std::vector<TraceRecord> traces;  // one for each of `payments` first, in their order; then others'
  // … then sent.
  std::vector<AddressedCommand> commands;
  std::vector<SubmitAnswer> submit_answers;
  std::vector<InquiryAnswer> inquiry_answers;
  std::vector<RegisterAnswer> register_answers;
  std::vector<ListOpenAnswer> list_open_answers;
  std::vector<TraceAnswer> trace_answers;
  std::vector<CoordinatorEvent> events;
};

}  // namespace strife::protocol
