#include "protocol/coordinator.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/assert.h"
#include "protocol/reason.h"

namespace strife::protocol {
namespace {

// The command that belongs to a payment's state.
CommandKind PhaseOf(PaymentState state) {
  switch (state) {
    case PaymentState::kInitiated:
      return CommandKind::kPrepare;
    case PaymentState::kAborted:
      return CommandKind::kAbort;
    case PaymentState::kCommitting:
    case PaymentState::kPartialCommit:
    case PaymentState::kCompleted:
      break;
  }
  return CommandKind::kCommit;
}

bool Touches(const PaymentOrder& order, const std::string& bank_id) {
  return order.from.bank_id == bank_id || order.to.bank_id == bank_id;
}

}  // namespace

CoordinatorEffects Coordinator::Recover(const Now& now, CoordinatorPast past) {
  STRIFE_ASSERT(open_.empty() && past.epoch > 0);
  store_id_ = past.store_id;
  epoch_ = past.epoch;
  sequence_ = past.sequence;
  for (BankRecord& bank : past.banks) {
    const std::string id = bank.bank_id;
    banks_[id].record = std::move(bank);
  }
  Batch batch{now, {}, {}};
  for (PaymentRecord& record : past.open_payments) {
    STRIFE_ASSERT(!IsFinal(record.state));
    Open& open = AddOpen(std::move(record));
    open.record.epoch = epoch_;
    if (open.record.state == PaymentState::kInitiated) {
      DecideAbort(batch, open, reason::kGatewayRestarted, {});
    } else {
      Record(batch, open);
      BeginPhase(batch, open);
    }
  }
  return Finish(std::move(batch));
}

void Coordinator::CollectKeys(const CoordinatorInput& input, std::vector<Uuid>& ids) const {
  const Uuid* id = nullptr;
  if (const auto* submit = std::get_if<SubmitInput>(&input)) id = &submit->order.id;
  if (const auto* inquiry = std::get_if<InquiryInput>(&input)) id = &inquiry->id;
  if (id != nullptr && !open_.contains(*id)) ids.push_back(*id);
}

CoordinatorEffects Coordinator::Step(const Now& now, std::vector<CoordinatorInput> inputs, Rows rows) {
  STRIFE_ASSERT(epoch_ > 0);
  Batch batch{now, std::move(rows), {}};
  for (CoordinatorInput& input : inputs) {
    std::visit([&](auto& typed) { Apply(batch, typed); }, input);
  }
  OnDeadlines(batch);
  return Finish(std::move(batch));
}

CoordinatorEffects Coordinator::Finish(Batch&& batch) {
  if (!batch.effects.payments.empty() || !batch.effects.banks.empty()) ++sequence_;
  for (AddressedCommand& addressed : batch.effects.commands) addressed.command.gateway_sequence = sequence_;
  return std::move(batch.effects);
}

// ---- Submitting ----

void Coordinator::Apply(Batch& batch, SubmitInput& input) {
  const auto answer = [&](SubmitOutcome outcome, PaymentRecord payment = {}) {
    batch.effects.submit_answers.push_back({input.reply_to, outcome, std::move(payment)});
  };
  if (const PaymentRecord* known = Find(batch, input.order.id)) {
    if (known->order == input.order) return answer(SubmitOutcome::kDuplicate, *known);
    return answer(SubmitOutcome::kReused);
  }
  const PaymentOrder& order = input.order;
  if (!Registered(order.from.bank_id)) return answer(SubmitOutcome::kUnknownPayerBank);
  if (!Registered(order.to.bank_id)) return answer(SubmitOutcome::kUnknownPayeeBank);
  if (needs_reconciliation_) return answer(SubmitOutcome::kNeedsReconciliation);
  const std::size_t limit = options_.max_open_per_bank;
  if (banks_.at(order.from.bank_id).open >= limit || banks_.at(order.to.bank_id).open >= limit) {
    return answer(SubmitOutcome::kOverloaded);
  }
  Start(batch, input);
}

void Coordinator::Start(Batch& batch, SubmitInput& input) {
  PaymentRecord record;
  record.order = std::move(input.order);
  record.epoch = epoch_;
  record.created_at = batch.now.wall;
  Open& open = AddOpen(std::move(record));
  open.reply_to = input.reply_to;
  if (!std::ranges::all_of(open.all_legs(), [&](const Leg& leg) { return MayAsk(batch, leg.bank_id); })) {
    for (Leg& leg : open.all_legs()) leg.holds_nothing = true;
    return DecideAbort(batch, open, reason::kBankOffline, {});
  }
  Record(batch, open);  // rule 2
  BeginPhase(batch, open);
}

Coordinator::Open& Coordinator::AddOpen(PaymentRecord record) {
  const Uuid id = record.order.id;
  const auto [at, inserted] = open_.emplace(id, Open{});
  STRIFE_ASSERT(inserted);
  Open& open = at->second;
  open.record = std::move(record);
  const PaymentOrder& order = open.record.order;
  open.legs[open.leg_count++].bank_id = order.from.bank_id;
  if (order.to.bank_id != order.from.bank_id) open.legs[open.leg_count++].bank_id = order.to.bank_id;
  for (const Leg& leg : open.all_legs()) ++banks_[leg.bank_id].open;
  return open;
}

void Coordinator::Close(Batch& batch, Open& open) {
  for (const Leg& leg : open.all_legs()) {
    Bank& bank = banks_[leg.bank_id];
    STRIFE_ASSERT(bank.open > 0);
    --bank.open;
  }
  const Uuid id = open.record.order.id;
  batch.rows.insert_or_assign(id, std::move(open.record));
  open_.erase(id);
}

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
  batch.effects.commands.push_back({leg.bank_id, std::move(command)});
}

