// The gateway's side of two-phase commit, pure: inputs and rows in, records, messages and answers out.
//
// docs/protocol.md has the rules; the numbers in comments are theirs. One thread. Nothing here may be sent before the
// records are durable: the engine sees to that (rule 1).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/limits.h"
#include "protocol/backoff.h"
#include "protocol/deadlines.h"
#include "protocol/types.h"

namespace strife::protocol {

// A payment a user wants; validated and authorised.
struct SubmitInput {
  ReplyTo reply_to;
  PaymentOrder order;
};

// What a bank answered. Every command handed to the transport comes back exactly once, here or in UndeliveredInput.
struct BankRepliesInput {
  std::string bank_id;
  std::vector<BankReply> replies;
};

// Commands that got no answer; the bank may or may not have executed them.
struct UndeliveredInput {
  struct Command {
    Uuid id;
    CommandKind kind;
  };
  std::string bank_id;
  std::vector<Command> commands;
};

// A bank asks what was decided (rule 7).
struct InquiryInput {
  ReplyTo reply_to;
  std::string bank_id;
  Uuid id;
  std::optional<Uuid> store_id;  // gateway store the bank saw at prepare; absent: the bank does not say
  std::uint64_t sequence = 0;    // highest it saw from that store
};

// A bank registers, or says again that it is there.
struct RegisterInput {
  ReplyTo reply_to;
  BankRecord bank;               // registered_at is filled in by the coordinator
  std::optional<Uuid> store_id;  // as in InquiryInput
  std::uint64_t sequence = 0;
};

using CoordinatorInput = std::variant<SubmitInput, BankRepliesInput, UndeliveredInput, InquiryInput, RegisterInput>;

enum class SubmitOutcome {
  kEnded,             // `payment` is final, or kPartialCommit after the timeout
  kDuplicate,         // seen before, same payment: `payment` as it now stands
  kReused,            // the id belongs to another payment or user; `payment` is empty
  kUnknownPayerBank,  // nothing was recorded, as with all below
  kUnknownPayeeBank,
  kOverloaded,
  kNeedsReconciliation,  // this gateway has found that it was restored from an old backup
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
  bool accepted = false;  // false: too many banks
  BankRecord bank;
};

struct AddressedCommand {
  std::string bank_id;
  BankCommand command;
};

// Something an operator must know.
struct CoordinatorEvent {
  enum class Kind { kPartialCommit, kProtocolViolation, kStaleEpoch, kNeedsReconciliation } kind;
  Uuid id;
  std::string bank_id;
  std::string what;
};

struct CoordinatorEffects {
  // Durable first …
  std::vector<PaymentRecord> payments;
  std::vector<BankRecord> banks;
  // … then sent.
  std::vector<AddressedCommand> commands;
  std::vector<SubmitAnswer> submit_answers;
  std::vector<InquiryAnswer> inquiry_answers;
  std::vector<RegisterAnswer> register_answers;
  std::vector<CoordinatorEvent> events;
};

struct CoordinatorOptions {
  Duration transaction_timeout = std::chrono::seconds(5);  // for the votes, and again for the acknowledgements
  std::uint32_t max_retries = 3;  // of a prepare at a bank that does not answer, before the bank counts as offline
  Backoff redelivery{std::chrono::milliseconds(100), std::chrono::seconds(5)};
  std::size_t max_open_per_bank = limits::kMaxOpenPaymentsPerBank;
};

// What the store knows about this process and its past when it starts.
struct CoordinatorPast {
  Uuid store_id;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  std::vector<PaymentRecord> open_payments;
  std::vector<BankRecord> banks;
};

class Coordinator {
 public:
  using Rows = std::unordered_map<Uuid, PaymentRecord>;

  explicit Coordinator(CoordinatorOptions options) : options_(options) {}

  // Takes up what the store holds (rule 10): undecided payments are aborted, decided ones delivered again. Call once,
  // before anything else; its effects are committed and sent like those of a step.
  CoordinatorEffects Recover(const Now& now, CoordinatorPast past);

  // Ids whose rows Step must be given for this input.
  void CollectKeys(const CoordinatorInput& input, std::vector<Uuid>& ids) const;

  // REQUIRES: `rows` holds what CollectKeys asked for, as the store has it now.
  CoordinatorEffects Step(const Now& now, std::vector<CoordinatorInput> inputs, Rows rows);

