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
#include "strife/v1/gateway.pb.h"

namespace strife::rpc {
namespace {

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

class GatewayService final : public ServedService {
 public:
  GatewayService(AdmissionOptions admission, GatewayApi& api, Clock& clock)
      : admission_(std::move(admission), clock), api_(api) {}

  MethodTable Methods() override {
    return {
        Method("/strife.v1.PaymentGateway/AuthenticateClient", admission_, this, &GatewayService::AuthenticateClient),
        Method("/strife.v1.PaymentGateway/RefreshSession", admission_, this, &GatewayService::RefreshSession),
        Method("/strife.v1.PaymentGateway/LogoutClient", admission_, this, &GatewayService::LogoutClient),
        Method("/strife.v1.PaymentGateway/ProcessPayment", admission_, this, &GatewayService::ProcessPayment),
        Method("/strife.v1.PaymentGateway/ProcessPayments", admission_, this, &GatewayService::ProcessPayments),
        Method("/strife.v1.PaymentGateway/CancelPayment", admission_, this, &GatewayService::CancelPayment),
        Method("/strife.v1.PaymentGateway/GetPayment", admission_, this, &GatewayService::GetPayment),
        Method("/strife.v1.PaymentGateway/TracePayment", admission_, this, &GatewayService::TracePayment),
        Method("/strife.v1.PaymentGateway/CheckBalance", admission_, this, &GatewayService::CheckBalance),
        Method("/strife.v1.PaymentGateway/ViewTransactionHistory", admission_, this,
               &GatewayService::ViewTransactionHistory),
        Method("/strife.v1.PaymentGateway/RegisterBank", admission_, this, &GatewayService::RegisterBank),
        Method("/strife.v1.PaymentGateway/InquireTransaction", admission_, this, &GatewayService::InquireTransaction)};
  }

 private:
  void AuthenticateClient(const ServedPtr<v1::AuthenticateClientRequest, v1::AuthenticateClientResponse>& served) {
    Serve<SessionGrant>(
        admission_, served,
        [&](Caller caller, Done<SessionGrant> done) {
          api_.AuthenticateClient(std::move(caller), served->request.username(), served->request.password(),
                                  std::move(done));
        },
        FillGrant<v1::AuthenticateClientResponse>);
  }

  void RefreshSession(const ServedPtr<v1::RefreshSessionRequest, v1::RefreshSessionResponse>& served) {
    Serve<SessionGrant>(
        admission_, served,
        [&](Caller caller, Done<SessionGrant> done) {
          api_.RefreshSession(std::move(caller), served->request.refresh_token(), std::move(done));
        },
        FillGrant<v1::RefreshSessionResponse>);
  }

  void LogoutClient(const ServedPtr<v1::LogoutClientRequest, v1::LogoutClientResponse>& served) {
    Serve<Nothing>(
        admission_, served,
        [&](Caller caller, Done<Nothing> done) { api_.LogoutClient(std::move(caller), std::move(done)); },
        [](Nothing, v1::LogoutClientResponse&) {});
  }

  void ProcessPayment(const ServedPtr<v1::ProcessPaymentRequest, v1::ProcessPaymentResponse>& served) {
    Serve<PaymentRecord>(
        admission_, served,
        [&](Caller caller, Done<PaymentRecord> done) {
          if (auto refused = admission_.limits().Payments(caller.claims->username, 1)) {
            return done(std::unexpected(*std::move(refused)));
          }
          PaymentRequest payment = FromProto(served->request);
          payment.trace = TraceContextOf(*served->call);
          api_.ProcessPayment(std::move(caller), std::move(payment), std::move(done));
        },
        [](const PaymentRecord& payment, v1::ProcessPaymentResponse& out) {
          out.set_success(payment.state == PaymentState::kCompleted);
          ToProto(payment, *out.mutable_payment());
        });
  }

  void ProcessPayments(const ServedPtr<v1::ProcessPaymentsRequest, v1::ProcessPaymentsResponse>& served) {
    Serve<Nothing>(
        admission_, served,
        [&](const Caller& caller, Done<Nothing> done) { StartBatch(*served, caller, std::move(done)); },
        [](Nothing, v1::ProcessPaymentsResponse&) {});
  }

  void CancelPayment(const ServedPtr<v1::CancelPaymentRequest, v1::CancelPaymentResponse>& served) {
    Serve<PaymentRecord>(
        admission_, served,
        [&](Caller caller, Done<PaymentRecord> done) {
          if (auto refused = admission_.limits().Payments(caller.claims->username, 1)) {
            return done(std::unexpected(*std::move(refused)));
          }
          api_.CancelPayment(std::move(caller), FromProto(served->request.payment()), std::move(done));
        },
        [](const PaymentRecord& payment, v1::CancelPaymentResponse& out) { ToProto(payment, *out.mutable_payment()); });
  }