void Coordinator::Undelivered(Batch& batch, Open& open, Leg& leg) {
  leg.in_transport = false;
  leg.unreachable = true;
  ++leg.attempts;
  const PaymentState state = open.record.state;
  if (state == PaymentState::kInitiated && Offline(leg.bank_id)) {
    return DecideAbort(batch, open, reason::kBankOffline, {});
  }
  if (state == PaymentState::kAborted && leg.attempts > options_.max_retries) {
    // Presumed abort: the bank learns it by asking, so the gateway need not remember.
    leg.answered = true;
    if (open.AllAnswered()) Close(batch, open);
    return;
  }
  leg.retry_at = batch.now.monotonic + options_.redelivery.Delay(open.record.order.id, leg.attempts);
  deadlines_.Add(*leg.retry_at, open.record.order.id);
}

void Coordinator::Apply(Batch& batch, UndeliveredInput& input) {
  if (const auto bank = banks_.find(input.bank_id); bank != banks_.end()) {
    ++bank->second.failures;
    bank->second.next_probe = batch.now.monotonic + options_.redelivery.cap;
  }
  for (const UndeliveredInput::Command& command : input.commands) {
    const auto found = open_.find(command.id);
    if (found == open_.end() || PhaseOf(found->second.record.state) != command.kind) continue;
    Open& open = found->second;
    for (Leg& leg : open.all_legs()) {
      if (leg.bank_id != input.bank_id) continue;
      if (!leg.answered && leg.in_transport) Undelivered(batch, open, leg);
      break;
    }
  }
}

const PaymentRecord* Coordinator::Find(const Batch& batch, const Uuid& id) const {
  if (const auto open = open_.find(id); open != open_.end()) return &open->second.record;
  const auto row = batch.rows.find(id);
  return row == batch.rows.end() ? nullptr : &row->second;
}

bool Coordinator::Registered(const std::string& bank_id) const {
  const auto bank = banks_.find(bank_id);
  return bank != banks_.end() && !bank->second.record.bank_id.empty();
}

bool Coordinator::MayAsk(Batch& batch, const std::string& bank_id) {
  Bank& bank = banks_.at(bank_id);
  if (!Offline(bank_id)) return true;
  if (batch.now.monotonic < bank.next_probe) return false;
  bank.next_probe = batch.now.monotonic + options_.redelivery.cap;
  return true;
}

