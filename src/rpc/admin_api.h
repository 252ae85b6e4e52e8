// The operators' interfaces in plain types: what rpc/admin_server.h translates GatewayAdmin and BankAdmin calls to.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "env/gateway_store.h"
#include "protocol/coordinator_messages.h"
#include "protocol/heuristic.h"
#include "rpc/api.h"
#include "rpc/bank_links.h"
#include "rpc/payment_trace.h"

namespace strife::rpc {

// A bank as the gateway sees it.
struct BankOverview {
  BankHealth health;
  std::size_t open = 0;  // payments that have not ended
  std::optional<SuspensionRecord> suspension;
};

struct BanksOverview {
  std::vector<BankOverview> banks;
  bool draining = false;
  std::vector<SuspensionRecord> suspended_users;
};

// As in admin.proto; what is empty or absent does not matter.
struct TransactionsRequest {
  std::optional<protocol::PaymentState> state;
  std::string bank_id;
  std::string username;
  std::optional<WallTime> since;
  std::optional<WallTime> until;
  std::int64_t min_minor_units = 0;
  std::int64_t max_minor_units = 0;
  int page_size = 0;
  std::string page_token;
};

struct TransactionsPage {
  std::vector<protocol::PaymentRecord> payments;
  std::string next_page_token;
};

struct SessionsPage {
  std::vector<SessionRecord> sessions;
  std::string next_page_token;
};

struct DrainState {
  bool draining = false;
  std::size_t open = 0;  // payments not answered yet
};

// Called from the transport's threads, as all below: nothing here may block. `limit` is in range.
class GatewayAdminApi {
 public:
  virtual ~GatewayAdminApi() = default;

  virtual void ListInDoubt(Caller caller, Duration min_age, std::size_t limit, Done<protocol::ListOpenAnswer> done) = 0;
  virtual void TracePayment(Caller caller, std::string transaction_id, Done<PaymentTrace> done) = 0;
  virtual void ListBanks(Caller caller, Done<BanksOverview> done) = 0;
  virtual void ListTransactions(Caller caller, TransactionsRequest request, Done<TransactionsPage> done) = 0;
  virtual void ListSessions(Caller caller, std::string username, int page_size, std::string page_token,
                            Done<SessionsPage> done) = 0;
  // One of the two is set. The answer is how many have ended.
  virtual void EndSessions(Caller caller, std::string session_id, std::string username, Done<std::size_t> done) = 0;
  // `by` and `at` are filled in.
  virtual void SetSuspension(Caller caller, SuspensionRecord record, Done<SuspensionRecord> done) = 0;
  virtual void SetDraining(Caller caller, bool draining, Done<DrainState> done) = 0;
};

class BankAdminApi {
 public:
  virtual ~BankAdminApi() = default;

  virtual void ListInDoubt(Caller caller, std::size_t limit, Done<protocol::InDoubtAnswer> done) = 0;
  // `decision` is commit or abort. The answer is about a proposal or a forced transaction, or an error.
  virtual void Force(Caller caller, std::string transaction_id, protocol::Decision decision,
                     Done<protocol::HeuristicRecord> done) = 0;
  virtual void Acknowledge(Caller caller, std::string transaction_id, Done<protocol::HeuristicRecord> done) = 0;
};

}  // namespace strife::rpc
