#include "rpc/listener.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "base/limits.h"
#include "security/policy.h"

namespace strife::rpc {
namespace {

constexpr std::string_view kHistoryMethod = "/strife.v1.PaymentGateway/ViewTransactionHistory";

// The full name of the service that a method belongs to.
std::string_view ServiceOf(std::string_view path) { return path.substr(1, path.rfind('/') - 1); }

Status CheckPolicy(const MethodTable& methods) {
  std::vector<std::string> paths;
  for (const auto& [path, handler] : methods) paths.emplace_back(path);
  if (const auto missing = security::MissingFromPolicy(paths); !missing.empty()) {
    return Fail(ErrorCode::kInternal, "method " + missing.front() + " has no row in the policy table");
  }
  return {};
}

}  // namespace

struct AnswersTogether::Impl {
  http2::Mailbox::Together together;
};
AnswersTogether::AnswersTogether() : impl_(std::make_unique<Impl>()) {}
AnswersTogether::~AnswersTogether() = default;

AdmissionOptions AdmissionFor(const ServerOptions& options) {
  return {.credentials = options.credentials,
          .check_token = nullptr,
          .log = {.rpc = options.rpc_log,
                  .transactions = options.transaction_log,
                  .registrations = options.registration_log,
                  .stats = options.stats},
          .limits = options.limits,
          .refused = options.refused,
          .operators = options.operators};
}

Listener::Listener(const ServerOptions& options, std::vector<std::unique_ptr<ServedService>> services, Clock& clock)
    : limits_(*options.limits), clock_(clock), services_(std::move(services)), health_(AdmissionFor(options), clock) {
  for (const auto& service : services_) methods_.merge(service->Methods());
  methods_.merge(health_.Methods());
}

Result<std::unique_ptr<Server>> Listener::Start(const ServerOptions& options,
                                                std::vector<std::unique_ptr<ServedService>> services, Clock& clock) {
  QuietProtobuf();
  auto listener = std::unique_ptr<Listener>(new Listener(options, std::move(services), clock));
  if (Status covered = CheckPolicy(listener->methods_); !covered) return std::unexpected(covered.error());
  auto door = Door::Open(options.listen, *options.limits, clock);
  if (!door) return std::unexpected(door.error());
  listener->SetServing(false);
  // Twice what the server may take: whoever has sent all of a call gets an answer.
  const Duration longest_call =
      std::max<Duration>(std::chrono::seconds(limits::kMaxCallSeconds), 2 * options.longest_answer);
  listener->transport_ = std::make_unique<http2::Server>(
      http2::ServerSettings{
          .credentials = options.credentials, .handler = listener.get(), .longest_call = longest_call},
      clock);
  listener->door_ = *std::move(door);
  listener->door_->Start(
      [l = listener.get()](const std::shared_ptr<const http2::Descriptor>& socket, const std::string& name) {
        // What was wrong with the process's own credentials has been said when they were taken.
        if (!l->transport_->Adopt(socket, name)) l->Left(name, *socket);
      });
  return listener;
}

Listener::~Listener() { Shutdown(Duration::zero()); }

void Listener::SetServing(bool serving) {
  health_.Set("", serving);
  for (const auto& service : services_) {
    const auto methods = service->Methods();
    health_.Set(std::string(ServiceOf(methods.begin()->first)), service != services_.front() || serving);
  }
}

void Listener::Shutdown(Duration grace) {
  if (transport_ == nullptr) return;
  door_->StopListening();
  transport_->Drain(grace);
  door_.reset();
  transport_.reset();
}

std::optional<http2::CallStatus> Listener::Begins(const http2::Call& call) {
  if (!methods_.contains(call.path())) {
    return http2::Failure(http2::Code::kUnimplemented, "this server has no such method");
  }
  const std::string& who = call.peer().who;
  if (!limits_.CallBegan(who)) {
    return http2::Failure(http2::Code::kResourceExhausted, "too many calls have been begun and not sent to their end");
  }
  if (call.path() == kHistoryMethod) limits_.HistoryBegan(who);
  return std::nullopt;
}

void Listener::Arrived(std::shared_ptr<http2::Call> call) {
  limits_.CallArrived(call->peer().who);
  const MethodHandler& handler = methods_.find(call->path())->second;
  handler(std::move(call));
}

void Listener::Ended(const http2::Call& call, bool arrived, bool answered) {
  const http2::Peer& peer = call.peer();
  if (!arrived) limits_.CallArrived(peer.who);
  if (!answered) limits_.Wasted(peer.who, peer.name);
  if (call.path() == kHistoryMethod) limits_.HistoryEnded(peer.who);
}

void Listener::Left(const std::string& name, const http2::Descriptor& socket) {
  limits_.connections().Leave(name, socket, clock_.Read().monotonic);
}

}  // namespace strife::rpc
