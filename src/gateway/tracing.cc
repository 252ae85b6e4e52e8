#include "gateway/tracing.h"

#include <atomic>
#include <memory>
#include <utility>

#include "runtime/parked.h"

namespace strife::gateway {
namespace {

using Parked = runtime::Parked<protocol::TraceAnswer>;

// Each bank's part has a place of its own, so that the threads that bring them share only the counter.
struct Gathering {
  rpc::PaymentTrace trace;
  std::atomic<std::size_t> left;
  rpc::Done<rpc::PaymentTrace> done;
};

}  // namespace

rpc::ApiError UnknownPayment() {
  return {.code = rpc::ApiCode::kNotFound, .reason_code = "NOT_FOUND", .message = "you have no payment with this id"};
}

void Tracing::Trace(const Uuid& id, std::optional<std::string> payer, rpc::Done<rpc::PaymentTrace> done) {
  auto shared_done = std::make_shared<rpc::Done<rpc::PaymentTrace>>(std::move(done));
  const protocol::ReplyTo reply_to = Parked::Park([this, payer = std::move(payer),
                                                   shared_done](protocol::TraceAnswer answer) {
    const bool known = answer.payment && (!payer || answer.payment->order.payer == *payer);
    if (!known && payer) return (*shared_done)(std::unexpected(UnknownPayment()));
    if (!known) {
      return (*shared_done)(std::unexpected(rpc::ApiError{
          .code = rpc::ApiCode::kNotFound, .reason_code = "NOT_FOUND", .message = "there is no payment with this id"}));
    }
    AskBanks(std::move(answer), std::move(*shared_done));
  });
  if (submit_(protocol::CoordinatorInput(protocol::TraceInput{reply_to, id}))) return;
  static_cast<void>(Parked::Take(reply_to));
  (*shared_done)(std::unexpected(rpc::Overloaded("the gateway")));
}

void Tracing::AskBanks(protocol::TraceAnswer answer, rpc::Done<rpc::PaymentTrace> done) {
  const protocol::PaymentOrder order = answer.payment->order;
  const std::size_t banks = order.from.bank_id == order.to.bank_id ? 1 : 2;
  auto gathering = std::make_shared<Gathering>();
  gathering->trace = {*std::move(answer.payment), std::move(answer.trace), std::vector<rpc::BankTrace>(banks)};
  gathering->left = banks;
  gathering->done = std::move(done);
  for (std::size_t i = 0; i < banks; ++i) {
    const std::string& bank_id = i == 0 ? order.from.bank_id : order.to.bank_id;
    links_.GetTrace(bank_id, order.id, [gathering, i](rpc::BankTrace trace) {
      gathering->trace.banks[i] = std::move(trace);
      if (gathering->left.fetch_sub(1) == 1) gathering->done(std::move(gathering->trace));
    });
  }
}

}  // namespace strife::gateway
