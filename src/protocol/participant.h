// The bank's side of two-phase commit, pure: inputs and rows in, records and answers out.
//
// Source: presumed abort (Mohan, Lindsay, Obermarck 1986) with fencing by coordinator epoch. docs/protocol.md has the
// rules; the numbers in comments are theirs. One thread. Nothing here may be sent before the records are durable: the
// engine sees to that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "protocol/backoff.h"
#include "protocol/bank_batch.h"
#include "protocol/deadlines.h"
#include "protocol/types.h"

namespace strife::protocol {

// A command from the gateway.
struct CommandInput {
  ReplyTo reply_to;
  BankCommand command;
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
};

// An account to open with a balance from the bank's opening account. Ignored when the account exists.
struct OpenAccountInput {
  Uuid id;  // of the opening transaction
  std::string account_id;
  Money opening;
};

using ParticipantInput = std::variant<CommandInput, InquiryAnswered, DirectInput, OpenAccountInput>;

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

// Something an operator must know. The first kind breaks the protocol and is never normal.
struct ParticipantEvent {
  enum class Kind { kProtocolViolation, kStaleGateway } kind;
  Uuid id;
  std::string what;
};

struct ParticipantEffects {
  BankRecords records;
  std::vector<CommandAnswer> answers;
  std::vector<DirectAnswer> direct_answers;
  std::vector<Inquiry> inquiries;
  std::vector<ParticipantEvent> events;
};

struct ParticipantOptions {
  std::string bank_id;
  Duration inquiry_delay = std::chrono::seconds(6);  // from the vote to the first inquiry
  Backoff inquiry_backoff{std::chrono::milliseconds(500), std::chrono::seconds(5)};
};

class Participant {
 public:
  using Input = ParticipantInput;
  using Keys = BankKeys;
  using Rows = BankRows;
  using Effects = ParticipantEffects;

  explicit Participant(ParticipantOptions options);

  // Takes up what the store holds after a restart: the holds are in the account rows already; every prepared
  // transaction is asked about at the first step (rules 6 and 10). Call once, before anything else.
  void Recover(const Now& now, std::vector<BankTransactionRecord> prepared, std::optional<GatewaySeen> gateway_seen);

  // Adds what Step must find in its rows for this input.
  void CollectKeys(const Input& input, Keys& keys) const;

  // REQUIRES: `rows` holds what CollectKeys asked for, as the store has it now.
  Effects Step(const Now& now, std::vector<Input> inputs, Rows rows);

  // When Step must be called even without inputs.
  std::optional<MonotonicTime> NextDeadline() const { return deadlines_.Next(); }

  std::size_t prepared_count() const { return prepared_.size(); }
  const std::optional<GatewaySeen>& gateway_seen() const { return gateway_seen_; }

 private:
  struct Prepared {
    BankTransactionRecord record;
    MonotonicTime next_inquiry;
    std::uint32_t inquiries = 0;
    bool inquiry_open = false;
  };
  class Batch;  // the working set of one Step

  void Apply(Batch& batch, CommandInput& input);
  void Apply(Batch& batch, InquiryAnswered& input);
  void Apply(Batch& batch, DirectInput& input);
  void Apply(Batch& batch, OpenAccountInput& input);

  BankReply Prepare(Batch& batch, const BankCommand& command);
  BankReply PrepareAgain(const BankTransactionRecord& known, const BankCommand& command) const;
  BankReply Commit(Batch& batch, const BankCommand& command);
  BankReply Abort(Batch& batch, const BankCommand& command);
  // The reply when a command must not touch `known`: it comes from a gateway that has been replaced (rule 9).
  std::optional<BankReply> RefuseStale(Batch& batch, BankTransactionRecord& known, const BankCommand& command);
  // Holds what the legs here need, or says why not.
  std::string Hold(Batch& batch, const BankTransactionRecord& record);

  void NoteGateway(Batch& batch, const BankCommand& command);
  void AskAboutLateDecisions(Batch& batch);

  ParticipantOptions options_;
  std::unordered_map<Uuid, Prepared> prepared_;
  Deadlines deadlines_;
  std::optional<GatewaySeen> gateway_seen_;
};

}  // namespace strife::protocol
