// What the coordinator notes about the way of each payment. Nothing here decides anything.
#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "protocol/coordinator.h"

namespace strife::protocol {
namespace {

// How long steps noted after a payment's end wait for other records to be written with.
constexpr Duration kWriteDelay = std::chrono::seconds(1);

StepKind StepOf(CommandKind kind) {
  switch (kind) {
    case CommandKind::kPrepare:
      return StepKind::kPrepare;
    case CommandKind::kCommit:
      return StepKind::kCommit;
    case CommandKind::kAbort:
      break;
  }
  return StepKind::kAbort;
}

// What the record alone tells: of a payment from before there were traces.
Trace FromRecord(const PaymentRecord& record) {
  Trace trace;
  trace.Add({.kind = StepKind::kRecorded, .epoch = record.epoch, .at = record.created_at});
  if (record.state == PaymentState::kInitiated) return trace;
  const StepKind ended = record.state == PaymentState::kAborted         ? StepKind::kDecidedAbort
                         : record.state == PaymentState::kCompleted     ? StepKind::kCompleted
                         : record.state == PaymentState::kPartialCommit ? StepKind::kLate
                                                                        : StepKind::kDecidedCommit;
  trace.Add({.kind = ended, .at = record.updated_at});
  return trace;
}

// Null when what is stored makes no sense.
std::optional<Trace> Stored(const PaymentRecord& record, const Coordinator::TraceRows& traces) {
  const auto found = traces.find(record.order.id);
  if (found == traces.end() || found->second.empty()) return FromRecord(record);
  return Trace::Decode(found->second, record.created_at);
}

}  // namespace

Trace Coordinator::Resumed(const Now& now, const PaymentRecord& record, const TraceRows& traces, std::uint64_t epoch) {
  Trace trace = Stored(record, traces).value_or(FromRecord(record));
  trace.Add({.kind = StepKind::kTakenUp, .epoch = epoch, .at = now.wall});
  return trace;
}

void Coordinator::NoteCommand(Open& open, const Leg& leg, CommandKind kind, std::optional<CommandOutcome> outcome,
                              std::optional<WallTime> ended_at) {
  const auto number = static_cast<std::uint8_t>(&leg - open.legs.data() + 1);
  open.trace.Add({.kind = StepOf(kind), .leg = number, .outcome = outcome, .at = leg.sent_at, .until = ended_at});
}

Trace* Coordinator::TraceOf(Batch& batch, const PaymentRecord& record) {
  const Uuid& id = record.order.id;
  if (const auto open = open_.find(id); open != open_.end()) return &open->second.trace;
  if (const auto known = unwritten_.find(id); known != unwritten_.end()) return &known->second.trace;
  if (unwritten_.size() >= limits::kMaxUnwrittenTraces) return nullptr;
  auto stored = Stored(record, batch.traces);
  if (!stored) return nullptr;
  const auto [at, inserted] = unwritten_.emplace(id, Unwritten{*std::move(stored), record.created_at, false});
  return &at->second.trace;
}

void Coordinator::WriteTraces(Batch& batch) {
  const bool due = write_traces_at_ && *write_traces_at_ <= batch.now.monotonic;
  const bool write = due || !batch.effects.payments.empty();
  for (auto at = unwritten_.begin(); at != unwritten_.end();) {
    Unwritten& unwritten = at->second;
    if (std::exchange(unwritten.fresh, false) || !write) {
      ++at;
      continue;
    }
    batch.effects.traces.push_back({at->first, unwritten.trace.Encode(unwritten.base, kGatewayTraceBytes)});
    at = unwritten_.erase(at);
  }
  if (unwritten_.empty()) {
    write_traces_at_.reset();
  } else if (write || !write_traces_at_) {
    write_traces_at_ = batch.now.monotonic + kWriteDelay;
  }
}

void Coordinator::Sent(WallTime at) {
  const auto trace_of = [this](const Uuid& id) -> Trace* {
    if (const auto open = open_.find(id); open != open_.end()) return &open->second.trace;
    const auto ended = unwritten_.find(id);
    return ended == unwritten_.end() ? nullptr : &ended->second.trace;
  };
  for (const Uuid& id : std::exchange(recorded_, {})) {
    if (Trace* trace = trace_of(id)) trace->Durable(at);
  }
  for (const Uuid& id : std::exchange(answered_, {})) {
    if (Trace* trace = trace_of(id)) trace->Add({.kind = StepKind::kReplied, .at = at});
  }
}

std::optional<MonotonicTime> Coordinator::NextDeadline() const {
  const auto due = deadlines_.Next();
  if (!due || !write_traces_at_) return due ? due : write_traces_at_;
  return std::min(*due, *write_traces_at_);
}

void Coordinator::Apply(Batch& batch, const TraceInput& input) {
  TraceAnswer answer{.reply_to = input.reply_to, .payment = {}, .trace = {}};
  if (const PaymentRecord* known = Find(batch, input.id)) {
    answer.payment = *known;
    if (const auto open = open_.find(input.id); open != open_.end()) {
      OpenPayment copy = open->second;
      for (const Leg& leg : copy.all_legs()) {
        if (leg.in_transport) NoteCommand(copy, leg, PhaseOf(copy.record.state), std::nullopt, std::nullopt);
      }
      answer.trace = std::move(copy.trace);
    } else if (const auto ended = unwritten_.find(input.id); ended != unwritten_.end()) {
      answer.trace = ended->second.trace;
    } else {
      answer.trace = Stored(*known, batch.traces).value_or(FromRecord(*known));
    }
  }
  batch.effects.trace_answers.push_back(std::move(answer));
}

}  // namespace strife::protocol
