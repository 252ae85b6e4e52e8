#include "rpc/admin_server.h"

#include <utility>

#include "base/limits.h"
#include "rpc/admin_convert.h"
#include "rpc/serve.h"
#include "rpc/trace_convert.h"
#include "strife/v1/admin.grpc.pb.h"

namespace strife::rpc {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using protocol::HeuristicRecord;

ApiResult<std::size_t> LimitOf(std::int32_t limit) {
  if (limit == 0) return limits::kDefaultInDoubtRows;
  if (limit < 0 || limit > limits::kMaxInDoubtRows) {
    return std::unexpected(InvalidField("limit", "must be 0 to " + std::to_string(limits::kMaxInDoubtRows)));
  }
  return static_cast<std::size_t>(limit);
}

class GatewayAdminService final : public v1::GatewayAdmin::CallbackService {
 public:
  GatewayAdminService(AdmissionOptions admission, GatewayAdminApi& api, Clock& clock)
      : admission_(std::move(admission), clock), api_(api) {}

  ServerUnaryReactor* ListInDoubtPayments(CallbackServerContext* context, const v1::ListInDoubtPaymentsRequest* request,
                                          v1::ListInDoubtPaymentsResponse* response) override {
    return Serve<protocol::ListOpenAnswer>(
        admission_, context, "/strife.v1.GatewayAdmin/ListInDoubtPayments", *request, response,
        [&](Caller caller, Done<protocol::ListOpenAnswer> done) {
          const auto limit = LimitOf(request->limit());
          if (!limit) return done(std::unexpected(limit.error()));
          const auto seconds = request->min_age().seconds();
          if (seconds < 0 || seconds > limits::kMaxInDoubtAgeSeconds) {
            return done(std::unexpected(InvalidField("min_age", "is out of range")));
          }
          const Duration age = std::chrono::seconds(seconds) + Duration(request->min_age().nanos() / 1000);
          api_.ListInDoubt(std::move(caller), age, *limit, std::move(done));
        },
        [](const protocol::ListOpenAnswer& answer, v1::ListInDoubtPaymentsResponse& out) { ToProto(answer, out); });
  }

  ServerUnaryReactor* TracePayment(CallbackServerContext* context, const v1::TracePaymentRequest* request,
                                   v1::TracePaymentResponse* response) override {
    return Serve<PaymentTrace>(
        admission_, context, "/strife.v1.GatewayAdmin/TracePayment", *request, response,
        [&](Caller caller, Done<PaymentTrace> done) {
          api_.TracePayment(std::move(caller), request->transaction_id(), std::move(done));
        },
        [](const PaymentTrace& trace, v1::TracePaymentResponse& out) { ToProto(trace, *out.mutable_trace()); });
  }

  ServerUnaryReactor* ListBanks(CallbackServerContext* context, const v1::ListBanksRequest* request,
                                v1::ListBanksResponse* response) override {
    return Serve<BanksOverview>(
        admission_, context, "/strife.v1.GatewayAdmin/ListBanks", *request, response,
        [&](Caller caller, Done<BanksOverview> done) { api_.ListBanks(std::move(caller), std::move(done)); },
        [](const BanksOverview& overview, v1::ListBanksResponse& out) { ToProto(overview, out); });
  }

  ServerUnaryReactor* ListTransactions(CallbackServerContext* context, const v1::ListTransactionsRequest* request,
                                       v1::ListTransactionsResponse* response) override {
    return Serve<TransactionsPage>(
        admission_, context, "/strife.v1.GatewayAdmin/ListTransactions", *request, response,
        [&](Caller caller, Done<TransactionsPage> done) {
          auto read = FromProto(*request);
          if (!read) return done(std::unexpected(InvalidField("state", "or a time is none")));
          api_.ListTransactions(std::move(caller), *std::move(read), std::move(done));
        },
        [](const TransactionsPage& page, v1::ListTransactionsResponse& out) { ToProto(page, out); });
  }

  ServerUnaryReactor* ListSessions(CallbackServerContext* context, const v1::ListSessionsRequest* request,
                                   v1::ListSessionsResponse* response) override {
    return Serve<SessionsPage>(
        admission_, context, "/strife.v1.GatewayAdmin/ListSessions", *request, response,
        [&](Caller caller, Done<SessionsPage> done) {
          api_.ListSessions(std::move(caller), request->username(), request->page_size(), request->page_token(),
                            std::move(done));
        },
        [](const SessionsPage& page, v1::ListSessionsResponse& out) { ToProto(page, out); });
  }

  ServerUnaryReactor* EndSessions(CallbackServerContext* context, const v1::EndSessionsRequest* request,
                                  v1::EndSessionsResponse* response) override {
    return Serve<std::size_t>(
        admission_, context, "/strife.v1.GatewayAdmin/EndSessions", *request, response,
        [&](Caller caller, Done<std::size_t> done) {
          api_.EndSessions(std::move(caller), request->session_id(), request->username(), std::move(done));
        },
        [](std::size_t ended, v1::EndSessionsResponse& out) { out.set_ended(ended); });
  }

