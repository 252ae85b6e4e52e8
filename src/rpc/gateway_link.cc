#include "rpc/gateway_link.h"

#include <condition_variable>
#include <limits>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "protocol/heartbeat.h"
#include "rpc/convert.h"
#include "rpc/live_channel.h"
#include "rpc/messages.h"
#include "strife/v1/gateway.pb.h"

namespace strife::rpc {

class GatewayLink::Impl {
 public:
  explicit Impl(Options options)
      : options_(std::move(options)),
        channel_(*options_.credentials, {options_.credentials->identity().trust_domain, security::Role::kGateway, ""}) {
    channel_.SetAddress(options_.address);
  }

  ~Impl() {
    std::unique_lock lock(mutex_);
    closing_ = true;
    for (const auto& [call, channel] : in_flight_) channel->Cancel(call);
    idle_.wait(lock, [&] { return in_flight_.empty(); });
  }

  // `read(response)` makes the answer.
  template <typename Response, typename Answer, typename Read>
  void Ask(const char* path, const google::protobuf::MessageLite& request, std::function<void(Result<Answer>)> done,
           Read read) {
    const auto started = std::make_shared<std::shared_ptr<http2::ClientCall>>();
    // Its answer comes on another thread, and waits for the lock.
    const std::unique_lock lock(mutex_);
    const auto channel = channel_.Get();
    auto call = Call<Response>(
        *channel, path, request, {options_.call_timeout},
        [this, started, done = std::move(done), read = std::move(read)](const http2::CallStatus& status,
                                                                        const Response& response) {
          if (Is(status, http2::Code::kOk)) {
            done(read(response));
          } else {
            const bool refused = Is(status, http2::Code::kPermissionDenied) ||
                                 Is(status, http2::Code::kInvalidArgument) || Is(status, http2::Code::kUnauthenticated);
            done(Fail(refused ? ErrorCode::kPermissionDenied : ErrorCode::kUnavailable, status.message));
          }
          const std::unique_lock answered(mutex_);
          in_flight_.erase(*started);
          idle_.notify_all();
        });
    if (closing_) channel->Cancel(call);  // started by the answer to another call
    *started = call;
    in_flight_.emplace(std::move(call), channel);
  }

 private:
  const Options options_;
  LiveChannel channel_;
  std::mutex mutex_;
  std::condition_variable idle_;
  bool closing_ = false;
  std::unordered_map<std::shared_ptr<http2::ClientCall>, std::shared_ptr<http2::Channel>> in_flight_;
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
  impl_->Ask<v1::RegisterBankResponse, Registration>(
      "/strife.v1.PaymentGateway/RegisterBank", message, std::move(done),
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
  impl_->Ask<v1::InquireTransactionResponse, InquiryResponse>(
      "/strife.v1.PaymentGateway/InquireTransaction", message, std::move(done),
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
