// The bytes of a payment's trace, as a damaged or hostile database may hold them: read, gone on with, shown.
#include "cli/trace_view.h"
#include "fuzz.h"
#include "protocol/trace.h"
#include "rpc/trace_convert.h"

namespace strife {
namespace {

using protocol::StepKind;
using protocol::Trace;

const WallTime kBase(std::chrono::seconds(1'800'000'000));

void Show(const Trace& trace) {
  cli::TraceSources sources;
  rpc::PaymentTrace& payment = sources.trace.emplace();
  payment.payment.order = {Uuid{{1}}, "user1", {"bank1", "a"}, {"bank2", "b"}, {1, *Currency::Parse("USD")}, ""};
  payment.payment.created_at = payment.payment.updated_at = kBase;
  payment.trace = trace;
  payment.banks = {{.bank_id = "bank1", .problem = {}, .state = {}, .reason_code = {}, .steps = trace.steps}};
  v1::PaymentTrace message;
  rpc::ToProto(payment, message);
  const auto read = rpc::FromProto(message);
  STRIFE_ASSERT(read && read->trace.steps.size() == trace.steps.size());
  for (const auto state : {protocol::PaymentState::kInitiated, protocol::PaymentState::kCompleted,
                           protocol::PaymentState::kAborted, protocol::PaymentState::kPartialCommit}) {
    payment.payment.state = state;
    STRIFE_ASSERT(IsPrintableUtf8(cli::Explanation(sources)));
    STRIFE_ASSERT(!cli::TraceText(sources).empty());
    STRIFE_ASSERT(cli::TraceJson(sources)["steps"].size() == 2 * trace.steps.size());
  }
}

FUZZ_TARGET(trace) {
  static_cast<void>(Trace::ContextOf(input));
  auto trace = Trace::Decode(input, kBase);
  if (!trace) return;
  STRIFE_ASSERT(trace->steps.size() <= limits::kMaxTraceSteps);
  const std::string bytes = trace->Encode(kBase, protocol::kGatewayTraceBytes);
  STRIFE_ASSERT(bytes.size() <= limits::kMaxTraceBytes);
  STRIFE_ASSERT(Trace::Decode(bytes, kBase) == trace);
  STRIFE_ASSERT(Trace::ContextOf(bytes) == trace->context);
  Show(*trace);
  for (std::uint32_t n = 0; n < 2 * limits::kMaxTraceSteps; ++n) {
    trace->Add({.kind = StepKind::kTakenUp, .epoch = n, .at = kBase});
  }
  trace->Durable(kBase);
  STRIFE_ASSERT(trace->steps.size() == limits::kMaxTraceSteps);
  STRIFE_ASSERT(Trace::Decode(trace->Encode(kBase, 0), kBase) == trace);
}

}  // namespace
}  // namespace strife