  void GetPayment(const ServedPtr<v1::GetPaymentRequest, v1::GetPaymentResponse>& served) {
    Serve<PaymentRecord>(
        admission_, served,
        [&](Caller caller, Done<PaymentRecord> done) {
          api_.GetPayment(std::move(caller), served->request.transaction_id(), std::move(done));
        },
        [](const PaymentRecord& payment, v1::GetPaymentResponse& out) { ToProto(payment, *out.mutable_payment()); });
  }

  void TracePayment(const ServedPtr<v1::TracePaymentRequest, v1::TracePaymentResponse>& served) {
    Serve<PaymentTrace>(
        admission_, served,
        [&](Caller caller, Done<PaymentTrace> done) {
          api_.TracePayment(std::move(caller), served->request.transaction_id(), std::move(done));
        },
        [](const PaymentTrace& trace, v1::TracePaymentResponse& out) { ToProto(trace, *out.mutable_trace()); });
  }

  void CheckBalance(const ServedPtr<v1::CheckBalanceRequest, v1::CheckBalanceResponse>& served) {
    Serve<Balance>(
        admission_, served,
        [&](Caller caller, Done<Balance> done) {
          api_.CheckBalance(std::move(caller), served->request.bank_id(), std::move(done));
        },
        [](Balance balance, v1::CheckBalanceResponse& out) {
          ToProto(balance.posted, *out.mutable_posted());
          ToProto(balance.held, *out.mutable_held());
          ToProto(balance.available, *out.mutable_available());
          ToProto(balance.as_of, *out.mutable_as_of());
        });
  }

  void ViewTransactionHistory(
      const ServedPtr<v1::ViewTransactionHistoryRequest, v1::ViewTransactionHistoryResponse>& served) {
    Serve<HistoryPage>(
        admission_, served,
        [&](Caller caller, Done<HistoryPage> done) {
          if (admission_.limits().TooManyHistories(served->call->peer().who)) {
            return done(std::unexpected(Overloaded("the gateway")));
          }
          auto history = FromProto(served->request);
          if (!history) return done(std::unexpected(history.error()));
          api_.ViewTransactionHistory(std::move(caller), *std::move(history), std::move(done));
        },
        [](HistoryPage page, v1::ViewTransactionHistoryResponse& out) {
          for (const PaymentRecord& payment : page.payments) ToProto(payment, *out.add_payments());
          out.set_next_page_token(std::move(page.next_page_token));
        });
  }

  void RegisterBank(const ServedPtr<v1::RegisterBankRequest, v1::RegisterBankResponse>& served) {
    Serve<Registration>(
        admission_, served,
        [&](Caller caller, Done<Registration> done) {
          api_.RegisterBank(std::move(caller), FromProto(served->request), std::move(done));
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

  void InquireTransaction(const ServedPtr<v1::InquireTransactionRequest, v1::InquireTransactionResponse>& served) {
    Serve<InquiryResponse>(
        admission_, served,
        [&](Caller caller, Done<InquiryResponse> done) {
          api_.InquireTransaction(std::move(caller),
                                  {served->request.transaction_id(), served->request.gateway_store_id(),
                                   served->request.gateway_sequence()},
                                  std::move(done));
        },
        [](InquiryResponse answer, v1::InquireTransactionResponse& out) {
          out.set_decision(static_cast<v1::Decision>(answer.decision));
          out.set_gateway_epoch(answer.gateway_epoch);
        });
  }

  using ServedBatch = Served<v1::ProcessPaymentsRequest, v1::ProcessPaymentsResponse>;

  void StartBatch(ServedBatch& served, const Caller& caller, Done<Nothing> done) {
    const auto& payments = served.request.payments();
    const auto count = static_cast<std::size_t>(payments.size());
    if (auto refused = admission_.limits().Payments(caller.claims->username, count)) {
      return done(std::unexpected(*std::move(refused)));
    }
    if (count == 0 || count > limits::kMaxPaymentsPerCall) {
      return done(std::unexpected(InvalidField(
          "payments", "must hold 1 to " + std::to_string(limits::kMaxPaymentsPerCall) + " payments; split the batch")));
    }
    auto answer = std::make_shared<BatchAnswer>(payments.size(), std::move(done), served.response);
    const auto trace = TraceContextOf(*served.call);
    for (int i = 0; i < payments.size(); ++i) {
      PaymentRequest payment = FromProto(payments[i]);
      payment.trace = trace;
      api_.ProcessPayment(
          caller, std::move(payment),
          [this, call = served.call, actor = ActorOf(caller), answer, i](ApiResult<PaymentRecord> result) {
            if (!result) admission_.NoteRefused(*call, actor, result.error());
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
  std::vector<std::unique_ptr<ServedService>> services;
  services.push_back(std::make_unique<GatewayService>(std::move(admission), api, clock));
  services.push_back(MakeGatewayAdminService(AdmissionFor(options), admin, clock));
  return Listener::Start(options, std::move(services), clock);
}

}  // namespace strife::rpc
