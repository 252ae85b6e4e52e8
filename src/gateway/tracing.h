// Tells a payment's way: the gateway's part from its engine, which knows also what is under way, and each bank's from
// the bank.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "gateway/gateway_machine.h"
#include "rpc/bank_links.h"
#include "rpc/payment_trace.h"

namespace strife::gateway {

// As GetPayment answers about what the caller has no payment under, whether or not somebody else has.
rpc::ApiError UnknownPayment();

// Thread-safe. `links` must outlive it; `submit` as GatewayService's.
class Tracing {
 public:
  Tracing(rpc::BankLinks& links, std::function<bool(GatewayInput)> submit)
      : links_(links), submit_(std::move(submit)) {}

  // `payer`: whose payment it must be; none: anybody's. A bank that cannot be asked is named in the answer, which waits
  // a moment for it and no longer.
  void Trace(const Uuid& id, std::optional<std::string> payer, rpc::Done<rpc::PaymentTrace> done);

 private:
  void AskBanks(protocol::TraceAnswer answer, rpc::Done<rpc::PaymentTrace> done);

  rpc::BankLinks& links_;
  const std::function<bool(GatewayInput)> submit_;
};

}  // namespace strife::gateway
