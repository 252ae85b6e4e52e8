// The gateway's side of what operators ask, and of what they do to it.
#pragma once

#include <functional>
#include <string>

#include "env/clock.h"
#include "gateway/gateway_machine.h"
#include "gateway/logins.h"
#include "gateway/service.h"
#include "gateway/suspensions.h"
#include "gateway/tracing.h"
#include "rpc/admin_api.h"
#include "rpc/bank_links.h"
#include "runtime/worker_pool.h"

namespace strife::gateway {

// Thread-safe. Whatever operators do is durable, with its audit record, before it takes effect and is answered.
class GatewayAdmin final : public rpc::GatewayAdminApi {
 public:
  // Everything passed by reference must outlive it.
  struct Parts {
    Clock& clock;
    std::function<bool(GatewayInput)> submit;  // as GatewayService's
    GatewayReader& reader;
    runtime::WorkerPool& workers;
    rpc::BankLinks& links;
    Logins& logins;
    const Suspensions& suspensions;
    GatewayService& service;
    Tracing& tracing;
    Duration patience;  // how long a bank may be silent
  };

  explicit GatewayAdmin(Parts parts) : parts_(std::move(parts)) {}

  // admin.cc: looking
  void ListInDoubt(rpc::Caller caller, Duration min_age, std::size_t limit,
                   rpc::Done<protocol::ListOpenAnswer> done) override;
  void ListBanks(rpc::Caller caller, rpc::Done<rpc::BanksOverview> done) override;
  void ListTransactions(rpc::Caller caller, rpc::TransactionsRequest request,
                        rpc::Done<rpc::TransactionsPage> done) override;
  void ListSessions(rpc::Caller caller, std::string username, int page_size, std::string page_token,
                    rpc::Done<rpc::SessionsPage> done) override;
  void TracePayment(rpc::Caller caller, std::string transaction_id, rpc::Done<rpc::PaymentTrace> done) override;
  // admin_acts.cc: doing
  void EndSessions(rpc::Caller caller, std::string session_id, std::string username,
                   rpc::Done<std::size_t> done) override;
  void SetSuspension(rpc::Caller caller, SuspensionRecord record, rpc::Done<SuspensionRecord> done) override;
  void SetDraining(rpc::Caller caller, bool draining, rpc::Done<rpc::DrainState> done) override;

 private:
  // Asks the engine for what is open.
  void AskOpen(std::size_t limit, WallTime created_before, rpc::Done<protocol::ListOpenAnswer> done);
  // Puts the input that `make` makes of a ReplyTo into the engine; `then` runs when it is durable, or with false when
  // it was not taken.
  template <typename Make>
  void WhenDurable(Make make, std::move_only_function<void(bool)> then);

  const Parts parts_;
};

}  // namespace strife::gateway
