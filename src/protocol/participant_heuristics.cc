// What operators of a bank may do about a transaction in doubt (rule 14).
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "protocol/legs.h"
#include "protocol/participant.h"
#include "protocol/reason.h"

namespace strife::protocol {
namespace {

std::string Deed(Decision decision) { return decision == Decision::kCommit ? "commit" : "abort"; }

}  // namespace

void Participant::RecordHeuristic(Batch& batch, const HeuristicRecord& record, ParticipantEvent::Kind event,
                                  std::string what) {
  batch.effects.records.heuristics.push_back(record);
  batch.effects.events.push_back({event, record.transaction_id, std::move(what)});
}

void Participant::Apply(Batch& batch, const ForceInput& input) {
  HeuristicAnswer answer = Force(batch, input);
  answer.reply_to = input.reply_to;
  if (const auto found = heuristics_.find(input.id); found != heuristics_.end()) answer.record = found->second;
  batch.effects.heuristic_answers.push_back(std::move(answer));
}

HeuristicAnswer Participant::Force(Batch& batch, const ForceInput& input) {
  STRIFE_ASSERT(input.decision != Decision::kPending && !input.by.empty());
  const auto held = prepared_.find(input.id);
  if (held == prepared_.end() || held->second.record.state != BankTransactionState::kPrepared) {
    return {{}, HeuristicOutcome::kNotPrepared, {}};
  }
  const auto found = heuristics_.find(input.id);
  HeuristicRecord* proposal = found == heuristics_.end() ? nullptr : &found->second;
  // A clock that jumps can only make a proposal void.
  const bool live = proposal != nullptr && proposal->proposed_at <= batch.now.wall &&
                    batch.now.wall - proposal->proposed_at < options_.proposal_lifetime;
  if (!live || (proposal->proposed_by == input.by && proposal->decision != input.decision)) {
    HeuristicRecord& record = heuristics_[input.id];
    record = {};
    record.transaction_id = input.id;
    record.decision = input.decision;
    record.proposed_by = input.by;
    record.proposed_at = batch.now.wall;
    RecordHeuristic(batch, record, ParticipantEvent::Kind::kProposed,
                    "operator " + input.by + " proposes to " + Deed(input.decision) + " it");
    return {{}, HeuristicOutcome::kProposed, {}};
  }
  if (proposal->proposed_by == input.by) return {{}, HeuristicOutcome::kSameOperator, {}};
  if (proposal->decision != input.decision) return {{}, HeuristicOutcome::kOtherProposal, {}};

  BankTransactionRecord* known = batch.FindTransaction(input.id);
  if (known == nullptr) known = &batch.PutTransaction(held->second.record);
  if (input.decision == Decision::kCommit) {
    PostLegs(batch, *known);
    known->state = BankTransactionState::kCommitted;
  } else {
    ReleaseLegs(batch, *known);
    known->state = BankTransactionState::kAborted;
  }
  batch.Changed(*known);
  held->second.trace.Add({.kind = StepKind::kForced, .at = batch.now.wall});
  batch.SetTrace(*known, held->second.trace);
  held->second.record = *known;  // kept, and asked about, until the gateway's decision is heard
  proposal->state = HeuristicState::kForced;
  proposal->confirmed_by = input.by;
  proposal->forced_at = batch.now.wall;
  RecordHeuristic(
      batch, *proposal, ParticipantEvent::Kind::kForced,
      "operators " + proposal->proposed_by + " and " + input.by + " have forced it to " + Deed(input.decision));
  return {{}, HeuristicOutcome::kForced, {}};
}

std::optional<BankReply> Participant::MeetHeuristic(Batch& batch, const BankCommand& command) {
  const auto found = heuristics_.find(command.id);
  if (found == heuristics_.end()) return std::nullopt;
  HeuristicRecord& record = found->second;
  if (record.state == HeuristicState::kProposed) {  // the gateway was faster
    heuristics_.erase(found);
    return std::nullopt;
  }
  const Decision decision = command.kind == CommandKind::kCommit ? Decision::kCommit : Decision::kAbort;
  const std::string forced =
      "operators " + record.proposed_by + " and " + record.confirmed_by + " had forced it to " + Deed(record.decision);
  if (record.state == HeuristicState::kForced) {
    prepared_.erase(command.id);
    record.decided_at = batch.now.wall;
    record.state = decision == record.decision ? HeuristicState::kAgreed : HeuristicState::kMixed;
    const bool agreed = record.state == HeuristicState::kAgreed;
    RecordHeuristic(batch, record, agreed ? ParticipantEvent::Kind::kAgreed : ParticipantEvent::Kind::kMixed,
                    forced + (agreed ? ", as the gateway has decided"
                                     : ", and the gateway has decided the opposite; settle the difference by hand and "
                                       "acknowledge it"));
    if (agreed) {  // from here on it is a transaction like any other
      heuristics_.erase(found);
      return std::nullopt;
    }
  }
  if (decision == record.decision) {
    return BankReply{command.kind, command.id, CommandOutcome::kViolation, std::string(reason::kProtocolViolation),
                     "the opposite decision was heard before"};
  }
  const bool settled = record.state == HeuristicState::kAcknowledged;
  return BankReply{command.kind, command.id, settled ? CommandOutcome::kMixedAcknowledged : CommandOutcome::kMixed,
                   std::string(reason::kHeuristicMixed),
                   forced + (settled ? "; settled by hand, says " + record.acknowledged_by : "")};
}

void Participant::Apply(Batch& batch, const AcknowledgeInput& input) {
  STRIFE_ASSERT(!input.by.empty());
  HeuristicAnswer answer{input.reply_to, HeuristicOutcome::kNotMixed, {}};
  if (const auto found = heuristics_.find(input.id); found != heuristics_.end()) {
    HeuristicRecord& record = found->second;
    if (record.state == HeuristicState::kMixed) {
      record.state = HeuristicState::kAcknowledged;
      record.acknowledged_by = input.by;
      record.acknowledged_at = batch.now.wall;
      RecordHeuristic(batch, record, ParticipantEvent::Kind::kAcknowledged,
                      "operator " + input.by + " has settled the difference by hand");
    }
    if (record.state == HeuristicState::kAcknowledged) answer.outcome = HeuristicOutcome::kAcknowledged;
    answer.record = record;
  }
  batch.effects.heuristic_answers.push_back(std::move(answer));
}

void Participant::Apply(Batch& batch, const ListInDoubtInput& input) {
  std::vector<const Prepared*> oldest;
  oldest.reserve(prepared_.size());
  for (auto at = prepared_.begin(); at != prepared_.end(); ++at) oldest.push_back(&at->second);
  std::ranges::sort(oldest, {},
                    [](const Prepared* held) { return std::pair(held->record.created_at, held->record.id); });
  InDoubtAnswer answer{.reply_to = input.reply_to, .transactions = {}, .mixed = {}, .total = oldest.size()};
  oldest.resize(std::min(oldest.size(), input.limit));
  for (const Prepared* held : oldest) {
    InDoubtTransaction& in_doubt = answer.transactions.emplace_back();
    in_doubt.transaction = held->record;
    in_doubt.inquiries = held->inquiries;
    if (const auto found = heuristics_.find(held->record.id); found != heuristics_.end()) {
      in_doubt.heuristic = found->second;
    }
  }
  for (const auto& [id, record] : heuristics_) {
    if (record.state == HeuristicState::kMixed) answer.mixed.push_back(record);
  }
  batch.effects.in_doubt_answers.push_back(std::move(answer));
}

}  // namespace strife::protocol
