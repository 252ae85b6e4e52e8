#include "cli/trace_story.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "protocol/reason.h"

namespace strife::cli {
namespace {

using protocol::CommandOutcome;
using protocol::OutboxItem;
using protocol::PaymentState;
using protocol::StepKind;
using protocol::TraceStep;
using rpc::BankTrace;
using rpc::PaymentTrace;

const std::string& BankOf(const PaymentTrace& trace, std::uint8_t leg) {
  return leg == 2 ? trace.payment.order.to.bank_id : trace.payment.order.from.bank_id;
}

std::string Times(std::uint32_t count) { return count > 1 ? " (" + std::to_string(count) + " times)" : ""; }

std::string EventName(StepKind kind) {
  constexpr std::array kNames = {"RECEIVED",       "RECORDED",      "PREPARE",  "COMMIT",    "ABORT",
                                 "DECIDED_COMMIT", "DECIDED_ABORT", "LATE",     "COMPLETED", "REPLIED",
                                 "ASKED_AGAIN",    "INQUIRY",       "TAKEN_UP", "FORCED",    "LEFT_OUT"};
  return kNames.at(static_cast<std::size_t>(kind) - 1);
}

std::string Answer(const TraceStep& step) {
  if (!step.outcome) return step.until ? "no answer" : "no answer yet";
  switch (*step.outcome) {
    case CommandOutcome::kYes:
      return "YES";
    case CommandOutcome::kNo:
      return "NO";
    case CommandOutcome::kDone:
      return "done";
    case CommandOutcome::kStale:
      return "refused, it knows a newer gateway";
    case CommandOutcome::kViolation:
      return "refused, it has other records";
    case CommandOutcome::kOverloaded:
      return "busy";
    case CommandOutcome::kMixed:
    case CommandOutcome::kMixedAcknowledged:
      break;
  }
  return "its operators had decided otherwise";
}

// What a client that was answered at this point was told.
std::string ToldAt(const PaymentTrace& trace, const TraceStep& reply) {
  PaymentState told = PaymentState::kInitiated;
  for (const TraceStep& step : trace.trace.steps) {
    if (&step == &reply) break;
    if (step.kind == StepKind::kCompleted) told = PaymentState::kCompleted;
    if (step.kind == StepKind::kDecidedAbort) told = PaymentState::kAborted;
    if (step.kind == StepKind::kLate) told = PaymentState::kPartialCommit;
  }
  return std::string(protocol::StateName(told));
}

std::string GatewayText(const PaymentTrace& trace, const TraceStep& step) {
  const std::string bank = step.leg == 0 ? "" : BankOf(trace, step.leg);
  const std::string answer = ": " + Answer(step) + Times(step.count);
  switch (step.kind) {
    case StepKind::kReceived:
      return "order received";
    case StepKind::kRecorded:
      return "put on record (incarnation " + std::to_string(step.epoch) + ")";
    case StepKind::kPrepare:
      return "asked " + bank + " to prepare" + answer;
    case StepKind::kCommit:
      return "told " + bank + " to commit" + answer;
    case StepKind::kAbort:
      return "told " + bank + " to abort" + answer;
    case StepKind::kDecidedCommit:
      return "decided to commit";
    case StepKind::kDecidedAbort:
      return "decided to abort";
    case StepKind::kLate:
      return "timeout, a bank has not confirmed; goes on";
    case StepKind::kCompleted:
      return "completed, every bank has confirmed";
    case StepKind::kReplied:
      return "told the client " + ToldAt(trace, step);
    case StepKind::kAskedAgain:
      return "same payment again, told how it stands" + Times(step.count);
    case StepKind::kInquiry:
      return "was asked for the decision by " + bank + Times(step.count);
    case StepKind::kTakenUp:
      return "started again, took it up (incarnation " + std::to_string(step.epoch) + ")";
    case StepKind::kForced:
      return "was overruled by operators";
    case StepKind::kLeftOut:
      return "(" + std::to_string(step.count) + " steps left out)";
  }
  return "";
}

bool HasHeld(const BankTrace& bank) {
  return std::ranges::any_of(bank.steps, [](const TraceStep& step) {
    return step.kind == StepKind::kPrepare && step.outcome == CommandOutcome::kYes;
  });
}

std::string BankText(const BankTrace& bank, const TraceStep& step) {
  switch (step.kind) {
    case StepKind::kPrepare:
      if (step.outcome == CommandOutcome::kYes) return "prepare arrived: held, YES" + Times(step.count);
      return "prepare arrived: NO" + (bank.reason_code.empty() ? "" : ", " + bank.reason_code) + Times(step.count);
    case StepKind::kCommit:
      return "commit arrived: " + (step.outcome == CommandOutcome::kDone ? "posted" : Answer(step)) + Times(step.count);
    case StepKind::kAbort:
      return "abort arrived: " +
             (step.outcome != CommandOutcome::kDone ? Answer(step)
              : HasHeld(bank)                       ? "released"
                                                    : "nothing was held") +
             Times(step.count);
    case StepKind::kInquiry:
      return "asked the gateway for the decision" + Times(step.count);
    case StepKind::kTakenUp:
      return "started again, the money still held";
    case StepKind::kForced:
      return "its operators decided in the gateway's place";
    case StepKind::kLeftOut:
      return "(" + std::to_string(step.count) + " steps left out)";
    default:
      return EventName(step.kind);
  }
}

std::string QueueText(const OutboxItem& item) {
  std::string text = "the queue has it as " + std::string(protocol::StateName(item.state));
  if (item.state == protocol::OutboxState::kDone || item.state == protocol::OutboxState::kFollowed) {
    text = "knows: " + std::string(protocol::StateName(item.payment_state));
  }
  return text;
}

void AddQueueLines(const OutboxItem& item, std::vector<TraceLine>& lines) {
  lines.push_back({item.queued_at, std::nullopt, "client", "QUEUED", "put into the queue", {}});
  if (item.first_sent_at) {
    const protocol::TraceStep sent{.count = std::max(item.attempts, 1u)};
    const auto last = item.attempts > 1 ? item.last_sent_at : std::nullopt;
    lines.push_back({*item.first_sent_at, last, "client", "SENT", "sent" + Times(item.attempts), sent});
  }
  if (item.updated_at == item.queued_at || (item.last_sent_at && item.updated_at == *item.last_sent_at)) return;
  lines.push_back(
      {item.updated_at, std::nullopt, "client", std::string(protocol::StateName(item.state)), QueueText(item), {}});
}

const TraceStep* Find(const std::vector<TraceStep>& steps, const auto& wanted) {
  const auto found = std::ranges::find_if(steps, wanted);
  return found == steps.end() ? nullptr : &*found;
}
const TraceStep* Find(const std::vector<TraceStep>& steps, StepKind kind) {
  return Find(steps, [&](const TraceStep& step) { return step.kind == kind; });
}

// To stand inside a sentence.
std::string ReasonText(const protocol::PaymentRecord& payment) {
  std::string message = payment.message;
  if (message.ends_with('.')) message.pop_back();
  return message.empty() ? payment.reason_code : payment.reason_code + " " + message;
}

// "bank2 did not answer (4 attempts)", of the last command of this kind that got no answer.
std::string Unanswered(const PaymentTrace& trace, StepKind kind) {
  std::string text;
  for (const TraceStep& step : trace.trace.steps) {
    if (step.kind != kind || step.outcome) continue;
    text += (text.empty() ? "" : " and ") + BankOf(trace, step.leg) + " did not answer";
    if (step.count > 1) text += " " + std::to_string(step.count) + " times";
  }
  return text;
}

std::string Aborted(const PaymentTrace& trace) {
  namespace reason = protocol::reason;
  const protocol::PaymentRecord& payment = trace.payment;
  const std::string nothing = "; nothing was moved.";
  const TraceStep* no = Find(trace.trace.steps, [](const TraceStep& step) {
    return step.kind == StepKind::kPrepare && step.outcome == CommandOutcome::kNo;
  });
  if (no != nullptr) return "Declined by " + BankOf(trace, no->leg) + " (" + ReasonText(payment) + ")" + nothing;
  const std::string unanswered = Unanswered(trace, StepKind::kPrepare);
  if (payment.reason_code == reason::kGatewayRestarted) {
    return "Given up: the gateway stopped before every bank had voted, and found it undecided when it was started "
           "again" +
           nothing;
  }
  if (payment.reason_code == reason::kOrderCancelled) {
    return "Given up by its user, who had no answer, before it had begun" + nothing;
  }
  if (payment.reason_code == reason::kBankOffline) {
    const TraceStep* busy = Find(trace.trace.steps, [](const TraceStep& step) {
      return step.kind == StepKind::kPrepare && step.outcome == CommandOutcome::kOverloaded;
    });
    if (unanswered.empty() && busy != nullptr) {
      return "Declined: " + BankOf(trace, busy->leg) + " did not take the request in time and counts as away" + nothing;
    }
    if (unanswered.empty()) {
      return "Declined: " + BankOf(trace, 1) + " or " + BankOf(trace, 2) + " counted as away, so neither was asked" +
             nothing;
    }
    return "Declined: " + unanswered + " and counts as away" + nothing;
  }
  if (payment.reason_code == reason::kTimeoutDebtorAgent || payment.reason_code == reason::kTimeoutCreditorAgent) {
    const std::string& bank =
        payment.reason_code == reason::kTimeoutDebtorAgent ? payment.order.from.bank_id : payment.order.to.bank_id;
    return "Declined: " + bank + " did not answer within the transaction timeout" + nothing;
  }
  return "Declined (" + ReasonText(payment) + ")" + nothing;
}

std::string Restarted(const PaymentTrace& trace) {
  const auto restarts = std::ranges::count(trace.trace.steps, StepKind::kTakenUp, &TraceStep::kind);
  if (restarts == 0) return "";
  return restarts == 1 ? "the gateway was started again in between"
                       : "the gateway was started again " + std::to_string(restarts) + " times in between";
}

std::string Completed(const PaymentTrace& trace) {
  const auto& steps = trace.trace.steps;
  const std::string restarted = Restarted(trace);
  const TraceStep* decided = Find(steps, StepKind::kDecidedCommit);
  const TraceStep* completed = Find(steps, StepKind::kCompleted);
  if (Find(steps, StepKind::kLate) != nullptr && decided != nullptr && completed != nullptr) {
    const TraceStep* last = nullptr;  // to confirm
    for (const TraceStep& step : steps) {
      if (step.kind == StepKind::kCommit && step.outcome == CommandOutcome::kDone &&
          (last == nullptr || last->until < step.until)) {
        last = &step;
      }
    }
    std::string why = Unanswered(trace, StepKind::kCommit);
    if (!restarted.empty()) why += (why.empty() ? "" : ", and ") + restarted;
    return "Completed late: " + (last == nullptr ? "a bank" : BankOf(trace, last->leg)) + " confirmed only " +
           SpanText(completed->at - decided->at) + " after the decision" + (why.empty() ? "." : ": " + why + ".");
  }
  if (!restarted.empty()) return "Completed; " + restarted + " and finished it.";
  const TraceStep* first = steps.empty() ? nullptr : &steps.front();
  if (first == nullptr || completed == nullptr) return "Completed.";
  return "Completed in " + SpanText(completed->until.value_or(completed->at) - first->at) + ".";
}

std::string Open(const PaymentTrace& trace) {
  std::string waits;
  const bool decided = protocol::IsDecidedCommit(trace.payment.state);
  for (const TraceStep& step : trace.trace.steps) {
    if (step.kind != (decided ? StepKind::kCommit : StepKind::kPrepare) || step.outcome) continue;
    const std::string& bank = BankOf(trace, step.leg);
    if (waits.find(bank) == std::string::npos) waits += (waits.empty() ? "" : " and ") + bank;
  }
  if (waits.empty()) waits = "a bank";
  if (trace.payment.reason_code == protocol::reason::kHeuristicMixed) {
    return "Decided to commit, but " + ReasonText(trace.payment) + "; its operators must settle the difference.";
  }
  if (decided) return "Decided to commit; waits for " + waits + " to confirm, and completes by itself.";
  return "Not decided yet: waits for the vote of " + waits + ".";
}

std::string OfGateway(const PaymentTrace& trace) {
  switch (trace.payment.state) {
    case PaymentState::kAborted:
      return Aborted(trace);
    case PaymentState::kCompleted:
      return Completed(trace);
    default:
      return Open(trace);
  }
}

}  // namespace

std::string SpanText(Duration span) {
  const std::int64_t us = span.count();
  std::array<char, 48> text{};
  const auto decimal = [&](double value, int decimals, const char* unit) {
    std::snprintf(text.data(), text.size(), "%.*f %s", decimals, value, unit);
    return std::string(text.data());
  };
  if (us < 0) return "-" + SpanText(Duration(-us));
  if (us < 1000) return std::to_string(us) + " us";
  if (us < 1'000'000) return decimal(static_cast<double>(us) / 1e3, 1, "ms");
  if (us < 60'000'000) return decimal(static_cast<double>(us) / 1e6, 2, "s");
  const std::int64_t seconds = us / 1'000'000;
  if (seconds < 3600) return std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
  return std::to_string(seconds / 3600) + " h " + std::to_string(seconds % 3600 / 60) + " min";
}

std::vector<TraceLine> TraceLines(const TraceSources& sources) {
  std::vector<TraceLine> lines;
  if (sources.queued) AddQueueLines(*sources.queued, lines);
  if (sources.trace) {
    for (const TraceStep& step : sources.trace->trace.steps) {
      lines.push_back({step.at, step.until, "gateway", EventName(step.kind), GatewayText(*sources.trace, step), step});
    }
    for (const BankTrace& bank : sources.trace->banks) {
      for (const TraceStep& step : bank.steps) {
        lines.push_back({step.at, step.until, bank.bank_id, EventName(step.kind), BankText(bank, step), step});
      }
    }
  }
  std::ranges::stable_sort(lines, {}, &TraceLine::at);
  return lines;
}

std::string Explanation(const TraceSources& sources) {
  if (!sources.trace) {
    const OutboxItem& item = *sources.queued;
    if (item.may_have_arrived) return "In the queue: it was sent, and what became of it is not known yet.";
    return "In the queue: it has not been sent; the gateway knows nothing of it.";
  }
  std::string text = OfGateway(*sources.trace);
  const auto& steps = sources.trace->trace.steps;
  if (const TraceStep* again = Find(steps, StepKind::kAskedAgain)) {
    text += " The same id came " + std::string(again->count == 1 ? "once" : std::to_string(again->count) + " times") +
            " more; it was paid " + (sources.trace->payment.state == PaymentState::kAborted ? "never." : "once.");
  }
  if (sources.queued && !steps.empty()) {
    const Duration waited = steps.front().at - sources.queued->queued_at;
    if (waited >= std::chrono::seconds(1)) {
      text += " It had waited in this client's queue for " + SpanText(waited) + ".";
    }
  }
  return text;
}

}  // namespace strife::cli
