#include <atomic>
#include <utility>

#include "base/limits.h"
#include "rpc/admin_server.h"
#include "rpc/convert.h"
#include "rpc/gateway_api.h"
#include "rpc/gateway_request.h"
#include "rpc/listener.h"
#include "rpc/serve.h"
#include "rpc/trace_convert.h"
#include "rpc/trace_metadata.h"
#include "strife/v1/gateway.grpc.pb.h"

namespace strife::rpc {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using protocol::PaymentRecord;
using protocol::PaymentState;

template <typename Response>
void FillGrant(SessionGrant grant, Response& response) {
  response.set_access_token(std::move(grant.access_token));
  ToProto(grant.expires_at, *response.mutable_expires_at());
  response.set_refresh_token(std::move(grant.refresh_token));
  ToProto(grant.refresh_expires_at, *response.mutable_refresh_expires_at());
  for (const protocol::AccountRef& account : grant.accounts) ToProto(account, *response.add_accounts());
}

// Collects the answers of a batch; the last one finishes the call. Each answer has a slot of its own, so the threads
// that give them only share the counter.
class BatchAnswer {
 public:
  BatchAnswer(int count, Done<Nothing> done, v1::ProcessPaymentsResponse& response)
      : left_(count), done_(std::move(done)), response_(response) {
    for (int i = 0; i < count; ++i) response_.add_results();
  }

  void Set(int index, ApiResult<PaymentRecord> result) {
    v1::ProcessPaymentsResponse::Result& slot = *response_.mutable_results(index);
    if (result) {
      slot.set_success(result->state == PaymentState::kCompleted);
      ToProto(*result, *slot.mutable_payment());
    } else {
      slot.set_grpc_code(static_cast<int>(result.error().code));
      FillErrorDetail(result.error(), *slot.mutable_error());
    }
    if (left_.fetch_sub(1) == 1) done_(Nothing{});
  }

 private:
  std::atomic<int> left_;
  Done<Nothing> done_;
  v1::ProcessPaymentsResponse& response_;
};

class GatewayService final : public v1::PaymentGateway::CallbackService {
 public:
  GatewayService(AdmissionOptions admission, GatewayApi& api, Clock& clock)
      : admission_(std::move(admission), clock), api_(api) {}

  ServerUnaryReactor* AuthenticateClient(CallbackServerContext* context, const v1::AuthenticateClientRequest* request,
                                         v1::AuthenticateClientResponse* response) override {
    return Serve<SessionGrant>(
        admission_, context, "/strife.v1.PaymentGateway/AuthenticateClient", *request, response,
        [&](Caller caller, Done<SessionGrant> done) {
          api_.AuthenticateClient(std::move(caller), request->username(), request->password(), std::move(done));
        },
        FillGrant<v1::AuthenticateClientResponse>);
  }

  ServerUnaryReactor* RefreshSession(CallbackServerContext* context, const v1::RefreshSessionRequest* request,
                                     v1::RefreshSessionResponse* response) override {
    return Serve<SessionGrant>(
        admission_, context, "/strife.v1.PaymentGateway/RefreshSession", *request, response,
        [&](Caller caller, Done<SessionGrant> done) {
          api_.RefreshSession(std::move(caller), request->refresh_token(), std::move(done));
        },
        FillGrant<v1::RefreshSessionResponse>);
  }

  ServerUnaryReactor* LogoutClient(CallbackServerContext* context, const v1::LogoutClientRequest* request,
                                   v1::LogoutClientResponse* response) override {
    return Serve<Nothing>(
        admission_, context, "/strife.v1.PaymentGateway/LogoutClient", *request, response,
        [&](Caller caller, Done<Nothing> done) { api_.LogoutClient(std::move(caller), std::move(done)); },
        [](Nothing, v1::LogoutClientResponse&) {});
  }

  ServerUnaryReactor* ProcessPayment(CallbackServerContext* context, const v1::ProcessPaymentRequest* request,
                                     v1::ProcessPaymentResponse* response) override {
    return Serve<PaymentRecord>(
        admission_, context, "/strife.v1.PaymentGateway/ProcessPayment", *request, response,
        [&](Caller caller, Done<PaymentRecord> done) {
          if (auto refused = admission_.limits().Payments(caller.claims->username, 1)) {
            return done(std::unexpected(*std::move(refused)));
          }
          PaymentRequest payment = FromProto(*request);
          payment.trace = TraceContextOf(*context);
          api_.ProcessPayment(std::move(caller), std::move(payment), std::move(done));
        },
        [](const PaymentRecord& payment, v1::ProcessPaymentResponse& out) {
          out.set_success(payment.state == PaymentState::kCompleted);
          ToProto(payment, *out.mutable_payment());
        });
  }

