// The gateway's side of what operators ask.
#pragma once

#include <functional>

#include "env/clock.h"
#include "gateway/gateway_machine.h"
#include "rpc/admin_api.h"

namespace strife::gateway {

// Thread-safe.
class GatewayAdmin final : public rpc::GatewayAdminApi {
 public:
  // `clock` must outlive it; `submit` as GatewayService's.
  GatewayAdmin(Clock& clock, std::function<bool(GatewayInput)> submit) : clock_(clock), submit_(std::move(submit)) {}

  void ListInDoubt(rpc::Caller caller, Duration min_age, std::size_t limit,
                   rpc::Done<protocol::ListOpenAnswer> done) override;

 private:
  Clock& clock_;
  const std::function<bool(GatewayInput)> submit_;
};

}  // namespace strife::gateway
