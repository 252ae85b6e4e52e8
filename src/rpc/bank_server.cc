#include <utility>

#include "protocol/reason.h"
#include "rpc/admin_server.h"
#include "rpc/bank_api.h"
#include "rpc/convert.h"
#include "rpc/listener.h"
#include "rpc/serve.h"
#include "rpc/trace_convert.h"
#include "strife/v1/bank.grpc.pb.h"

namespace strife::rpc {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using protocol::BankCommand;
using protocol::BankReply;

v1::BankTransactionState ToProto(protocol::BankTransactionState state) {
  switch (state) {
    case protocol::BankTransactionState::kPrepared:
      return v1::BANK_TRANSACTION_STATE_PREPARED;
    case protocol::BankTransactionState::kCommitted:
      return v1::BANK_TRANSACTION_STATE_COMMITTED;
    case protocol::BankTransactionState::kAborted:
      return v1::BANK_TRANSACTION_STATE_ABORTED;
  }
  return v1::BANK_TRANSACTION_STATE_UNSPECIFIED;
}

class BankService final : public v1::Bank::CallbackService {
 public:
  BankService(AdmissionOptions admission, BankApi& api, Clock& clock)
      : admission_(std::move(admission), clock), api_(api) {}

  ServerUnaryReactor* GetBalance(CallbackServerContext* context, const v1::GetBalanceRequest* request,
                                 v1::GetBalanceResponse* response) override {
    return Serve<Balance>(
        admission_, context, "/strife.v1.Bank/GetBalance", *request, response,
        [&](Caller caller, Done<Balance> done) {
          api_.GetBalance(std::move(caller), request->account_id(), std::move(done));
        },
        [](Balance balance, v1::GetBalanceResponse& out) {
          rpc::ToProto(balance.posted, *out.mutable_posted());
          rpc::ToProto(balance.held, *out.mutable_held());
          rpc::ToProto(balance.available, *out.mutable_available());
          rpc::ToProto(balance.as_of, *out.mutable_as_of());
        });
  }

  ServerUnaryReactor* PrepareTransaction(CallbackServerContext* context, const v1::PrepareTransactionRequest* request,
                                         v1::PrepareTransactionResponse* response) override {
    return ServeOne(context, "/strife.v1.Bank/PrepareTransaction", *request, response);
  }
  ServerUnaryReactor* CommitTransaction(CallbackServerContext* context, const v1::CommitTransactionRequest* request,
                                        v1::CommitTransactionResponse* response) override {
    return ServeOne(context, "/strife.v1.Bank/CommitTransaction", *request, response);
  }
  ServerUnaryReactor* AbortTransaction(CallbackServerContext* context, const v1::AbortTransactionRequest* request,
                                       v1::AbortTransactionResponse* response) override {
    return ServeOne(context, "/strife.v1.Bank/AbortTransaction", *request, response);
  }

  ServerUnaryReactor* ExecuteBatch(CallbackServerContext* context, const v1::ExecuteBatchRequest* request,
                                   v1::ExecuteBatchResponse* response) override {
    return Serve<std::vector<BankReply>>(
        admission_, context, "/strife.v1.Bank/ExecuteBatch", *request, response,
        [&](Caller caller, Done<std::vector<BankReply>> done) {
          std::vector<BankCommand> commands;
          commands.reserve(static_cast<std::size_t>(request->commands_size()));
          for (const auto& command : request->commands()) {
            auto read = FromProto(command);
            if (!read) return done(std::unexpected(InvalidField("commands", "has one without kind, id or currency")));
            commands.push_back(*std::move(read));
          }
          api_.Execute(std::move(caller), std::move(commands), std::move(done));
        },
        [](const std::vector<BankReply>& replies, v1::ExecuteBatchResponse& out) {
          for (const BankReply& reply : replies) rpc::ToProto(reply, *out.add_results());
        });
  }

  ServerUnaryReactor* GetTransactionStatus(CallbackServerContext* context,
                                           const v1::GetTransactionStatusRequest* request,
                                           v1::GetTransactionStatusResponse* response) override {
    return Serve<TransactionStatus>(
        admission_, context, "/strife.v1.Bank/GetTransactionStatus", *request, response,
        [&](Caller caller, Done<TransactionStatus> done) {
          response->set_transaction_id(request->transaction_id());
          api_.GetTransactionStatus(std::move(caller), request->transaction_id(), std::move(done));
        },
        [](const TransactionStatus& status, v1::GetTransactionStatusResponse& out) {
          const auto& record = status.record;
          if (!record) return out.set_state(v1::BANK_TRANSACTION_STATE_NONE);
          out.set_state(ToProto(record->state));
          out.set_reason_code(record->reason_code);
          out.set_debit_account_id(record->debit_account);
          out.set_credit_account_id(record->credit_account);
          rpc::ToProto(record->amount, *out.mutable_amount());
          rpc::ToProto(record->updated_at, *out.mutable_updated_at());
          for (const protocol::TraceStep& step : status.trace.steps) rpc::ToProto(step, nullptr, *out.add_steps());
        });
  }