  ServerUnaryReactor* SetSuspension(CallbackServerContext* context, const v1::SetSuspensionRequest* request,
                                    v1::SetSuspensionResponse* response) override {
    return Serve<SuspensionRecord>(
        admission_, context, "/strife.v1.GatewayAdmin/SetSuspension", *request, response,
        [&](Caller caller, Done<SuspensionRecord> done) {
          auto record = FromProto(request->suspension());
          if (!record) return done(std::unexpected(InvalidField("suspension.kind", "must be bank or user")));
          record->suspended = request->suspended();
          api_.SetSuspension(std::move(caller), *std::move(record), std::move(done));
        },
        [](const SuspensionRecord& record, v1::SetSuspensionResponse& out) {
          ToProto(record, *out.mutable_suspension());
        });
  }

  ServerUnaryReactor* SetDraining(CallbackServerContext* context, const v1::SetDrainingRequest* request,
                                  v1::SetDrainingResponse* response) override {
    return Serve<DrainState>(
        admission_, context, "/strife.v1.GatewayAdmin/SetDraining", *request, response,
        [&](Caller caller, Done<DrainState> done) {
          api_.SetDraining(std::move(caller), request->draining(), std::move(done));
        },
        [](const DrainState& state, v1::SetDrainingResponse& out) {
          out.set_draining(state.draining);
          out.set_open(state.open);
        });
  }

 private:
  Admission admission_;
  GatewayAdminApi& api_;
};

class BankAdminService final : public v1::BankAdmin::CallbackService {
 public:
  BankAdminService(AdmissionOptions admission, BankAdminApi& api, Clock& clock)
      : admission_(std::move(admission), clock), api_(api) {}

  ServerUnaryReactor* ListInDoubtTransactions(CallbackServerContext* context,
                                              const v1::ListInDoubtTransactionsRequest* request,
                                              v1::ListInDoubtTransactionsResponse* response) override {
    return Serve<protocol::InDoubtAnswer>(
        admission_, context, "/strife.v1.BankAdmin/ListInDoubtTransactions", *request, response,
        [&](Caller caller, Done<protocol::InDoubtAnswer> done) {
          const auto limit = LimitOf(request->limit());
          if (!limit) return done(std::unexpected(limit.error()));
          api_.ListInDoubt(std::move(caller), *limit, std::move(done));
        },
        [](const protocol::InDoubtAnswer& answer, v1::ListInDoubtTransactionsResponse& out) { ToProto(answer, out); });
  }

  ServerUnaryReactor* ForceTransaction(CallbackServerContext* context, const v1::ForceTransactionRequest* request,
                                       v1::ForceTransactionResponse* response) override {
    return Serve<HeuristicRecord>(
        admission_, context, "/strife.v1.BankAdmin/ForceTransaction", *request, response,
        [&](Caller caller, Done<HeuristicRecord> done) {
          if (request->decision() != v1::DECISION_COMMIT && request->decision() != v1::DECISION_ABORT) {
            return done(std::unexpected(InvalidField("decision", "must be commit or abort")));
          }
          api_.Force(std::move(caller), request->transaction_id(), static_cast<protocol::Decision>(request->decision()),
                     std::move(done));
        },
        [](const HeuristicRecord& record, v1::ForceTransactionResponse& out) {
          ToProto(record, *out.mutable_heuristic());
        });
  }

  ServerUnaryReactor* AcknowledgeTransaction(CallbackServerContext* context,
                                             const v1::AcknowledgeTransactionRequest* request,
                                             v1::AcknowledgeTransactionResponse* response) override {
    return Serve<HeuristicRecord>(
        admission_, context, "/strife.v1.BankAdmin/AcknowledgeTransaction", *request, response,
        [&](Caller caller, Done<HeuristicRecord> done) {
          api_.Acknowledge(std::move(caller), request->transaction_id(), std::move(done));
        },
        [](const HeuristicRecord& record, v1::AcknowledgeTransactionResponse& out) {
          ToProto(record, *out.mutable_heuristic());
        });
  }

 private:
  Admission admission_;
  BankAdminApi& api_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeGatewayAdminService(AdmissionOptions admission, GatewayAdminApi& api, Clock& clock) {
  return std::make_unique<GatewayAdminService>(std::move(admission), api, clock);
}

std::unique_ptr<grpc::Service> MakeBankAdminService(AdmissionOptions admission, BankAdminApi& api, Clock& clock) {
  return std::make_unique<BankAdminService>(std::move(admission), api, clock);
}

}  // namespace strife::rpc
