#include "protocol/coordinator.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "base/assert.h"
#include "protocol/defect.h"
#include "protocol/reason.h"

namespace strife::protocol {
namespace {

bool Touches(const PaymentOrder& order, const std::string& bank_id) {
  return order.from.bank_id == bank_id || order.to.bank_id == bank_id;
}

// Whether a defect makes the coordinator overlook a payment that has ended.
bool Forgotten(PaymentState state) {
  return (Mutated(Defect::kCompletedForgotten) && state == PaymentState::kCompleted) ||
         (Mutated(Defect::kRepeatRestartsAborted) && state == PaymentState::kAborted);
}

// Room for what the inputs ordinarily come to, so that records are not moved about while their number grows.
void ReserveEffects(const std::vector<CoordinatorInput>& inputs, CoordinatorEffects& effects) {
  std::size_t submits = 0, votes = 0;
  for (const CoordinatorInput& input : inputs) {
    if (std::holds_alternative<SubmitInput>(input)) ++submits;
    if (const auto* replies = std::get_if<BankRepliesInput>(&input)) votes += replies->replies.size();
  }
  effects.payments.reserve(submits + votes / 2);
  effects.traces.reserve(submits + votes / 2);
  effects.commands.reserve(2 * submits + votes);
  effects.submit_answers.reserve(votes / 2);
}

}  // namespace

CoordinatorEffects Coordinator::Recover(const Now& now, CoordinatorPast past) {
  STRIFE_ASSERT(open_.empty() && past.epoch > 0);
  store_id_ = past.store_id;
  epoch_ = past.epoch;
  sequence_ = past.sequence;
  banks_.Load(std::move(past.banks));
  Batch batch{now, {}, {}};
  for (PaymentRecord& record : past.open_payments) {
    STRIFE_ASSERT(!IsFinal(record.state));
    Open& open = AddOpen(std::move(record));
    open.trace = Resumed(now, open.record, past.traces, epoch_);
    open.record.epoch = epoch_;
    if (Mutated(Defect::kRestartAbortsDecided)) open.record.state = PaymentState::kInitiated;
    if (open.record.state == PaymentState::kInitiated) {
      DecideAbort(batch, open, reason::kGatewayRestarted, {});
    } else {
      Record(batch, open);
      if (!Mutated(Defect::kRestartForgetsDelivery)) BeginPhase(batch, open);
    }
  }
  return Finish(std::move(batch));
}

void Coordinator::CollectKeys(const CoordinatorInput& input, std::vector<Uuid>& ids) const {
  const Uuid* id = nullptr;
  if (const auto* submit = std::get_if<SubmitInput>(&input)) id = &submit->order.id;
  if (const auto* inquiry = std::get_if<InquiryInput>(&input)) id = &inquiry->id;
  if (const auto* trace = std::get_if<TraceInput>(&input)) id = &trace->id;
  if (id != nullptr && !open_.contains(*id)) ids.push_back(*id);
}

CoordinatorEffects Coordinator::Step(const Now& now, std::vector<CoordinatorInput> inputs, Rows rows,
                                     TraceRows traces) {
  STRIFE_ASSERT(epoch_ > 0);
  Batch batch{now, std::move(rows), {}, std::move(traces)};
  recorded_.clear();
  answered_.clear();
  ReserveEffects(inputs, batch.effects);
  for (CoordinatorInput& input : inputs) {
    std::visit([&](auto& typed) { Apply(batch, typed); }, input);
  }
  OnDeadlines(batch);
  return Finish(std::move(batch));
}

CoordinatorEffects Coordinator::Finish(Batch&& batch) {
  WriteTraces(batch);
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
    if (known->order == input.order || Mutated(Defect::kOtherPaymentUnderSameIdTaken)) {
      if (Trace* trace = TraceOf(batch, *known)) trace->Add({.kind = StepKind::kAskedAgain, .at = batch.now.wall});
      return answer(SubmitOutcome::kDuplicate, *known);
    }
    return answer(SubmitOutcome::kReused);
  }
  const PaymentOrder& order = input.order;
  if (!input.cancel) {
    if (banks_.Registered(order.from.bank_id) == nullptr) return answer(SubmitOutcome::kUnknownPayerBank);
    if (banks_.Registered(order.to.bank_id) == nullptr) return answer(SubmitOutcome::kUnknownPayeeBank);
    const Currency currency = order.amount.currency;
    if (!banks_.Keeps(order.from.bank_id, currency) || !banks_.Keeps(order.to.bank_id, currency)) {
      return answer(SubmitOutcome::kCurrencyNotKept);
    }
  }
  if (TouchesBankAhead(order)) return answer(SubmitOutcome::kNeedsReconciliation);
  if (input.storage_full) return answer(SubmitOutcome::kStorageFull);
  if (input.draining) return answer(SubmitOutcome::kDraining);
  if (input.cancel) {
    PaymentRecord cancelled;
    cancelled.order = std::move(input.order);
    cancelled.reason_code = reason::kOrderCancelled;
    answer(SubmitOutcome::kEnded, RecordAborted(batch, std::move(cancelled), {}));
    if (Mutated(Defect::kCancelNotRecorded)) batch.effects.payments.pop_back();
    return;
  }
  const std::size_t limit = options_.max_open_per_bank;
  if (banks_.open_count(order.from.bank_id) >= limit || banks_.open_count(order.to.bank_id) >= limit) {
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
  open.trace.context = input.trace;
  if (input.received_at) open.trace.Add({.kind = StepKind::kReceived, .at = *input.received_at});
  open.trace.Add({.kind = StepKind::kRecorded, .epoch = epoch_, .at = batch.now.wall});
  const auto may_ask = [&](const Leg& leg) { return banks_.MayAsk(leg.bank_id, batch.now.monotonic); };
  if (input.suspended || !std::ranges::all_of(open.all_legs(), may_ask)) {
    for (Leg& leg : open.all_legs()) leg.holds_nothing = true;
    return DecideAbort(batch, open, input.suspended ? reason::kBankSuspended : reason::kBankOffline, {});
  }
  if (!Mutated(Defect::kPrepareBeforeRecord)) Record(batch, open);  // rule 2
  window_.Begun(open.record.order.id, batch.now.monotonic);
  BeginPhase(batch, open);
}

OpenPayment& Coordinator::AddOpen(PaymentRecord record) {
  const Uuid id = record.order.id;
  const auto [at, inserted] = open_.emplace(id, OpenPayment(std::move(record)));
  STRIFE_ASSERT(inserted);
  for (const Leg& leg : at->second.all_legs()) banks_.Opened(leg.bank_id);
  return at->second;
}

void Coordinator::Close(Batch& batch, Open& open) {
  for (const Leg& leg : open.all_legs()) banks_.Closed(leg.bank_id);
  const Uuid id = open.record.order.id;
  window_.Ended(id);
  unwritten_.insert_or_assign(id, Unwritten{std::move(open.trace), open.record.created_at});
  batch.rows.insert_or_assign(id, std::move(open.record));
  open_.erase(id);
}

const PaymentRecord* Coordinator::Find(const Batch& batch, const Uuid& id) const {
  if (const auto open = open_.find(id); open != open_.end()) return &open->second.record;
  const auto row = batch.rows.find(id);
  return row == batch.rows.end() || Forgotten(row->second.state) ? nullptr : &row->second;
}

// ---- Deciding ----

void Coordinator::DecideCommit(Batch& batch, Open& open) {
  STRIFE_ASSERT(open.record.state == PaymentState::kInitiated);
  open.record.state = PaymentState::kCommitting;  // rule 4: with this record durable the payment is decided
  open.trace.Add({.kind = StepKind::kDecidedCommit, .at = batch.now.wall});
  Record(batch, open);
  BeginPhase(batch, open);
}

void Coordinator::DecideAbort(Batch& batch, Open& open, std::string_view reason_code, std::string message) {
  STRIFE_ASSERT(open.record.state == PaymentState::kInitiated);
  for (const Leg& leg : open.all_legs()) {
    if (leg.in_transport) NoteCommand(open, leg, CommandKind::kPrepare, std::nullopt, std::nullopt);
  }
  open.trace.Add({.kind = StepKind::kDecidedAbort, .at = batch.now.wall});
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
  open.trace.Add({.kind = StepKind::kCompleted, .at = batch.now.wall});
  if (open.record.reason_code != reason::kHeuristicMixed) {
    open.record.reason_code.clear();
    open.record.message.clear();
  }
  Record(batch, open);
  AnswerSubmitter(batch, open);
  Close(batch, open);
}

void Coordinator::Record(Batch& batch, Open& open) {
  open.record.updated_at = batch.now.wall;
  batch.effects.payments.push_back(open.record);
  batch.effects.traces.push_back({open.record.order.id, open.trace.Encode(open.record.created_at, kGatewayTraceBytes)});
  recorded_.push_back(open.record.order.id);
}

const PaymentRecord& Coordinator::RecordAborted(Batch& batch, PaymentRecord record, Trace trace) {
  record.state = PaymentState::kAborted;
  record.epoch = epoch_;
  record.created_at = record.updated_at = batch.now.wall;
  trace.Add({.kind = StepKind::kDecidedAbort, .epoch = epoch_, .at = batch.now.wall});
  const Uuid id = record.order.id;
  batch.effects.payments.push_back(record);
  batch.effects.traces.push_back({id, trace.Encode(record.created_at, kGatewayTraceBytes)});
  return batch.rows.insert_or_assign(id, std::move(record)).first->second;
}

void Coordinator::AnswerSubmitter(Batch& batch, Open& open) {
  if (open.reply_to.call == 0) return;
  batch.effects.submit_answers.push_back({open.reply_to, SubmitOutcome::kEnded, open.record});
  if (Mutated(Defect::kLateCommitToldAborted) && open.record.state == PaymentState::kPartialCommit) {
    batch.effects.submit_answers.back().payment.state = PaymentState::kAborted;
  }
  open.reply_to = {};
  answered_.push_back(open.record.order.id);
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
  if (Mutated(Defect::kTimeoutAbortsDecided)) open.record.state = PaymentState::kInitiated;
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
  open.trace.Add({.kind = StepKind::kLate, .at = batch.now.wall});
  Record(batch, open);
  for (const Leg& leg : open.all_legs()) {
    if (leg.answered) continue;
    batch.effects.events.push_back({CoordinatorEvent::Kind::kPartialCommit, open.record.order.id, leg.bank_id,
                                    "decided to commit, but the bank has not confirmed in time"});
  }
  AnswerSubmitter(batch, open);
}

// ---- Banks asking and registering ----

void Coordinator::NoticeWhatIsSeen(Batch& batch, const std::string& bank_id, const std::optional<Uuid>& store_id,
                                   std::uint64_t sequence) {
  if (store_id != store_id_ || sequence <= sequence_ || Mutated(Defect::kRestoredBackupUnnoticed)) return;
  if (!banks_.NoteAhead(bank_id, sequence)) return;
  // On record, for with other banks' payments the store may come so far, and nobody could tell any more.
  if (const BankRecord* record = banks_.Registered(bank_id)) batch.effects.banks.push_back(*record);
  batch.effects.events.push_back(
      {CoordinatorEvent::Kind::kNeedsReconciliation,
       {},
       bank_id,
       "the bank has seen number " + std::to_string(sequence) + " of this store, which has come to " +
           std::to_string(sequence_) +
           ": the store was restored from an old backup, or the bank is not to be believed; its payments wait until "
           "operators have compared the books (strife verify) and resume it"});
}

bool Coordinator::TouchesBankAhead(const PaymentOrder& order) const {
  return banks_.IsAhead(order.from.bank_id) || banks_.IsAhead(order.to.bank_id);
}

void Coordinator::Apply(Batch& batch, InquiryInput& input) {
  const auto answer = [&](InquiryOutcome outcome, Decision decision = Decision::kPending) {
    batch.effects.inquiry_answers.push_back({input.reply_to, outcome, decision});
  };
  NoticeWhatIsSeen(batch, input.bank_id, input.store_id, input.sequence);
  if (banks_.IsAhead(input.bank_id)) return answer(InquiryOutcome::kNeedsReconciliation);
  // What a bank has prepared for another store is that store's to decide: what this one has under the id came later.
  if (input.store_id && *input.store_id != store_id_) return answer(InquiryOutcome::kNeedsReconciliation);
  const PaymentRecord* known = Find(batch, input.id);
  if (known == nullptr) {
    // A bank that names this store has prepared the transaction for it: the record made before the prepare (rule 2) has
    // been lost, and with it perhaps a commit.
    if (input.store_id && !Mutated(Defect::kLostRecordPresumedAborted)) {
      return answer(InquiryOutcome::kNeedsReconciliation);
    }
    // Without a record there is no abort to tell of, and the bank asks again.
    if (input.storage_full) return answer(InquiryOutcome::kDecided, Decision::kPending);
    // Rule 7, presumed abort: the abort is on record before anybody acts on it. The bank is kept as both ends, to
    // answer it again.
    PaymentRecord tombstone;
    tombstone.order.id = input.id;
    tombstone.order.from.bank_id = input.bank_id;
    tombstone.order.to.bank_id = input.bank_id;
    tombstone.reason_code = reason::kTransactionAborted;
    Trace trace;
    trace.Add({.kind = StepKind::kInquiry, .leg = 1, .at = batch.now.wall});
    RecordAborted(batch, std::move(tombstone), std::move(trace));
    return answer(InquiryOutcome::kDecided, Decision::kAbort);
  }
  const bool tombstone = known->order.payer.empty();
  if (!tombstone && !Touches(known->order, input.bank_id)) return answer(InquiryOutcome::kNotAParticipant);
  // Its other bank may have been told of a decision that this store has lost.
  if (TouchesBankAhead(known->order)) return answer(InquiryOutcome::kNeedsReconciliation);
  if (Trace* trace = TraceOf(batch, *known)) {
    const std::uint8_t leg = known->order.from.bank_id == input.bank_id ? 1 : 2;
    trace->Add({.kind = StepKind::kInquiry, .leg = leg, .at = batch.now.wall});
  }
  if (IsDecidedCommit(known->state)) return answer(InquiryOutcome::kDecided, Decision::kCommit);
  if (known->state == PaymentState::kAborted) return answer(InquiryOutcome::kDecided, Decision::kAbort);
  answer(InquiryOutcome::kDecided, Mutated(Defect::kUndecidedInquiryAborts) ? Decision::kAbort : Decision::kPending);
}

void Coordinator::Apply(Batch& batch, const ListOpenInput& input) {
  std::vector<Open*> old;
  for (auto at = open_.begin(); at != open_.end(); ++at) {
    if (at->second.record.created_at < input.created_before) old.push_back(&at->second);
  }
  std::ranges::sort(old, {},
                    [](const Open* open) { return std::pair(open->record.created_at, open->record.order.id); });
  ListOpenAnswer answer{.reply_to = input.reply_to, .payments = {}, .total = old.size()};
  for (Open* open : old | std::views::take(input.limit)) {
    ListOpenAnswer::Payment& payment = answer.payments.emplace_back(open->record);
    for (const Leg& leg : open->all_legs()) {
      payment.banks.push_back({leg.bank_id, leg.answered, leg.unreachable, leg.attempts});
    }
  }
  batch.effects.list_open_answers.push_back(std::move(answer));
}

void Coordinator::Apply(Batch& batch, RegisterInput& input) {
  NoticeWhatIsSeen(batch, input.bank.bank_id, input.store_id, input.sequence);
  if (input.storage_full && !banks_.Knows(input.bank)) {
    batch.effects.register_answers.push_back({.reply_to = input.reply_to, .storage_full = true, .bank = {}});
    return;
  }
  const bool was_silent = banks_.IsSilent(input.bank.bank_id);
  const auto registration = banks_.Register(input.bank, batch.now.wall);
  if (registration == BankDirectory::Registration::kTooManyBanks) {
    batch.effects.register_answers.push_back({.reply_to = input.reply_to, .bank = {}});
    return;
  }
  if (registration != BankDirectory::Registration::kUnchanged) batch.effects.banks.push_back(input.bank);
  if (was_silent) RetryNow(batch, input.bank.bank_id);
  batch.effects.register_answers.push_back(
      {.reply_to = input.reply_to, .accepted = true, .bank = std::move(input.bank)});
}

void Coordinator::Apply(Batch& batch, const ReconciledInput& input) {
  const std::uint64_t claimed = banks_.EndAhead(input.bank_id);
  if (claimed == 0) return;
  sequence_ = std::max(sequence_, claimed);
  if (const BankRecord* record = banks_.Registered(input.bank_id)) batch.effects.banks.push_back(*record);
}

}  // namespace strife::protocol