  ServerUnaryReactor* GetLedgerTotals(CallbackServerContext* context, const v1::GetLedgerTotalsRequest* request,
                                      v1::GetLedgerTotalsResponse* response) override {
    return Serve<LedgerTotalsResponse>(
        admission_, context, "/strife.v1.Bank/GetLedgerTotals", *request, response,
        [&](Caller caller, Done<LedgerTotalsResponse> done) {
          api_.GetLedgerTotals(std::move(caller), std::move(done));
        },
        [](const LedgerTotalsResponse& answer, v1::GetLedgerTotalsResponse& out) {
          for (const LedgerTotals& totals : answer.totals) {
            auto& one = *out.add_totals();
            one.set_currency(std::string(totals.currency.code()));
            one.set_debits_minor_units(totals.debits);
            one.set_credits_minor_units(totals.credits);
            one.set_clearing_minor_units(totals.clearing);
            one.set_held_minor_units(totals.held);
            one.set_accounts(totals.accounts);
          }
          out.set_prepared_transactions(answer.prepared_transactions);
          rpc::ToProto(answer.as_of, *out.mutable_as_of());
        });
  }

  ServerUnaryReactor* ProcessTransaction(CallbackServerContext* context, const v1::ProcessTransactionRequest* request,
                                         v1::ProcessTransactionResponse* response) override {
    return Serve<DirectResponse>(
        admission_, context, "/strife.v1.Bank/ProcessTransaction", *request, response,
        [&](Caller caller, Done<DirectResponse> done) {
          if (request->type() != v1::DIRECT_TRANSACTION_TYPE_DEPOSIT &&
              request->type() != v1::DIRECT_TRANSACTION_TYPE_WITHDRAWAL) {
            return done(std::unexpected(InvalidField("type", "must be deposit or withdrawal")));
          }
          response->set_transaction_id(request->transaction_id());
          api_.ProcessTransaction(std::move(caller),
                                  {.transaction_id = request->transaction_id(),
                                   .account_id = request->account_id(),
                                   .deposit = request->type() == v1::DIRECT_TRANSACTION_TYPE_DEPOSIT,
                                   .minor_units = request->amount().minor_units(),
                                   .currency = request->amount().currency()},
                                  std::move(done));
        },
        [](DirectResponse answer, v1::ProcessTransactionResponse& out) {
          out.set_success(answer.reason_code.empty());
          if (answer.reason_code.empty()) rpc::ToProto(answer.posted, *out.mutable_posted());
          out.set_message(std::string(protocol::reason::Describe(answer.reason_code)));
          out.set_reason_code(std::move(answer.reason_code));
        });
  }

 private:
  // Prepare, commit or abort on its own: a batch of one.
  template <typename Request, typename Response>
  ServerUnaryReactor* ServeOne(CallbackServerContext* context, std::string_view method, const Request& request,
                               Response* response) {
    return Serve<std::vector<BankReply>>(
        admission_, context, method, request, response,
        [&](Caller caller, Done<std::vector<BankReply>> done) {
          auto command = FromProto(request);
          if (!command) return done(std::unexpected(InvalidField("transaction_id", "or currency is not one")));
          api_.Execute(std::move(caller), {*std::move(command)}, std::move(done));
        },
        [](std::vector<BankReply> replies, Response& out) { rpc::ToProto(replies.at(0), out); });
  }

  Admission admission_;
  BankApi& api_;
};

}  // namespace

Result<std::unique_ptr<Server>> StartBankServer(const ServerOptions& options, BankApi& api, BankAdminApi& admin,
                                                Clock& clock) {
  std::vector<ServedService> services;
  services.push_back({std::make_unique<BankService>(AdmissionFor(options), api, clock), "strife.v1.Bank"});
  services.push_back({MakeBankAdminService(AdmissionFor(options), admin, clock), "strife.v1.BankAdmin"});
  return Listener::Start(options, std::move(services), clock);
}

}  // namespace strife::rpc
