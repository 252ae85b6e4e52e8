#include "rpc/trace_convert.h"

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"
#include "rpc/convert.h"

namespace strife::rpc {
namespace {

using protocol::BankTransactionState;
using protocol::CommandOutcome;
using protocol::PaymentOrder;
using protocol::StepKind;
using protocol::TraceStep;

// The values of the enumerations are those of the records, which are never renumbered.
static_assert(static_cast<int>(StepKind::kReceived) == v1::TRACE_EVENT_RECEIVED);
static_assert(static_cast<int>(StepKind::kAbort) == v1::TRACE_EVENT_ABORT);
static_assert(static_cast<int>(StepKind::kReplied) == v1::TRACE_EVENT_REPLIED);
static_assert(static_cast<int>(protocol::kLastStepKind) == v1::TRACE_EVENT_LEFT_OUT);
static_assert(static_cast<int>(CommandOutcome::kYes) == v1::TRACE_OUTCOME_YES);
static_assert(static_cast<int>(CommandOutcome::kMixedAcknowledged) == v1::TRACE_OUTCOME_MIXED_ACKNOWLEDGED);
static_assert(static_cast<int>(BankTransactionState::kPrepared) == v1::BANK_TRANSACTION_STATE_PREPARED);

template <typename Steps>
std::vector<TraceStep> ReadSteps(const Steps& steps, const PaymentOrder* order) {
  std::vector<TraceStep> read;
  for (const v1::TraceStep& step : steps) {
    if (read.size() > limits::kMaxTraceSteps) break;  // one more for what was under way
    if (auto one = FromProto(step, order)) read.push_back(*one);
  }
  return read;
}

std::optional<BankTransactionState> ReadState(v1::BankTransactionState state) {
  if (state < v1::BANK_TRANSACTION_STATE_PREPARED || state > v1::BANK_TRANSACTION_STATE_ABORTED) return std::nullopt;
  return static_cast<BankTransactionState>(state);
}

}  // namespace

void ToProto(const TraceStep& step, const PaymentOrder* order, v1::TraceStep& out) {
  out.set_event(static_cast<v1::TraceEvent>(step.kind));
  ToProto(step.at, *out.mutable_at());
  if (step.until) ToProto(*step.until, *out.mutable_until());
  if (order != nullptr && step.leg == 1) out.set_bank_id(order->from.bank_id);
  if (order != nullptr && step.leg == 2) out.set_bank_id(order->to.bank_id);
  if (step.outcome) out.set_outcome(static_cast<v1::TraceOutcome>(*step.outcome));
  out.set_count(step.count);
  out.set_gateway_epoch(step.epoch);
}

void ToProto(const PaymentTrace& trace, v1::PaymentTrace& out) {
  const PaymentOrder& order = trace.payment.order;
  ToProto(trace.payment, *out.mutable_payment());
  out.set_payer(order.payer);
  if (trace.trace.context) out.set_traceparent(protocol::ToTraceparent(*trace.trace.context));
  for (const TraceStep& step : trace.trace.steps) ToProto(step, &order, *out.add_steps());
  for (const BankTrace& bank : trace.banks) {
    v1::BankTrace& one = *out.add_banks();
    one.set_bank_id(bank.bank_id);
    one.set_reached(bank.problem.empty());
    one.set_problem(bank.problem);
    if (bank.problem.empty()) {
      one.set_state(bank.state ? static_cast<v1::BankTransactionState>(*bank.state) : v1::BANK_TRANSACTION_STATE_NONE);
    }
    one.set_reason_code(bank.reason_code);
    for (const TraceStep& step : bank.steps) ToProto(step, nullptr, *one.add_steps());
  }
}

std::optional<TraceStep> FromProto(const v1::TraceStep& in, const PaymentOrder* order) {
  const auto at = FromProto(in.at());
  if (!at || in.event() <= v1::TRACE_EVENT_UNSPECIFIED || in.event() > v1::TRACE_EVENT_LEFT_OUT) return std::nullopt;
  TraceStep step{.kind = static_cast<StepKind>(in.event()),
                 .count = std::max(in.count(), 1u),
                 .epoch = in.gateway_epoch(),
                 .at = *at};
  if (in.has_until()) {
    step.until = FromProto(in.until());
    if (!step.until) return std::nullopt;
  }
  if (in.outcome() > v1::TRACE_OUTCOME_MIXED_ACKNOWLEDGED || in.outcome() < 0) return std::nullopt;
  if (in.outcome() != v1::TRACE_OUTCOME_UNSPECIFIED) step.outcome = static_cast<CommandOutcome>(in.outcome());
  if (order != nullptr && !in.bank_id().empty()) {
    if (in.bank_id() != order->from.bank_id && in.bank_id() != order->to.bank_id) return std::nullopt;
    step.leg = in.bank_id() == order->from.bank_id ? 1 : 2;
  }
  return step;
}

BankTrace FromProto(const std::string& bank_id, const v1::GetTransactionStatusResponse& response) {
  return {.bank_id = bank_id,
          .problem = {},
          .state = ReadState(response.state()),
          .reason_code = Sanitize(response.reason_code(), limits::kMaxReasonCodeBytes),
          .steps = ReadSteps(response.steps(), nullptr)};
}

std::optional<PaymentTrace> FromProto(const v1::PaymentTrace& in) {
  auto payment = FromProto(in.payment());
  if (!payment) return std::nullopt;
  PaymentTrace trace{.payment = *std::move(payment), .trace = {}, .banks = {}};
  trace.payment.order.payer = Sanitize(in.payer(), limits::kMaxUsernameBytes);
  trace.trace.context = protocol::ParseTraceparent(in.traceparent());
  trace.trace.steps = ReadSteps(in.steps(), &trace.payment.order);
  for (const v1::BankTrace& bank : in.banks()) {
    if (trace.banks.size() == 2) break;
    BankTrace& one = trace.banks.emplace_back();
    one.bank_id = Sanitize(bank.bank_id(), limits::kMaxBankIdBytes);
    one.problem = bank.reached() ? "" : Sanitize(bank.problem(), limits::kMaxReasonMessageBytes);
    if (!bank.reached() && one.problem.empty()) one.problem = "it could not be asked";
    one.state = ReadState(bank.state());
    one.reason_code = Sanitize(bank.reason_code(), limits::kMaxReasonCodeBytes);
    one.steps = ReadSteps(bank.steps(), nullptr);
  }
  return trace;
}

}  // namespace strife::rpc
