// How the coordinator gets a phase's command to every bank of a payment, and what it makes of the replies.
#include <algorithm>
#include <utility>

#include "protocol/coordinator.h"
#include "protocol/defect.h"
#include "protocol/reason.h"

namespace strife::protocol {
// ---- Delivering ----

void Coordinator::BeginPhase(Batch& batch, Open& open) {
  const bool decided_abort = open.record.state == PaymentState::kAborted;
  open.deadline.reset();
  if (!decided_abort) {
    open.deadline = batch.now.monotonic + options_.transaction_timeout;
    deadlines_.Add(*open.deadline, open.record.order.id);
  }
  for (Leg& leg : open.all_legs()) {
    leg.attempts = 0;
    leg.retry_at.reset();
    // An aborting payment keeps the answers of banks that need not be told.
    if (!decided_abort) leg.answered = false;
    if (!leg.answered) Deliver(batch, open, leg);
  }
}

void Coordinator::Deliver(Batch& batch, Open& open, Leg& leg) {
  leg.in_transport = true;
  leg.retry_at.reset();
  leg.sent_at = batch.now.wall;
  BankCommand command;
  command.kind = PhaseOf(open.record.state);
  command.id = open.record.order.id;
  command.epoch = epoch_;
  command.gateway_store_id = store_id_;
  if (command.kind == CommandKind::kPrepare) {
    command.from = open.record.order.from;
    command.to = open.record.order.to;
    command.amount = open.record.order.amount;
  }
  if (open.trace.context) command.trace = NextHop(*open.trace.context, command.id, epoch_);
  batch.effects.commands.push_back({leg.bank_id, std::move(command)});
}

void Coordinator::Undelivered(Batch& batch, Open& open, Leg& leg) {
  leg.in_transport = false;
  leg.unreachable = true;
  ++leg.attempts;
  const PaymentState state = open.record.state;
  if (state == PaymentState::kInitiated && banks_.IsOffline(leg.bank_id)) {
    return DecideAbort(batch, open, reason::kBankOffline, {});
  }
  if (state == PaymentState::kAborted && leg.attempts > options_.max_retries) {
    // Presumed abort: the bank learns it by asking, so the gateway need not remember.
    leg.answered = true;
    if (open.AllAnswered()) Close(batch, open);
    return;
  }
  if (Mutated(Defect::kRedeliveryGivenUp) && leg.attempts > options_.max_retries) return;
  if (Mutated(Defect::kPartialCommitEndsDelivery) && state == PaymentState::kPartialCommit) return;
  leg.retry_at = batch.now.monotonic + options_.redelivery.Delay(open.record.order.id, leg.attempts);
  deadlines_.Add(*leg.retry_at, open.record.order.id);
}

void Coordinator::Apply(Batch& batch, UndeliveredInput& input) {
  banks_.DidNotAnswer(input.bank_id, batch.now.monotonic);
  for (const UndeliveredInput::Command& command : input.commands) {
    const auto found = open_.find(command.id);
    if (found == open_.end() || PhaseOf(found->second.record.state) != command.kind) continue;
    Open& open = found->second;
    for (Leg& leg : open.all_legs()) {
      if (leg.bank_id != input.bank_id) continue;
      if (leg.answered || !leg.in_transport) break;
      if (input.exchange) leg.sent_at = input.exchange->sent_at;
      NoteCommand(open, leg, command.kind, std::nullopt, input.exchange ? input.exchange->ended_at : batch.now.wall);
      Undelivered(batch, open, leg);
      break;
    }
  }
}

void Coordinator::RetryNow(Batch& batch, const std::string& bank_id) {
  const auto waits = [&](const Leg& leg) { return leg.bank_id == bank_id && leg.retry_at; };
  std::vector<Uuid> ids;
  for (auto at = open_.begin(); at != open_.end(); ++at) {
    if (std::ranges::any_of(at->second.all_legs(), waits)) ids.push_back(at->first);
  }
  std::ranges::sort(ids);  // the order of a hash table cannot be replayed
  for (const Uuid& id : ids) {
    Open& open = open_.at(id);
    for (Leg& leg : open.all_legs()) {
      if (waits(leg)) Deliver(batch, open, leg);
    }
  }
}

// ---- Replies of banks ----

void Coordinator::Apply(Batch& batch, BankRepliesInput& input) {
  banks_.Answered(input.bank_id);
  for (const BankReply& reply : input.replies) {
    const auto found = open_.find(reply.id);
    // A reply to an earlier phase says nothing about this one.
    if (found == open_.end() || PhaseOf(found->second.record.state) != reply.kind) continue;
    Open& open = found->second;
    const auto legs = open.all_legs();
    const auto leg = std::ranges::find(legs, input.bank_id, &Leg::bank_id);
    if (leg == legs.end() || leg->answered) continue;
    if (input.exchange) leg->sent_at = input.exchange->sent_at;
    NoteCommand(open, *leg, reply.kind, reply.outcome, input.exchange ? input.exchange->ended_at : batch.now.wall);
    leg->in_transport = false;
    leg->unreachable = false;
    leg->retry_at.reset();
    switch (reply.kind) {
      case CommandKind::kPrepare:
        OnVote(batch, open, *leg, reply);
        break;
      case CommandKind::kCommit:
        OnCommitReply(batch, open, *leg, reply);
        break;
      case CommandKind::kAbort:
        OnAbortReply(batch, open, *leg, reply);
        break;
    }
  }
}

void Coordinator::OnVote(Batch& batch, Open& open, Leg& leg, const BankReply& reply) {
  switch (reply.outcome) {
    case CommandOutcome::kYes:
      leg.answered = true;
      if (open.AllAnswered() || Mutated(Defect::kCommitOnFirstVote)) DecideCommit(batch, open);
      return;
    case CommandOutcome::kNo:
      leg.holds_nothing = true;
      return DecideAbort(batch, open, reply.reason_code, reply.message);
    case CommandOutcome::kOverloaded:
      return Undelivered(batch, open, leg);
    case CommandOutcome::kStale:
      batch.effects.events.push_back(
          {CoordinatorEvent::Kind::kStaleEpoch, reply.id, leg.bank_id, "the bank knows a newer gateway"});
      return DecideAbort(batch, open, reason::kStaleEpoch, {});
    case CommandOutcome::kDone:
    case CommandOutcome::kViolation:
    case CommandOutcome::kMixed:
    case CommandOutcome::kMixedAcknowledged:
      batch.effects.events.push_back(
          {CoordinatorEvent::Kind::kProtocolViolation, reply.id, leg.bank_id, "prepare refused: " + reply.message});
      return DecideAbort(batch, open, reason::kProtocolViolation, {});
  }
}

void Coordinator::OnCommitReply(Batch& batch, Open& open, Leg& leg, const BankReply& reply) {
  if (reply.outcome == CommandOutcome::kDone) {
    leg.answered = true;
    if (open.AllAnswered() || Mutated(Defect::kCompletedOnFirstAck)) Complete(batch, open);
    return;
  }
  if (reply.outcome == CommandOutcome::kMixed || reply.outcome == CommandOutcome::kMixedAcknowledged) {
    OnMixed(batch, open, leg, reply);
    // Until it is settled nobody is told that the payment is complete, and asking again tells when it is.
    if (reply.outcome == CommandOutcome::kMixed) return Undelivered(batch, open, leg);
    leg.answered = true;
    if (open.AllAnswered()) Complete(batch, open);
    return;
  }
  // Decided is decided (rule 5): whatever the bank says, the commit is delivered until it is acknowledged.
  if (reply.outcome == CommandOutcome::kStale) {
    batch.effects.events.push_back(
        {CoordinatorEvent::Kind::kStaleEpoch, reply.id, leg.bank_id, "the bank knows a newer gateway"});
  } else if (reply.outcome != CommandOutcome::kOverloaded) {
    batch.effects.events.push_back(
        {CoordinatorEvent::Kind::kProtocolViolation, reply.id, leg.bank_id, "commit refused: " + reply.message});
  }
  Undelivered(batch, open, leg);
}

void Coordinator::OnMixed(Batch& batch, Open& open, Leg& leg, const BankReply& reply) {
  const std::string told = "bank " + leg.bank_id + ": ";
  const bool first = open.record.reason_code != reason::kHeuristicMixed;
  // Known, and asked about again. After a restart the record tells of the bank that was first; of another it is said
  // anew.
  if (leg.mixed || (!first && open.record.message.starts_with(told))) return;
  leg.mixed = true;
  if (first) {
    if (open.record.state == PaymentState::kCommitting) open.record.state = PaymentState::kPartialCommit;
    open.record.reason_code = reason::kHeuristicMixed;
    open.record.message = told + reply.message;
    Record(batch, open);
    AnswerSubmitter(batch, open);
  }
  batch.effects.events.push_back({CoordinatorEvent::Kind::kMixed, reply.id, leg.bank_id, reply.message});
}

void Coordinator::OnAbortReply(Batch& batch, Open& open, Leg& leg, const BankReply& reply) {
  if (reply.outcome == CommandOutcome::kOverloaded) return Undelivered(batch, open, leg);
  if (reply.outcome == CommandOutcome::kMixed || reply.outcome == CommandOutcome::kMixedAcknowledged) {
    // The payment is aborted, and so it stays: the bank takes back by hand what it has posted.
    OnMixed(batch, open, leg, reply);
  } else if (reply.outcome != CommandOutcome::kDone && reply.outcome != CommandOutcome::kStale) {
    batch.effects.events.push_back(
        {CoordinatorEvent::Kind::kProtocolViolation, reply.id, leg.bank_id, "abort refused: " + reply.message});
  }
  leg.answered = true;
  if (open.AllAnswered()) Close(batch, open);
}

}  // namespace strife::protocol
