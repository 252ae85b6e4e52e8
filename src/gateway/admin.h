// The gateway's side of what operators ask.
#pragma once

#include <functional>

#include "env/clock.h"
#include "gateway/gateway_machine.h"
#include "gateway/tracing.h"
#include "rpc/admin_api.h"

namespace strife::gateway {

// Thread-safe.
class GatewayAdmin final : public rpc::GatewayAdminApi {
 public:
  // `clock` and `tracing` must outlive it; `submit` as GatewayService's.
  GatewayAdmin(Clock& clock, Tracing& tracing, std::function<bool(GatewayInput)> submit)
      : clock_(clock), tracing_(tracing), submit_(std::move(submit)) {}

  void ListInDoubt(rpc::Caller caller, Duration min_age, std::size_t limit,
                   rpc::Done<protocol::ListOpenAnswer> done) override;
  void TracePayment(rpc::Caller caller, std::string transaction_id, rpc::Done<rpc::PaymentTrace> done) override;

 private:
  Clock& clock_;
  Tracing& tracing_;
  const std::function<bool(GatewayInput)> submit_;
};

}  // namespace strife::gateway