  ServerUnaryReactor* ProcessPayments(CallbackServerContext* context, const v1::ProcessPaymentsRequest* request,
                                      v1::ProcessPaymentsResponse* response) override {
    return Serve<Nothing>(
        admission_, context, "/strife.v1.PaymentGateway/ProcessPayments", *request, response,
        [&, context](const Caller& caller, Done<Nothing> done) {
          StartBatch(*context, caller, *request, *response, std::move(done));
        },
        [](Nothing, v1::ProcessPaymentsResponse&) {});
  }

  ServerUnaryReactor* CancelPayment(CallbackServerContext* context, const v1::CancelPaymentRequest* request,
                                    v1::CancelPaymentResponse* response) override {
    return Serve<PaymentRecord>(
        admission_, context, "/strife.v1.PaymentGateway/CancelPayment", *request, response,
        [&](Caller caller, Done<PaymentRecord> done) {
          if (auto refused = admission_.limits().Payments(caller.claims->username, 1)) {
            return done(std::unexpected(*std::move(refused)));
          }
          api_.CancelPayment(std::move(caller), FromProto(request->payment()), std::move(done));
        },
        [](const PaymentRecord& payment, v1::CancelPaymentResponse& out) { ToProto(payment, *out.mutable_payment()); });
  }

  ServerUnaryReactor* GetPayment(CallbackServerContext* context, const v1::GetPaymentRequest* request,
                                 v1::GetPaymentResponse* response) override {
    return Serve<PaymentRecord>(
        admission_, context, "/strife.v1.PaymentGateway/GetPayment", *request, response,
        [&](Caller caller, Done<PaymentRecord> done) {
          api_.GetPayment(std::move(caller), request->transaction_id(), std::move(done));
        },
        [](const PaymentRecord& payment, v1::GetPaymentResponse& out) { ToProto(payment, *out.mutable_payment()); });
  }

  ServerUnaryReactor* TracePayment(CallbackServerContext* context, const v1::TracePaymentRequest* request,
                                   v1::TracePaymentResponse* response) override {
    return Serve<PaymentTrace>(
        admission_, context, "/strife.v1.PaymentGateway/TracePayment", *request, response,
        [&](Caller caller, Done<PaymentTrace> done) {
          api_.TracePayment(std::move(caller), request->transaction_id(), std::move(done));
        },
        [](const PaymentTrace& trace, v1::TracePaymentResponse& out) { ToProto(trace, *out.mutable_trace()); });
  }

  ServerUnaryReactor* CheckBalance(CallbackServerContext* context, const v1::CheckBalanceRequest* request,
                                   v1::CheckBalanceResponse* response) override {
    return Serve<Balance>(
        admission_, context, "/strife.v1.PaymentGateway/CheckBalance", *request, response,
        [&](Caller caller, Done<Balance> done) {
          api_.CheckBalance(std::move(caller), request->bank_id(), std::move(done));
        },
        [](Balance balance, v1::CheckBalanceResponse& out) {
          ToProto(balance.posted, *out.mutable_posted());
          ToProto(balance.held, *out.mutable_held());
          ToProto(balance.available, *out.mutable_available());
          ToProto(balance.as_of, *out.mutable_as_of());
        });
  }

  ServerUnaryReactor* ViewTransactionHistory(CallbackServerContext* context,
                                             const v1::ViewTransactionHistoryRequest* request,
                                             v1::ViewTransactionHistoryResponse* response) override {
    return Serve<HistoryPage>(
        admission_, context, "/strife.v1.PaymentGateway/ViewTransactionHistory", *request, response,
        [&](Caller caller, Done<HistoryPage> done) {
          if (admission_.limits().TooManyHistories(CertificateOf(*context))) {
            return done(std::unexpected(Overloaded("the gateway")));
          }
          auto history = FromProto(*request);
          if (!history) return done(std::unexpected(history.error()));
          api_.ViewTransactionHistory(std::move(caller), *std::move(history), std::move(done));
        },
        [](HistoryPage page, v1::ViewTransactionHistoryResponse& out) {
          for (const PaymentRecord& payment : page.payments) ToProto(payment, *out.add_payments());
          out.set_next_page_token(std::move(page.next_page_token));
        });
  }

