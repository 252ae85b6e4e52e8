#include "rpc/admin_server.h"

#include <utility>

#include "base/limits.h"
#include "rpc/admin_convert.h"
#include "rpc/serve.h"
#include "rpc/trace_convert.h"
#include "strife/v1/admin.pb.h"

namespace strife::rpc {
namespace {

using protocol::HeuristicRecord;

ApiResult<std::size_t> LimitOf(std::int32_t limit) {
  if (limit == 0) return limits::kDefaultInDoubtRows;
  if (limit < 0 || limit > limits::kMaxInDoubtRows) {
    return std::unexpected(InvalidField("limit", "must be 0 to " + std::to_string(limits::kMaxInDoubtRows)));
  }
  return static_cast<std::size_t>(limit);
}

class GatewayAdminService final : public ServedService {
 public:
  GatewayAdminService(AdmissionOptions admission, GatewayAdminApi& api, Clock& clock)
      : admission_(std::move(admission), clock), api_(api) {}

  MethodTable Methods() override {
    return {
        Method("/strife.v1.GatewayAdmin/ListInDoubtPayments", admission_, this,
               &GatewayAdminService::ListInDoubtPayments),
        Method("/strife.v1.GatewayAdmin/TracePayment", admission_, this, &GatewayAdminService::TracePayment),
        Method("/strife.v1.GatewayAdmin/ListBanks", admission_, this, &GatewayAdminService::ListBanks),
        Method("/strife.v1.GatewayAdmin/ListTransactions", admission_, this, &GatewayAdminService::ListTransactions),
        Method("/strife.v1.GatewayAdmin/ListSessions", admission_, this, &GatewayAdminService::ListSessions),
        Method("/strife.v1.GatewayAdmin/EndSessions", admission_, this, &GatewayAdminService::EndSessions),
        Method("/strife.v1.GatewayAdmin/SetSuspension", admission_, this, &GatewayAdminService::SetSuspension),
        Method("/strife.v1.GatewayAdmin/SetDraining", admission_, this, &GatewayAdminService::SetDraining)};
  }

 private:
  void ListInDoubtPayments(const ServedPtr<v1::ListInDoubtPaymentsRequest, v1::ListInDoubtPaymentsResponse>& served) {
    Serve<protocol::ListOpenAnswer>(
        admission_, served,
        [&](Caller caller, Done<protocol::ListOpenAnswer> done) {
          const auto limit = LimitOf(served->request.limit());
          if (!limit) return done(std::unexpected(limit.error()));
          const auto seconds = served->request.min_age().seconds();
          if (seconds < 0 || seconds > limits::kMaxInDoubtAgeSeconds) {
            return done(std::unexpected(InvalidField("min_age", "is out of range")));
          }
          const Duration age = std::chrono::seconds(seconds) + Duration(served->request.min_age().nanos() / 1000);
          api_.ListInDoubt(std::move(caller), age, *limit, std::move(done));
        },
        [](const protocol::ListOpenAnswer& answer, v1::ListInDoubtPaymentsResponse& out) { ToProto(answer, out); });
  }

  void TracePayment(const ServedPtr<v1::TracePaymentRequest, v1::TracePaymentResponse>& served) {
    Serve<PaymentTrace>(
        admission_, served,
        [&](Caller caller, Done<PaymentTrace> done) {
          api_.TracePayment(std::move(caller), served->request.transaction_id(), std::move(done));
        },
        [](const PaymentTrace& trace, v1::TracePaymentResponse& out) { ToProto(trace, *out.mutable_trace()); });
  }

  void ListBanks(const ServedPtr<v1::ListBanksRequest, v1::ListBanksResponse>& served) {
    Serve<BanksOverview>(
        admission_, served,
        [&](Caller caller, Done<BanksOverview> done) { api_.ListBanks(std::move(caller), std::move(done)); },
        [](const BanksOverview& overview, v1::ListBanksResponse& out) { ToProto(overview, out); });
  }

  void ListTransactions(const ServedPtr<v1::ListTransactionsRequest, v1::ListTransactionsResponse>& served) {
    Serve<TransactionsPage>(
        admission_, served,
        [&](Caller caller, Done<TransactionsPage> done) {
          auto read = FromProto(served->request);
          if (!read) return done(std::unexpected(InvalidField("state", "or a time is none")));
          api_.ListTransactions(std::move(caller), *std::move(read), std::move(done));
        },
        [](const TransactionsPage& page, v1::ListTransactionsResponse& out) { ToProto(page, out); });
  }

  void ListSessions(const ServedPtr<v1::ListSessionsRequest, v1::ListSessionsResponse>& served) {
    Serve<SessionsPage>(
        admission_, served,
        [&](Caller caller, Done<SessionsPage> done) {
          api_.ListSessions(std::move(caller), served->request.username(), served->request.page_size(),
                            served->request.page_token(), std::move(done));
        },
        [](const SessionsPage& page, v1::ListSessionsResponse& out) { ToProto(page, out); });
  }

