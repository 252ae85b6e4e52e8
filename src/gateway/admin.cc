#include "gateway/admin.h"

#include <memory>
#include <utility>

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

}  // namespace strife::gateway
