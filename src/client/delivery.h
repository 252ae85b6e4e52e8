// What the gateway's answer to one attempt means to the queue.
#pragma once

#include "protocol/outbox.h"
#include "rpc/gateway_client.h"

namespace strife::client {

// `call` is the attempt, `answer` what came of it.
protocol::DeliveryInput ToDelivery(const protocol::OutboxCall& call,
                                   const rpc::CallResult<protocol::PaymentRecord>& answer);

}  // namespace strife::client