  // When Step must be called even without inputs.
  std::optional<MonotonicTime> NextDeadline() const { return deadlines_.Next(); }

  // Sequence of the last step that had records, to be stored with them.
  std::uint64_t sequence() const { return sequence_; }
  const Uuid& store_id() const { return store_id_; }
  std::uint64_t epoch() const { return epoch_; }
  std::size_t open_count() const { return open_.size(); }

 private:
  // One bank's part in an open payment. Two for a payment between banks, one within a bank (rule 12).
  struct Leg {
    std::string bank_id;
    bool answered = false;       // voted YES while the payment is undecided; acknowledged afterwards
    bool holds_nothing = false;  // voted NO or was never asked: an abort need not be delivered
    bool in_transport = false;   // the command of the current phase is on its way
    bool unreachable = false;    // the last delivery failed
    std::uint32_t attempts = 0;  // failed deliveries in this phase
    std::optional<MonotonicTime> retry_at;
  };
  struct Open {
    PaymentRecord record;
    std::array<Leg, 2> legs;
    std::size_t leg_count = 0;
    std::span<Leg> all_legs() { return std::span(legs).first(leg_count); }
    bool AllAnswered() { return std::ranges::all_of(all_legs(), &Leg::answered); }
    ReplyTo reply_to;
    std::optional<MonotonicTime> deadline;  // of the phase; none once it has passed or while an abort is delivered
  };
  struct Bank {
    BankRecord record;
    std::size_t open = 0;        // payments that touch it
    std::uint32_t failures = 0;  // deliveries in a row that got no answer
    MonotonicTime next_probe{};  // while it is offline
  };
  // What one step works on. Rows are kept up to date with what the step itself records, so that a second input about
  // the same id sees the first one's outcome.
  struct Batch {
    const Now& now;
    Rows rows;
    CoordinatorEffects effects;
  };

  void Apply(Batch& batch, SubmitInput& input);
  void Apply(Batch& batch, BankRepliesInput& input);
  void Apply(Batch& batch, UndeliveredInput& input);
  void Apply(Batch& batch, InquiryInput& input);
  void Apply(Batch& batch, RegisterInput& input);

  void Start(Batch& batch, SubmitInput& input);
  void OnVote(Batch& batch, Open& open, Leg& leg, const BankReply& reply);
  void OnCommitReply(Batch& batch, Open& open, Leg& leg, const BankReply& reply);
  void OnAbortReply(Batch& batch, Open& open, Leg& leg, const BankReply& reply);
  void DecideCommit(Batch& batch, Open& open);
  void DecideAbort(Batch& batch, Open& open, std::string_view reason_code, std::string message);
  void Complete(Batch& batch, Open& open);

  Open& AddOpen(PaymentRecord record);
  void Close(Batch& batch, Open& open);
  const PaymentRecord* Find(const Batch& batch, const Uuid& id) const;
  bool Registered(const std::string& bank_id) const;
  void BeginPhase(Batch& batch, Open& open);
  void Deliver(Batch& batch, Open& open, Leg& leg);
  void Undelivered(Batch& batch, Open& open, Leg& leg);
  // The bank is back: what waits for it need not wait for its next try.
  void RetryNow(Batch& batch, const std::string& bank_id);
  void OnDeadlines(Batch& batch);
  void OnPhaseTimeout(Batch& batch, Open& open);
  void Record(Batch& batch, Open& open);
  void AnswerSubmitter(Batch& batch, Open& open);
  bool NoticeRestoredBackup(Batch& batch, const std::string& bank_id, const std::optional<Uuid>& store_id,
                            std::uint64_t sequence);
  CoordinatorEffects Finish(Batch&& batch);

  // A bank that has stopped answering is not asked about new payments, but for one now and then to see whether it is
  // back: that it registers again is not all there is.
  bool MayAsk(Batch& batch, const std::string& bank_id);
  bool Offline(const std::string& bank_id) const;

  CoordinatorOptions options_;
  Uuid store_id_;
  std::uint64_t epoch_ = 0;
  std::uint64_t sequence_ = 0;
  bool needs_reconciliation_ = false;
  std::unordered_map<std::string, Bank> banks_;
  std::unordered_map<Uuid, Open> open_;
  Deadlines deadlines_;
};

}  // namespace strife::protocol
