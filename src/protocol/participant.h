// The bank's side of two-phase commit, pure: inputs and rows in, records and answers out.
//
// Source: presumed abort (Mohan, Lindsay, Obermarck 1986) with fencing by coordinator epoch. docs/protocol.md has the
// rules; the numbers in comments are theirs. One thread. Nothing here may be sent before the records are durable: the
// engine sees to that.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "protocol/backoff.h"
#include "protocol/bank_working_set.h"
#include "protocol/deadlines.h"
#include "protocol/participant_messages.h"

namespace strife::protocol {

struct ParticipantOptions {
  std::string bank_id;
  Duration inquiry_delay = std::chrono::seconds(6);  // from the vote to the first inquiry
  Backoff inquiry_backoff{std::chrono::milliseconds(500), std::chrono::seconds(5)};
  Duration proposal_lifetime = std::chrono::minutes(15);  // of wall time, for a second operator to confirm
};

class Participant {
 public:
  using Input = ParticipantInput;
  using Keys = BankKeys;
  using Rows = BankRows;
  using Effects = ParticipantEffects;

  explicit Participant(ParticipantOptions options);

  // Takes up what the store holds after a restart: the holds are in the account rows already; every transaction whose
  // decision the gateway has not told is asked about at the first step (rules 6 and 10). Call once, before anything
  // else. `undecided`: prepared, or forced and not compared with the decision yet.
  // `traces` are theirs, as stored.
  void Recover(const Now& now, std::vector<BankTransactionRecord> undecided, std::optional<GatewaySeen> gateway_seen,
               std::vector<HeuristicRecord> heuristics = {}, const std::unordered_map<Uuid, std::string>& traces = {});

  // Adds what Step must find in its rows for this input.
  void CollectKeys(const Input& input, Keys& keys) const;

  // REQUIRES: `rows` holds what CollectKeys asked for, as the store has it now.
  Effects Step(const Now& now, std::vector<Input> inputs, Rows rows);

  // When Step must be called even without inputs.
  std::optional<MonotonicTime> NextDeadline() const { return deadlines_.Next(); }

  // Transactions whose decision the gateway has not told.
  std::size_t prepared_count() const { return prepared_.size(); }
  const std::optional<GatewaySeen>& gateway_seen() const { return gateway_seen_; }

 private:
  struct Prepared {
    BankTransactionRecord record;
    MonotonicTime next_inquiry;
    std::uint32_t inquiries = 0;
    bool inquiry_open = false;
    Trace trace{};
  };
  using Batch = BankWorkingSet;

  void Apply(Batch& batch, CommandInput& input);
  void Apply(Batch& batch, InquiryAnswered& input);
  void Apply(Batch& batch, const DirectInput& input);
  void Apply(Batch& batch, const OpenAccountInput& input);
  void Apply(Batch& batch, AuditInput& input);
  // participant_heuristics.cc
  void Apply(Batch& batch, const ForceInput& input);
  void Apply(Batch& batch, const AcknowledgeInput& input);
  void Apply(Batch& batch, const ListInDoubtInput& input);

  BankReply Prepare(Batch& batch, const BankCommand& command);
  BankReply PrepareAgain(const BankTransactionRecord& known, const BankCommand& command) const;
  BankReply Commit(Batch& batch, const BankCommand& command);
  BankReply Abort(Batch& batch, const BankCommand& command);
  // The reply when a command must not touch `known`: it comes from a gateway that has been replaced (rule 9).
  std::optional<BankReply> RefuseStale(Batch& batch, BankTransactionRecord& known, const BankCommand& command);

  HeuristicAnswer Force(Batch& batch, const ForceInput& input);
  // What the gateway's decision means for a transaction that operators have ended; nullopt when they have not.
  std::optional<BankReply> MeetHeuristic(Batch& batch, const BankCommand& command);
  void RecordHeuristic(Batch& batch, const HeuristicRecord& record, ParticipantEvent::Kind event, std::string what);

  void NoteGateway(Batch& batch, const BankCommand& command);
  // Notes what has come of a command in the transaction's trace. `trace`: what it was before the command.
  void NoteCommand(Batch& batch, const CommandInput& input, const BankReply& reply, Trace trace);
  void AskAboutLateDecisions(Batch& batch);

  ParticipantOptions options_;
  // Those the gateway has not told its decision about: prepared, or ended by operators since.
  std::unordered_map<Uuid, Prepared> prepared_;
  // Proposals, and decisions of operators that the gateway's did not agree with, or has not yet. Few, by their nature.
  std::map<Uuid, HeuristicRecord> heuristics_;
  Deadlines deadlines_;
  std::optional<GatewaySeen> gateway_seen_;
};

}  // namespace strife::protocol
