#include "rpc/gateway_link.h"

#include <grpcpp/client_context.h>

#include <condition_variable>
#include <limits>
#include <mutex>
#include <unordered_set>
#include <utility>

#include "protocol/heartbeat.h"
#include "rpc/convert.h"
#include "rpc/live_stub.h"
#include "strife/v1/gateway.grpc.pb.h"

namespace strife::rpc {

class GatewayLink::Impl {
 public:
  explicit Impl(Options options)
      : options_(std::move(options)),
        stub_(*options_.credentials, {options_.credentials->identity().trust_domain, security::Role::kGateway, ""}) {
    stub_.SetAddress(options_.address);
  }

  ~Impl() {
    std::unique_lock lock(mutex_);
    closing_ = true;
    for (grpc::ClientContext* context : in_flight_) context->TryCancel();
    idle_.wait(lock, [&] { return in_flight_.empty(); });
  }

  // `start(async stub, context, request, response, callback)`; `read(response)` makes the answer.
  template <typename Request, typename Response, typename Answer, typename Start, typename Read>
  void Call(Request request, std::function<void(Result<Answer>)> done, Start start, Read read) {
    struct State {
      grpc::ClientContext context;
      Request request;
      Response response;
    };
    auto state = std::make_shared<State>();
    state->request = std::move(request);
    state->context.set_deadline(std::chrono::system_clock::now() + options_.call_timeout);
    {
      std::unique_lock lock(mutex_);
      in_flight_.insert(&state->context);
      if (closing_) state->context.TryCancel();  // started by the answer to another call
    }
    State& s = *state;
    start(stub_.Get()->async(), &s.context, &s.request, &s.response,
          [this, state, done = std::move(done), read = std::move(read)](const grpc::Status& status) {
            if (status.ok()) {
              done(read(state->response));
            } else {
              const bool refused = status.error_code() == grpc::StatusCode::PERMISSION_DENIED ||
                                   status.error_code() == grpc::StatusCode::INVALID_ARGUMENT ||
                                   status.error_code() == grpc::StatusCode::UNAUTHENTICATED;
              done(Fail(refused ? ErrorCode::kPermissionDenied : ErrorCode::kUnavailable, status.error_message()));
            }
            std::unique_lock lock(mutex_);
            in_flight_.erase(&state->context);
            idle_.notify_all();
          });
  }

 private:
  const Options options_;
  LiveStub<v1::PaymentGateway> stub_;
  std::mutex mutex_;
  std::condition_variable idle_;
  bool closing_ = false;
  std::unordered_set<grpc::ClientContext*> in_flight_;
};

GatewayLink::GatewayLink(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
GatewayLink::~GatewayLink() = default;

void GatewayLink::Register(const RegistrationRequest& request, std::function<void(Result<Registration>)> done) {
  v1::RegisterBankRequest message;
  message.set_bank_id(request.bank.bank_id);
  message.set_display_name(request.bank.display_name);
  message.set_endpoint(request.bank.endpoint);
  for (const std::string& currency : request.bank.currencies) message.add_currencies(currency);
  for (const std::string& capability : request.bank.capabilities) message.add_capabilities(capability);
  message.set_gateway_store_id(request.gateway_store_id);
  message.set_gateway_sequence(request.gateway_sequence);
  impl_->Call<v1::RegisterBankRequest, v1::RegisterBankResponse, Registration>(
      std::move(message), std::move(done),
      [](auto* async, auto... arguments) { async->RegisterBank(std::move(arguments)...); },
      [bank = request.bank](const v1::RegisterBankResponse& response) -> Result<Registration> {
        const auto store_id = Uuid::Parse(response.gateway_store_id());
        const auto& interval = response.heartbeat_interval();
        // Before it is multiplied: what does not fit must not overflow.
        const bool plausible = interval.seconds() >= 0 && interval.seconds() <= 3600;
        const Duration heartbeat =
            plausible ? std::chrono::seconds(interval.seconds()) + Duration(interval.nanos() / 1000) : Duration::zero();
        if (!store_id || heartbeat < protocol::kMinHeartbeatInterval || heartbeat > protocol::kMaxHeartbeatInterval) {
          return Fail(ErrorCode::kUnavailable, "the gateway's answer to the registration cannot be read");
        }
        return Registration{bank, heartbeat, *store_id};
      });
}

void GatewayLink::Inquire(const InquiryRequest& request, std::function<void(Result<InquiryResponse>)> done) {
  v1::InquireTransactionRequest message;
  message.set_transaction_id(request.transaction_id);
  message.set_gateway_store_id(request.gateway_store_id);
  message.set_gateway_sequence(request.gateway_sequence);
  impl_->Call<v1::InquireTransactionRequest, v1::InquireTransactionResponse, InquiryResponse>(
      std::move(message), std::move(done),
      [](auto* async, auto... arguments) { async->InquireTransaction(std::move(arguments)...); },
      [](const v1::InquireTransactionResponse& response) -> Result<InquiryResponse> {
        if (response.gateway_epoch() > std::numeric_limits<std::int64_t>::max()) {  // no store can hold it
          return Fail(ErrorCode::kUnavailable, "the gateway's epoch cannot be read");
        }
        switch (response.decision()) {
          case v1::DECISION_COMMIT:
            return InquiryResponse{protocol::Decision::kCommit, response.gateway_epoch()};
          case v1::DECISION_ABORT:
            return InquiryResponse{protocol::Decision::kAbort, response.gateway_epoch()};
          case v1::DECISION_PENDING:
            return InquiryResponse{protocol::Decision::kPending, response.gateway_epoch()};
          default:
            return Fail(ErrorCode::kUnavailable, "the gateway's decision cannot be read");
        }
      });
}

}  // namespace strife::rpc
