#include "gateway/admin.h"

#include <memory>
#include <utility>

#include "gateway/validate.h"
#include "runtime/parked.h"

namespace strife::gateway {

using Parked = runtime::Parked<protocol::ListOpenAnswer>;

void GatewayAdmin::ListInDoubt(rpc::Caller, Duration min_age, std::size_t limit,
                               rpc::Done<protocol::ListOpenAnswer> done) {
  auto shared_done = std::make_shared<rpc::Done<protocol::ListOpenAnswer>>(std::move(done));
  const protocol::ReplyTo reply_to =
      Parked::Park([shared_done](protocol::ListOpenAnswer answer) { (*shared_done)(std::move(answer)); });
  if (submit_(protocol::CoordinatorInput(protocol::ListOpenInput{reply_to, limit, clock_.Read().wall - min_age}))) {
    return;
  }
  static_cast<void>(Parked::Take(reply_to));
  (*shared_done)(std::unexpected(rpc::Overloaded("the gateway")));
}

void GatewayAdmin::TracePayment(rpc::Caller, std::string transaction_id, rpc::Done<rpc::PaymentTrace> done) {
  const auto id = ValidateTransactionId(transaction_id);
  if (!id) return done(std::unexpected(id.error()));
  tracing_.Trace(*id, std::nullopt, std::move(done));
}

}  // namespace strife::gateway
