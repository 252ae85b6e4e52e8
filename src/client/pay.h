// Paying so that nothing is lost: through the queue, and delivered at once when the gateway can be reached.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <variant>

#include "base/result.h"
#include "client/config.h"
#include "client/queue.h"
#include "protocol/types.h"

namespace strife::client {

// The payment has been made, or was declined and no money moved: `payment.state` says which. For good.
struct Ended {
  protocol::PaymentRecord payment;
  bool duplicate = false;  // it had been made under this id before; nothing was paid again
};
// The gateway knows it and will bring it to its end by itself.
struct OnItsWay {
  protocol::PaymentRecord payment;
};
// It is in the queue and has certainly not been sent yet.
struct Queued {
  OutboxItem item;
  std::string why;
};
// It is in the queue and may have been paid or not: neither success nor failure. It is asked for with the same id.
struct UnknownOutcome {
  OutboxItem item;
  std::string why;
};
// The gateway refuses it for good, or it is not fit to be sent; no money moves.
struct Refused {
  protocol::PaymentOrder order;
  std::string reason_code;
  std::string field;  // of the request, when one is at fault
  std::string message;
};
using PayOutcome = std::variant<Ended, OnItsWay, Queued, UnknownOutcome, Refused>;

// Puts the payment into the queue, which is durable before anything is sent, and delivers the queue until the payment
// is settled, the gateway turns out to be away, or `stop` is requested; Queued and UnknownOutcome are delivered by any
// courier later. What was settled here, Ended or Refused, is off the queue's list again. An error: it is not in the
// queue and was not sent, unless the message says that the queue itself has failed. `order.payer` is the user who is
// logged in.
Result<PayOutcome> PayDurably(const ClientConfig& config, Queue& queue, const protocol::PaymentOrder& order,
                              std::optional<WallTime> expires_at, const std::stop_token& stop);

}  // namespace strife::client