  void EndSessions(const ServedPtr<v1::EndSessionsRequest, v1::EndSessionsResponse>& served) {
    Serve<std::size_t>(
        admission_, served,
        [&](Caller caller, Done<std::size_t> done) {
          api_.EndSessions(std::move(caller), served->request.session_id(), served->request.username(),
                           std::move(done));
        },
        [](std::size_t ended, v1::EndSessionsResponse& out) { out.set_ended(ended); });
  }

  void SetSuspension(const ServedPtr<v1::SetSuspensionRequest, v1::SetSuspensionResponse>& served) {
    Serve<SuspensionRecord>(
        admission_, served,
        [&](Caller caller, Done<SuspensionRecord> done) {
          auto record = FromProto(served->request.suspension());
          if (!record) return done(std::unexpected(InvalidField("suspension.kind", "must be bank or user")));
          record->suspended = served->request.suspended();
          api_.SetSuspension(std::move(caller), *std::move(record), std::move(done));
        },
        [](const SuspensionRecord& record, v1::SetSuspensionResponse& out) {
          ToProto(record, *out.mutable_suspension());
        });
  }

  void SetDraining(const ServedPtr<v1::SetDrainingRequest, v1::SetDrainingResponse>& served) {
    Serve<DrainState>(
        admission_, served,
        [&](Caller caller, Done<DrainState> done) {
          api_.SetDraining(std::move(caller), served->request.draining(), std::move(done));
        },
        [](const DrainState& state, v1::SetDrainingResponse& out) {
          out.set_draining(state.draining);
          out.set_open(state.open);
        });
  }

  Admission admission_;
  GatewayAdminApi& api_;
};

class BankAdminService final : public ServedService {
 public:
  BankAdminService(AdmissionOptions admission, BankAdminApi& api, Clock& clock)
      : admission_(std::move(admission), clock), api_(api) {}

  MethodTable Methods() override {
    return {Method("/strife.v1.BankAdmin/ListInDoubtTransactions", admission_, this,
                   &BankAdminService::ListInDoubtTransactions),
            Method("/strife.v1.BankAdmin/ForceTransaction", admission_, this, &BankAdminService::ForceTransaction),
            Method("/strife.v1.BankAdmin/AcknowledgeTransaction", admission_, this,
                   &BankAdminService::AcknowledgeTransaction)};
  }

 private:
  void ListInDoubtTransactions(
      const ServedPtr<v1::ListInDoubtTransactionsRequest, v1::ListInDoubtTransactionsResponse>& served) {
    Serve<protocol::InDoubtAnswer>(
        admission_, served,
        [&](Caller caller, Done<protocol::InDoubtAnswer> done) {
          const auto limit = LimitOf(served->request.limit());
          if (!limit) return done(std::unexpected(limit.error()));
          api_.ListInDoubt(std::move(caller), *limit, std::move(done));
        },
        [](const protocol::InDoubtAnswer& answer, v1::ListInDoubtTransactionsResponse& out) { ToProto(answer, out); });
  }

  void ForceTransaction(const ServedPtr<v1::ForceTransactionRequest, v1::ForceTransactionResponse>& served) {
    Serve<HeuristicRecord>(
        admission_, served,
        [&](Caller caller, Done<HeuristicRecord> done) {
          if (served->request.decision() != v1::DECISION_COMMIT && served->request.decision() != v1::DECISION_ABORT) {
            return done(std::unexpected(InvalidField("decision", "must be commit or abort")));
          }
          api_.Force(std::move(caller), served->request.transaction_id(),
                     static_cast<protocol::Decision>(served->request.decision()), std::move(done));
        },
        [](const HeuristicRecord& record, v1::ForceTransactionResponse& out) {
          ToProto(record, *out.mutable_heuristic());
        });
  }

  void AcknowledgeTransaction(
      const ServedPtr<v1::AcknowledgeTransactionRequest, v1::AcknowledgeTransactionResponse>& served) {
    Serve<HeuristicRecord>(
        admission_, served,
        [&](Caller caller, Done<HeuristicRecord> done) {
          api_.Acknowledge(std::move(caller), served->request.transaction_id(), std::move(done));
        },
        [](const HeuristicRecord& record, v1::AcknowledgeTransactionResponse& out) {
          ToProto(record, *out.mutable_heuristic());
        });
  }

  Admission admission_;
  BankAdminApi& api_;
};

}  // namespace

std::unique_ptr<ServedService> MakeGatewayAdminService(AdmissionOptions admission, GatewayAdminApi& api, Clock& clock) {
  return std::make_unique<GatewayAdminService>(std::move(admission), api, clock);
}

std::unique_ptr<ServedService> MakeBankAdminService(AdmissionOptions admission, BankAdminApi& api, Clock& clock) {
  return std::make_unique<BankAdminService>(std::move(admission), api, clock);
}

}  // namespace strife::rpc
