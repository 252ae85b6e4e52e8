// The operators' interfaces in plain types: what rpc/admin_server.h translates GatewayAdmin and BankAdmin calls to.
#pragma once

#include <cstddef>
#include <string>

#include "protocol/coordinator_messages.h"
#include "protocol/heuristic.h"
#include "rpc/api.h"
#include "rpc/payment_trace.h"

namespace strife::rpc {

// Called from gRPC's threads, as all below: nothing here may block. `limit` is in range.
class GatewayAdminApi {
 public:
  virtual ~GatewayAdminApi() = default;

  virtual void ListInDoubt(Caller caller, Duration min_age, std::size_t limit, Done<protocol::ListOpenAnswer> done) = 0;
  virtual void TracePayment(Caller caller, std::string transaction_id, Done<PaymentTrace> done) = 0;
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
