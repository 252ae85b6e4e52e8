#include "rpc/call_log.h"

#include <string_view>

#include "base/currency.h"
#include "rpc/code_name.h"
#include "rpc/convert.h"
#include "rpc/trace_metadata.h"
#include "strife/v1/bank.pb.h"
#include "strife/v1/gateway.pb.h"

namespace strife::rpc {
namespace {

using google::protobuf::MessageLite;

struct AnsweredCall {
  const http2::Call& call;
  std::string_view method;  // "ProcessPayment"
  int code;
  const MessageLite* request;
  const MessageLite* response;
  Duration duration;
};

void AddTraceId(LogLine& line, const http2::Call& call) {
  if (const auto trace = TraceContextOf(call)) line.Add("trace_id", protocol::TraceIdText(*trace));
}

void AddPayment(LogLine& line, const AnsweredCall& answered) {
  if (const auto* request = static_cast<const v1::ProcessPaymentRequest*>(answered.request)) {
    line.Add("id", request->transaction_id());
    line.Add("from_bank", request->from().bank_id()).Add("to_bank", request->to().bank_id());
    if (const auto amount = FromProto(request->amount())) line.Add(*amount);
  }
  AddTraceId(line, answered.call);
  if (const auto* response = static_cast<const v1::ProcessPaymentResponse*>(answered.response)) {
    line.Add("state", v1::PaymentState_Name(response->payment().state()));
    if (!response->payment().reason_code().empty()) line.Add("reason", response->payment().reason_code());
  }
}

void AddPayments(LogLine& line, const AnsweredCall& answered) {
  if (const auto* request = static_cast<const v1::ProcessPaymentsRequest*>(answered.request)) {
    line.Add("payments", request->payments_size());
  }
  AddTraceId(line, answered.call);
}

void AddBatch(LogLine& line, const AnsweredCall& answered) {
  if (const auto* request = static_cast<const v1::ExecuteBatchRequest*>(answered.request)) {
    line.Add("commands", request->commands_size());
  }
}

void AddIdentity(LogLine& line, const AnsweredCall& answered) { line.Add("identity", answered.call.peer().who); }

void AddRegistration(LogLine& line, const AnsweredCall& answered) {
  AddIdentity(line, answered);
  if (const auto* request = static_cast<const v1::RegisterBankRequest*>(answered.request)) {
    line.Add("bank", request->bank_id()).Add("endpoint", request->endpoint());
  }
}

void Write(Logger* log, const char* event, const AnsweredCall& answered, void (*add)(LogLine&, const AnsweredCall&)) {
  if (log == nullptr || !log->Enabled(LogLevel::kInfo)) return;
  LogLine line(event);
  line.Add("method", answered.method);
  line.Add("peer", answered.call.peer().name);
  add(line, answered);
  line.Add("code", CodeName(static_cast<std::size_t>(answered.code)));
  line.Add("duration_us", answered.duration);
  log->Write(LogLevel::kInfo, line);
}

}  // namespace

void CallLog::Answered(const http2::Call& call, const security::MethodPolicy* policy, int code,
                       const MessageLite* request, const MessageLite* response, Clock& clock) const {
  const Duration duration = clock.Read().monotonic - call.began();
  if (stats != nullptr && policy != nullptr) {
    MethodStats& method = stats->Of(*policy);
    method.ended[static_cast<std::size_t>(code)].Add();
    method.duration.Add(duration);
  }
  const std::string_view path = call.path();
  const AnsweredCall answered{call, path.substr(path.rfind('/') + 1), code, request, response, duration};
  Write(rpc, "rpc", answered, AddIdentity);
  if (answered.method == "ProcessPayment") Write(transactions, "payment_call", answered, AddPayment);
  if (answered.method == "ProcessPayments") Write(transactions, "payments_call", answered, AddPayments);
  if (answered.method == "ExecuteBatch") Write(transactions, "batch_call", answered, AddBatch);
  if (answered.method == "RegisterBank") Write(registrations, "bank_registration", answered, AddRegistration);
}

}  // namespace strife::rpc
