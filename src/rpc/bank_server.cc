#include <utility>

#include "protocol/reason.h"
#include "rpc/admin_server.h"
#include "rpc/bank_api.h"
#include "rpc/convert.h"
#include "rpc/listener.h"
#include "rpc/serve.h"
#include "rpc/trace_convert.h"
#include "strife/v1/bank.pb.h"

namespace strife::rpc {
namespace {

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

class BankService final : public ServedService {
 public:
  BankService(AdmissionOptions admission, BankApi& api, Clock& clock)
      : admission_(std::move(admission), clock), api_(api) {}

  MethodTable Methods() override {
    return {Method("/strife.v1.Bank/GetBalance", admission_, this, &BankService::GetBalance),
            Method("/strife.v1.Bank/PrepareTransaction", admission_, this,
                   &BankService::ExecuteOne<v1::PrepareTransactionRequest, v1::PrepareTransactionResponse>),
            Method("/strife.v1.Bank/CommitTransaction", admission_, this,
                   &BankService::ExecuteOne<v1::CommitTransactionRequest, v1::CommitTransactionResponse>),
            Method("/strife.v1.Bank/AbortTransaction", admission_, this,
                   &BankService::ExecuteOne<v1::AbortTransactionRequest, v1::AbortTransactionResponse>),
            Method("/strife.v1.Bank/ExecuteBatch", admission_, this, &BankService::ExecuteBatch),
            Method("/strife.v1.Bank/GetTransactionStatus", admission_, this, &BankService::GetTransactionStatus),
            Method("/strife.v1.Bank/GetLedgerTotals", admission_, this, &BankService::GetLedgerTotals),
            Method("/strife.v1.Bank/ProcessTransaction", admission_, this, &BankService::ProcessTransaction)};
  }

 private:
  void GetBalance(const ServedPtr<v1::GetBalanceRequest, v1::GetBalanceResponse>& served) {
    Serve<Balance>(
        admission_, served,
        [&](Caller caller, Done<Balance> done) {
          api_.GetBalance(std::move(caller), served->request.account_id(), std::move(done));
        },
        [](Balance balance, v1::GetBalanceResponse& out) {
          rpc::ToProto(balance.posted, *out.mutable_posted());
          rpc::ToProto(balance.held, *out.mutable_held());
          rpc::ToProto(balance.available, *out.mutable_available());
          rpc::ToProto(balance.as_of, *out.mutable_as_of());
        });
  }

  // Prepare, commit or abort on its own: a batch of one.
  template <typename Request, typename Response>
  void ExecuteOne(const ServedPtr<Request, Response>& served) {
    Serve<std::vector<BankReply>>(
        admission_, served,
        [&](Caller caller, Done<std::vector<BankReply>> done) {
          auto command = FromProto(served->request);
          if (!command) return done(std::unexpected(InvalidField("transaction_id", "or currency is not one")));
          api_.Execute(std::move(caller), {*std::move(command)}, std::move(done));
        },
        [](std::vector<BankReply> replies, Response& out) { rpc::ToProto(replies.at(0), out); });
  }

  void ExecuteBatch(const ServedPtr<v1::ExecuteBatchRequest, v1::ExecuteBatchResponse>& served) {
    Serve<std::vector<BankReply>>(
        admission_, served,
        [&](Caller caller, Done<std::vector<BankReply>> done) {
          std::vector<BankCommand> commands;
          commands.reserve(static_cast<std::size_t>(served->request.commands_size()));
          for (const auto& command : served->request.commands()) {
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

  void GetTransactionStatus(
      const ServedPtr<v1::GetTransactionStatusRequest, v1::GetTransactionStatusResponse>& served) {
    Serve<TransactionStatus>(
        admission_, served,
        [&](Caller caller, Done<TransactionStatus> done) {
          served->response.set_transaction_id(served->request.transaction_id());
          api_.GetTransactionStatus(std::move(caller), served->request.transaction_id(), std::move(done));
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

  void GetLedgerTotals(const ServedPtr<v1::GetLedgerTotalsRequest, v1::GetLedgerTotalsResponse>& served) {
    Serve<LedgerTotalsResponse>(
        admission_, served,
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

  void ProcessTransaction(const ServedPtr<v1::ProcessTransactionRequest, v1::ProcessTransactionResponse>& served) {
    Serve<DirectResponse>(
        admission_, served,
        [&](Caller caller, Done<DirectResponse> done) {
          if (served->request.type() != v1::DIRECT_TRANSACTION_TYPE_DEPOSIT &&
              served->request.type() != v1::DIRECT_TRANSACTION_TYPE_WITHDRAWAL) {
            return done(std::unexpected(InvalidField("type", "must be deposit or withdrawal")));
          }
          served->response.set_transaction_id(served->request.transaction_id());
          api_.ProcessTransaction(std::move(caller),
                                  {.transaction_id = served->request.transaction_id(),
                                   .account_id = served->request.account_id(),
                                   .deposit = served->request.type() == v1::DIRECT_TRANSACTION_TYPE_DEPOSIT,
                                   .minor_units = served->request.amount().minor_units(),
                                   .currency = served->request.amount().currency()},
                                  std::move(done));
        },
        [](DirectResponse answer, v1::ProcessTransactionResponse& out) {
          out.set_success(answer.reason_code.empty());
          if (answer.reason_code.empty()) rpc::ToProto(answer.posted, *out.mutable_posted());
          out.set_message(std::string(protocol::reason::Describe(answer.reason_code)));
          out.set_reason_code(std::move(answer.reason_code));
        });
  }

  Admission admission_;
  BankApi& api_;
};

}  // namespace

Result<std::unique_ptr<Server>> StartBankServer(const ServerOptions& options, BankApi& api, BankAdminApi& admin,
                                                Clock& clock) {
  std::vector<std::unique_ptr<ServedService>> services;
  services.push_back(std::make_unique<BankService>(AdmissionFor(options), api, clock));
  services.push_back(MakeBankAdminService(AdmissionFor(options), admin, clock));
  return Listener::Start(options, std::move(services), clock);
}

}  // namespace strife::rpc
