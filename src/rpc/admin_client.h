// Calls of operators, one attempt each, waiting for the answer.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/result.h"
#include "protocol/coordinator_messages.h"
#include "protocol/heuristic.h"
#include "rpc/admin_api.h"
#include "rpc/payment_trace.h"
#include "security/certificate.h"
#include "security/credentials.h"

namespace strife::rpc {

// A server and the identity it must prove; the credentials are an operator's.
struct AdminTarget {
  std::string endpoint;  // host:port
  std::shared_ptr<const security::Credentials> credentials;
  security::Identity expected;
  Duration timeout = std::chrono::seconds(5);  // of each call, connecting included
};

// All of them: kUnavailable when the server cannot be reached, kPermissionDenied and kInvalidInput as it refuses,
// kUnknownOutcome when it is not known whether a change was made. `limit` 0: as many as the server likes.
Result<protocol::ListOpenAnswer> ListInDoubtPayments(const AdminTarget& gateway, Duration min_age, int limit);
// kInvalidInput when the gateway knows no such payment.
Result<PaymentTrace> TracePayment(const AdminTarget& gateway, const Uuid& id);
Result<protocol::InDoubtAnswer> ListInDoubtTransactions(const AdminTarget& bank, int limit);
Result<protocol::HeuristicRecord> ForceTransaction(const AdminTarget& bank, const Uuid& id,
                                                   protocol::Decision decision);
Result<protocol::HeuristicRecord> AcknowledgeTransaction(const AdminTarget& bank, const Uuid& id);

// At the gateway.
Result<BanksOverview> ListBanks(const AdminTarget& gateway);
Result<TransactionsPage> ListTransactions(const AdminTarget& gateway, const TransactionsRequest& request);
Result<SessionsPage> ListSessions(const AdminTarget& gateway, const std::string& username, int page_size,
                                  const std::string& page_token);
// One of `session_id` and `username` is set. How many have ended.
Result<std::size_t> EndSessions(const AdminTarget& gateway, const std::string& session_id, const std::string& username);
// As `record` says, whose `by` and `at` are not looked at.
Result<SuspensionRecord> SetSuspension(const AdminTarget& gateway, const SuspensionRecord& record);
Result<DrainState> SetDraining(const AdminTarget& gateway, bool draining);

}  // namespace strife::rpc