  ServerUnaryReactor* RegisterBank(CallbackServerContext* context, const v1::RegisterBankRequest* request,
                                   v1::RegisterBankResponse* response) override {
    return Serve<Registration>(
        admission_, context, "/strife.v1.PaymentGateway/RegisterBank", *request, response,
        [&](Caller caller, Done<Registration> done) {
          api_.RegisterBank(std::move(caller), FromProto(*request), std::move(done));
        },
        [](Registration answer, v1::RegisterBankResponse& out) {
          v1::BankRegistration& bank = *out.mutable_registration();
          bank.set_bank_id(answer.bank.bank_id);
          bank.set_display_name(answer.bank.display_name);
          bank.set_endpoint(answer.bank.endpoint);
          for (std::string& currency : answer.bank.currencies) bank.add_currencies(std::move(currency));
          for (std::string& capability : answer.bank.capabilities) bank.add_capabilities(std::move(capability));
          ToProto(answer.bank.registered_at, *bank.mutable_registered_at());
          const auto interval = answer.heartbeat_interval.count();
          out.mutable_heartbeat_interval()->set_seconds(interval / 1'000'000);
          out.mutable_heartbeat_interval()->set_nanos(static_cast<std::int32_t>(interval % 1'000'000 * 1000));
          out.set_gateway_store_id(answer.gateway_store_id.ToString());
        });
  }

  ServerUnaryReactor* InquireTransaction(CallbackServerContext* context, const v1::InquireTransactionRequest* request,
                                         v1::InquireTransactionResponse* response) override {
    return Serve<InquiryResponse>(
        admission_, context, "/strife.v1.PaymentGateway/InquireTransaction", *request, response,
        [&](Caller caller, Done<InquiryResponse> done) {
          api_.InquireTransaction(std::move(caller),
                                  {request->transaction_id(), request->gateway_store_id(), request->gateway_sequence()},
                                  std::move(done));
        },
        [](InquiryResponse answer, v1::InquireTransactionResponse& out) {
          out.set_decision(static_cast<v1::Decision>(answer.decision));
          out.set_gateway_epoch(answer.gateway_epoch);
        });
  }

 private:
  void StartBatch(const CallbackServerContext& context, const Caller& caller, const v1::ProcessPaymentsRequest& request,
                  v1::ProcessPaymentsResponse& response, Done<Nothing> done) {
    const int count = request.payments_size();
    if (auto refused = admission_.limits().Payments(caller.claims->username, static_cast<std::size_t>(count))) {
      return done(std::unexpected(*std::move(refused)));
    }
    if (count == 0 || static_cast<std::size_t>(count) > limits::kMaxPaymentsPerCall) {
      return done(std::unexpected(InvalidField(
          "payments", "must hold 1 to " + std::to_string(limits::kMaxPaymentsPerCall) + " payments; split the batch")));
    }
    auto answer = std::make_shared<BatchAnswer>(count, std::move(done), response);
    const auto trace = TraceContextOf(context);
    for (int i = 0; i < count; ++i) {
      PaymentRequest payment = FromProto(request.payments(i));
      payment.trace = trace;
      api_.ProcessPayment(caller, std::move(payment),
                          [this, &context, actor = ActorOf(caller), answer, i](ApiResult<PaymentRecord> result) {
                            if (!result) {
                              admission_.NoteRefused(context, "/strife.v1.PaymentGateway/ProcessPayments", actor,
                                                     result.error());
                            }
                            answer->Set(i, std::move(result));
                          });
    }
  }

  Admission admission_;
  GatewayApi& api_;
};

}  // namespace

Result<std::unique_ptr<Server>> StartGatewayServer(const ServerOptions& options, GatewayApi& api,
                                                   GatewayAdminApi& admin, Clock& clock) {
  AdmissionOptions admission = AdmissionFor(options);
  admission.check_token = [&api](std::string_view token, const security::Certificate& certificate) {
    return api.CheckToken(token, certificate);
  };
  std::vector<ServedService> services;
  services.push_back({std::make_unique<GatewayService>(std::move(admission), api, clock), "strife.v1.PaymentGateway"});
  services.push_back({MakeGatewayAdminService(AdmissionFor(options), admin, clock), "strife.v1.GatewayAdmin"});
  return Listener::Start(options, std::move(services), clock);
}

}  // namespace strife::rpc