bool Coordinator::Offline(const std::string& bank_id) const {
  const auto bank = banks_.find(bank_id);
  return bank != banks_.end() && bank->second.failures >= options_.max_retries;
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
  if (const auto bank = banks_.find(input.bank_id); bank != banks_.end()) bank->second.failures = 0;
  for (const BankReply& reply : input.replies) {
    const auto found = open_.find(reply.id);
    // A reply to an earlier phase says nothing about this one.
    if (found == open_.end() || PhaseOf(found->second.record.state) != reply.kind) continue;
    Open& open = found->second;
    const auto legs = open.all_legs();
    const auto leg = std::ranges::find(legs, input.bank_id, &Leg::bank_id);
    if (leg == legs.end() || leg->answered) continue;
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
      if (open.AllAnswered()) DecideCommit(batch, open);
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
      batch.effects.events.push_back(
          {CoordinatorEvent::Kind::kProtocolViolation, reply.id, leg.bank_id, "prepare refused: " + reply.message});
      return DecideAbort(batch, open, reason::kProtocolViolation, {});
  }
}

void Coordinator::OnCommitReply(Batch& batch, Open& open, Leg& leg, const BankReply& reply) {
  if (reply.outcome == CommandOutcome::kDone) {
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

void Coordinator::OnAbortReply(Batch& batch, Open& open, Leg& leg, const BankReply& reply) {
  if (reply.outcome == CommandOutcome::kOverloaded) return Undelivered(batch, open, leg);
  if (reply.outcome != CommandOutcome::kDone && reply.outcome != CommandOutcome::kStale) {
    batch.effects.events.push_back(
        {CoordinatorEvent::Kind::kProtocolViolation, reply.id, leg.bank_id, "abort refused: " + reply.message});
  }
  leg.answered = true;
  if (open.AllAnswered()) Close(batch, open);
}

// ---- Deciding ----

void Coordinator::DecideCommit(Batch& batch, Open& open) {
  STRIFE_ASSERT(open.record.state == PaymentState::kInitiated);
  open.record.state = PaymentState::kCommitting;  // rule 4: with this record durable the payment is decided
  Record(batch, open);
  BeginPhase(batch, open);
}

void Coordinator::DecideAbort(Batch& batch, Open& open, std::string_view reason_code, std::string message) {
  STRIFE_ASSERT(open.record.state == PaymentState::kInitiated);
  open.record.state = PaymentState::kAborted;
  open.record.reason_code = reason_code;
  open.record.message = std::move(message);
  Record(batch, open);
  AnswerSubmitter(batch, open);
  // A YES, or a vote still on its way, must be undone at the bank; so must a prepare that may yet arrive (rule 8).
  for (Leg& leg : open.all_legs()) leg.answered = leg.holds_nothing;
  if (open.AllAnswered()) return Close(batch, open);
  BeginPhase(batch, open);
}

void Coordinator::Complete(Batch& batch, Open& open) {
  STRIFE_ASSERT(IsDecidedCommit(open.record.state));
  open.record.state = PaymentState::kCompleted;
  open.record.reason_code.clear();
  open.record.message.clear();
  Record(batch, open);
  AnswerSubmitter(batch, open);
  Close(batch, open);
}

void Coordinator::Record(Batch& batch, Open& open) {
  open.record.updated_at = batch.now.wall;
  batch.effects.payments.push_back(open.record);
}

void Coordinator::AnswerSubmitter(Batch& batch, Open& open) {
  if (open.reply_to.call == 0) return;
  batch.effects.submit_answers.push_back({open.reply_to, SubmitOutcome::kEnded, open.record});
  open.reply_to = {};
}

// ---- Time ----

void Coordinator::OnDeadlines(Batch& batch) {
  while (const auto id = deadlines_.PopDue(batch.now.monotonic)) {
    const auto found = open_.find(*id);
    if (found == open_.end()) continue;
    Open& open = found->second;
    for (Leg& leg : open.all_legs()) {
      if (leg.retry_at && *leg.retry_at <= batch.now.monotonic) Deliver(batch, open, leg);
    }
    if (open.deadline && *open.deadline <= batch.now.monotonic) OnPhaseTimeout(batch, open);
  }
}

void Coordinator::OnPhaseTimeout(Batch& batch, Open& open) {
  open.deadline.reset();
  if (open.record.state == PaymentState::kInitiated) {
    const auto legs = open.all_legs();
    const auto late = std::ranges::find(legs, false, &Leg::answered);
    STRIFE_ASSERT(late != legs.end());
    const bool payer_bank = late->bank_id == open.record.order.from.bank_id;
    const std::string_view why = late->unreachable ? reason::kBankOffline
                                 : payer_bank      ? reason::kTimeoutDebtorAgent
                                                   : reason::kTimeoutCreditorAgent;
    return DecideAbort(batch, open, why, {});
  }
  if (open.record.state != PaymentState::kCommitting) return;
  open.record.state = PaymentState::kPartialCommit;
  open.record.reason_code = reason::kCommitDelayed;
  Record(batch, open);
  for (const Leg& leg : open.all_legs()) {
    if (leg.answered) continue;
    batch.effects.events.push_back({CoordinatorEvent::Kind::kPartialCommit, open.record.order.id, leg.bank_id,
                                    "decided to commit, but the bank has not confirmed in time"});
  }
  AnswerSubmitter(batch, open);
}

// ---- Banks asking and registering ----

bool Coordinator::NoticeRestoredBackup(Batch& batch, const std::string& bank_id, const std::optional<Uuid>& store_id,
                                       std::uint64_t sequence) {
  if (store_id != store_id_ || sequence <= sequence_) return false;
  if (!needs_reconciliation_) {
    needs_reconciliation_ = true;
    batch.effects.events.push_back({CoordinatorEvent::Kind::kNeedsReconciliation,
                                    {},
                                    bank_id,
                                    "the bank has seen later work of this gateway's store than the store remembers: it "
                                    "was restored from a backup"});
  }
  return true;
}

void Coordinator::Apply(Batch& batch, InquiryInput& input) {
  const auto answer = [&](InquiryOutcome outcome, Decision decision = Decision::kPending) {
    batch.effects.inquiry_answers.push_back({input.reply_to, outcome, decision});
  };
  NoticeRestoredBackup(batch, input.bank_id, input.store_id, input.sequence);
  if (needs_reconciliation_) return answer(InquiryOutcome::kNeedsReconciliation);
  const PaymentRecord* known = Find(batch, input.id);
  if (known == nullptr) {
    // A bank that names a store has prepared the transaction for it. If that is another store, its word is needed; if
    // it is this one, this one has lost the record it made before the prepare (rule 2), and with it perhaps a commit.
    if (input.store_id) return answer(InquiryOutcome::kNeedsReconciliation);
    // Rule 7, presumed abort: the abort is on record before anybody acts on it. The bank is kept as both ends, to
    // answer it again.
    PaymentRecord tombstone;
    tombstone.order.id = input.id;
    tombstone.order.from.bank_id = input.bank_id;
    tombstone.order.to.bank_id = input.bank_id;
    tombstone.state = PaymentState::kAborted;
    tombstone.reason_code = reason::kTransactionAborted;
    tombstone.epoch = epoch_;
    tombstone.created_at = tombstone.updated_at = batch.now.wall;
    batch.effects.payments.push_back(tombstone);
    batch.rows.emplace(input.id, std::move(tombstone));
    return answer(InquiryOutcome::kDecided, Decision::kAbort);
  }
  const bool tombstone = known->order.payer.empty();
  if (!tombstone && !Touches(known->order, input.bank_id)) return answer(InquiryOutcome::kNotAParticipant);
  if (IsDecidedCommit(known->state)) return answer(InquiryOutcome::kDecided, Decision::kCommit);
  if (known->state == PaymentState::kAborted) return answer(InquiryOutcome::kDecided, Decision::kAbort);
  answer(InquiryOutcome::kDecided, Decision::kPending);
}

void Coordinator::Apply(Batch& batch, RegisterInput& input) {
  NoticeRestoredBackup(batch, input.bank.bank_id, input.store_id, input.sequence);
  const bool is_new = !Registered(input.bank.bank_id);
  if (is_new && banks_.size() >= limits::kMaxBanks) {
    batch.effects.register_answers.push_back({input.reply_to, false, {}});
    return;
  }
  Bank& bank = banks_[input.bank.bank_id];
  input.bank.registered_at = is_new ? batch.now.wall : bank.record.registered_at;
  if (is_new || bank.record != input.bank) {
    bank.record = input.bank;
    batch.effects.banks.push_back(bank.record);
  }
  if (bank.failures > 0) {
    bank.failures = 0;
    RetryNow(batch, input.bank.bank_id);
  }
  batch.effects.register_answers.push_back({input.reply_to, true, bank.record});
}

}  // namespace strife::protocol
