#include "rpc/listener.h"

#include <grpcpp/resource_quota.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "base/limits.h"
#include "rpc/grpc_setup.h"
#include "rpc/interceptors.h"
#include "rpc/tls.h"
#include "security/policy.h"
#include "strife/v1/bank.pb.h"

namespace strife::rpc {
namespace {

constexpr int kMaxConnectionAgeGraceMs = 30'000;
constexpr int kKeepaliveTimeMs = 30'000;
constexpr int kKeepaliveTimeoutMs = 10'000;

Status CheckPolicy(const std::string& service_name) {
  const auto* service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(service_name);
  if (service == nullptr) return Fail(ErrorCode::kInternal, "service " + service_name + " is not compiled in");
  std::vector<std::string> methods;
  methods.reserve(static_cast<std::size_t>(service->method_count()));
  for (int i = 0; i < service->method_count(); ++i) {
    methods.push_back("/" + service_name + "/" + service->method(i)->name());
  }
  if (const auto missing = security::MissingFromPolicy(methods); !missing.empty()) {
    return Fail(ErrorCode::kInternal, "method " + missing.front() + " has no row in the policy table");
  }
  return {};
}

void SetLimits(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(static_cast<int>(limits::kMaxMessageBytes));
  builder.SetResourceQuota(grpc::ResourceQuota("calls").Resize(limits::kMaxRequestMemoryBytes));
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, static_cast<int>(limits::kMaxMetadataBytes));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, limits::kMaxCallsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, limits::kMaxHandshakeSeconds * 1000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, limits::kMaxConnectionIdleSeconds * 1000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, limits::kMaxConnectionAgeSeconds * 1000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, kMaxConnectionAgeGraceMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             limits::kMinPingIntervalSeconds * 1000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, limits::kMaxPingStrikes);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);  // nobody asks for it, and it counts every call
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
}

// Health is gRPC's own service and has no handler of ours that would ask the policy, so this does.
bool MayAskAboutHealth(std::string_view uri, std::string_view method) {
  const auto caller = security::Identity::FromUri(uri);
  return caller && security::AuthorizeCertificate(security::FindPolicy(method), *caller);
}

std::optional<BeginRefusal> WhyNotBegin(PeerLimits& limits, std::string_view uri, std::string_view method) {
  if (method.starts_with("/grpc.health.v1.Health/") && !MayAskAboutHealth(uri, method)) {
    return BeginRefusal{grpc::StatusCode::PERMISSION_DENIED, "this certificate may not call this method"};
  }
  if (!limits.CallBegan(CertificateOf(uri))) {
    return BeginRefusal{grpc::StatusCode::RESOURCE_EXHAUSTED,
                        "too many calls have been begun and not sent to their end"};
  }
  return std::nullopt;
}

}  // namespace

AdmissionOptions AdmissionFor(const ServerOptions& options) {
  return {.credentials = options.credentials,
          .check_token = nullptr,
          .stats = options.stats,
          .limits = options.limits,
          .refused = options.refused,
          .operators = options.operators};
}

// Twice what the server may take: whoever has sent all of a call gets an answer.
Listener::Listener(const ServerOptions& options, std::vector<ServedService> services, Clock& clock)
    : services_(std::move(services)),
      calls_(*options.limits, clock,
             std::max<Duration>(std::chrono::seconds(limits::kMaxCallSeconds), 2 * options.longest_answer)) {}

Result<std::unique_ptr<Server>> Listener::Start(const ServerOptions& options, std::vector<ServedService> services,
                                                Clock& clock) {
  for (const ServedService& served : services) {
    if (Status covered = CheckPolicy(served.name); !covered) return std::unexpected(covered.error());
  }
  SetUpGrpc();
  auto listener = std::unique_ptr<Listener>(new Listener(options, std::move(services), clock));
  auto door = Door::Open(options.listen, *options.limits, clock);
  if (!door) return std::unexpected(door.error());
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  SetLimits(builder);
  listener->tls_ =
      ServerTls(*options.credentials, [limits = options.limits](std::string_view uri, std::string_view method) {
        return WhyNotBegin(*limits, uri, method);
      });
  listener->acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, listener->tls_);
  for (const ServedService& served : listener->services_) builder.RegisterService(served.service.get());
  auto interceptors = LoggingInterceptors(options);
  interceptors.push_back(listener->calls_.Interceptors());
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  listener->server_ = builder.BuildAndStart();
  if (listener->server_ == nullptr) return Fail(ErrorCode::kInternal, "gRPC cannot start its server");
  listener->SetServing(false);
  listener->door_ = *std::move(door);
  listener->door_->Start(
      [acceptor = listener->acceptor_.get()](int fd) {
        grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
        connection.fd = fd;
        acceptor->HandleNewConnection(&connection);
      },
      [calls = &listener->calls_] { calls->EndOverdue(); });
  return listener;
}

Listener::~Listener() { Shutdown(Duration::zero()); }

void Listener::SetServing(bool serving) {
  grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService();
  health->SetServingStatus("", serving);
  health->SetServingStatus(services_.front().name, serving);
  for (std::size_t i = 1; i < services_.size(); ++i) health->SetServingStatus(services_[i].name, true);
}

void Listener::Shutdown(Duration grace) {
  if (server_ == nullptr) return;
  if (door_ != nullptr) door_->StopListening();
  server_->Shutdown(std::chrono::system_clock::now() + grace);
  server_->Wait();
}

}  // namespace strife::rpc
