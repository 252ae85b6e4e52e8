#include "rpc/interceptors.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/server_context.h>

#include <chrono>
#include <string_view>

#include "base/currency.h"
#include "rpc/admission.h"
#include "rpc/code_name.h"
#include "rpc/convert.h"
#include "rpc/trace_metadata.h"
#include "strife/v1/bank.pb.h"
#include "strife/v1/gateway.pb.h"

namespace strife::rpc {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;

std::string_view ShortName(std::string_view method) { return method.substr(method.rfind('/') + 1); }

std::string PeerIdentity(const grpc::ServerContextBase& context) {
  const auto auth = context.auth_context();
  const auto values =
      auth ? auth->FindPropertyValues(GRPC_PEER_SPIFFE_ID_PROPERTY_NAME) : std::vector<grpc::string_ref>{};
  return values.empty() ? "none" : std::string(values[0].data(), values[0].size());
}

// How often the client has sent this request, as it says; 1 when it does not.
std::string Attempt(const ServerRpcInfo& info, grpc::ServerContextBase& context) {
  static_cast<void>(info);
  const auto& metadata = static_cast<grpc::CallbackServerContext&>(context).client_metadata();
  const auto found = metadata.find("strife-attempt");
  return found == metadata.end() ? "1"
                                 : std::string(found->second.data(), std::min<std::size_t>(found->second.size(), 4));
}

// Writes one line when the call is answered.
class CallLog : public grpc::experimental::Interceptor {
 public:
  CallLog(ServerRpcInfo& info, Logger& log)
      : context_(*info.server_context()), info_(info), log_(log), started_(std::chrono::steady_clock::now()) {}

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_MESSAGE)) {
      // There is none when the call has ended before it was read.
      if (const void* request = methods->GetRecvMessage()) OnRequest(request);
    }
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS) && log_.Enabled(LogLevel::kInfo)) {
      const grpc::Status status = methods->GetSendStatus();
      LogLine line(Event());
      line.Add("method", ShortName(info_.method()));
      line.Add("peer", PeerAddress(context_));
      const void* response = methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_MESSAGE)
                                 ? methods->GetSendMessage()
                                 : nullptr;
      AddTo(line, response);
      line.Add("code", CodeName(static_cast<std::size_t>(status.error_code())));
      line.Add("duration_us", std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - started_));
      log_.Write(LogLevel::kInfo, line);
    }
    methods->Proceed();
  }

 protected:
  virtual std::string_view Event() const { return "rpc"; }
  virtual void OnRequest(const void*) {}
  virtual void AddTo(LogLine& line, const void*) { line.Add("identity", PeerIdentity(context_)); }
  void AddTraceId(LogLine& line) {
    const auto trace = TraceContextOf(static_cast<grpc::CallbackServerContext&>(context_));
    if (trace) line.Add("trace_id", protocol::TraceIdText(*trace));
  }

  grpc::ServerContextBase& context_;
  ServerRpcInfo& info_;

 private:
  Logger& log_;
  const std::chrono::steady_clock::time_point started_;
};

class PaymentCallLog final : public CallLog {
 public:
  using CallLog::CallLog;

 private:
  std::string_view Event() const override { return "payment_call"; }

  void OnRequest(const void* message) override { request_ = static_cast<const v1::ProcessPaymentRequest*>(message); }

  void AddTo(LogLine& line, const void* message) override {
    if (request_ != nullptr) {
      line.Add("id", request_->transaction_id());
      line.Add("from_bank", request_->from().bank_id()).Add("to_bank", request_->to().bank_id());
      if (const auto amount = FromProto(request_->amount())) line.Add(*amount);
    }
    line.Add("attempt", Attempt(info_, context_));
    AddTraceId(line);
    if (const auto* response = static_cast<const v1::ProcessPaymentResponse*>(message)) {
      line.Add("state", v1::PaymentState_Name(response->payment().state()));
      if (!response->payment().reason_code().empty()) line.Add("reason", response->payment().reason_code());
    }
  }

  const v1::ProcessPaymentRequest* request_ = nullptr;
};

class PaymentsCallLog final : public CallLog {
 public:
  using CallLog::CallLog;

 private:
  std::string_view Event() const override { return "payments_call"; }
  void OnRequest(const void* message) override {
    payments_ = static_cast<const v1::ProcessPaymentsRequest*>(message)->payments_size();
  }
  void AddTo(LogLine& line, const void*) override {
    line.Add("payments", payments_).Add("attempt", Attempt(info_, context_));
    AddTraceId(line);
  }

  int payments_ = 0;
};

class BatchCallLog final : public CallLog {
 public:
  using CallLog::CallLog;

 private:
  std::string_view Event() const override { return "batch_call"; }
  void OnRequest(const void* message) override {
    commands_ = static_cast<const v1::ExecuteBatchRequest*>(message)->commands_size();
  }
  void AddTo(LogLine& line, const void*) override { line.Add("commands", commands_); }

  int commands_ = 0;
};

class RegistrationCallLog final : public CallLog {
 public:
  using CallLog::CallLog;

 private:
  std::string_view Event() const override { return "bank_registration"; }
  void OnRequest(const void* message) override { request_ = static_cast<const v1::RegisterBankRequest*>(message); }
  void AddTo(LogLine& line, const void*) override {
    line.Add("identity", PeerIdentity(context_));
    if (request_ != nullptr) line.Add("bank", request_->bank_id()).Add("endpoint", request_->endpoint());
  }

  const v1::RegisterBankRequest* request_ = nullptr;
};

class RpcLogFactory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit RpcLogFactory(Logger& log) : log_(log) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(ServerRpcInfo* info) override {
    return new CallLog(*info, log_);  // gRPC takes ownership
  }

 private:
  Logger& log_;
};

class TransactionLogFactory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit TransactionLogFactory(Logger& log) : log_(log) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(ServerRpcInfo* info) override {
    const std::string_view method = ShortName(info->method());
    if (method == "ProcessPayment") return new PaymentCallLog(*info, log_);
    if (method == "ProcessPayments") return new PaymentsCallLog(*info, log_);
    if (method == "ExecuteBatch") return new BatchCallLog(*info, log_);
    return nullptr;
  }

 private:
  Logger& log_;
};

class RegistrationLogFactory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit RegistrationLogFactory(Logger& log) : log_(log) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(ServerRpcInfo* info) override {
    return ShortName(info->method()) == "RegisterBank" ? new RegistrationCallLog(*info, log_) : nullptr;
  }

 private:
  Logger& log_;
};

}  // namespace

std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> LoggingInterceptors(
    const ServerOptions& options) {
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> creators;
  if (options.rpc_log) creators.push_back(std::make_unique<RpcLogFactory>(*options.rpc_log));
  if (options.transaction_log) creators.push_back(std::make_unique<TransactionLogFactory>(*options.transaction_log));
  if (options.registration_log) creators.push_back(std::make_unique<RegistrationLogFactory>(*options.registration_log));
  return creators;
}

}  // namespace strife::rpc
