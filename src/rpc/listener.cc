#include "rpc/listener.h"

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

constexpr int kMaxConnectionAgeMs = 3'600'000;  // so that a renewed certificate takes hold with every peer
constexpr int kMaxConnectionAgeGraceMs = 30'000;
constexpr int kMaxConcurrentStreams = 1024;  // calls of one connection at a time
constexpr int kMinPingIntervalMs = 10'000;
constexpr int kMaxPingStrikes = 2;
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
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, static_cast<int>(limits::kMaxMetadataBytes));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxConcurrentStreams);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, kMaxConnectionAgeMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, kMaxConnectionAgeGraceMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMinPingIntervalMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, kMaxPingStrikes);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  // Two processes must not share a port by accident: the second is told so.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

}  // namespace

AdmissionOptions AdmissionFor(const ServerOptions& options) {
  return {
      .credentials = options.credentials, .check_token = nullptr, .stats = options.stats, .refused = options.refused};
}

Result<std::unique_ptr<Server>> Listener::Start(const ServerOptions& options, std::vector<ServedService> services) {
  for (const ServedService& served : services) {
    if (Status covered = CheckPolicy(served.name); !covered) return std::unexpected(covered.error());
  }
  SetUpGrpc();
  auto listener = std::unique_ptr<Listener>(new Listener(std::move(services)));
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  SetLimits(builder);
  int port = 0;
  listener->tls_ = ServerTls(*options.credentials);
  builder.AddListeningPort(options.listen, listener->tls_, &port);
  for (const ServedService& served : listener->services_) builder.RegisterService(served.service.get());
  builder.experimental().SetInterceptorCreators(LoggingInterceptors(options));
  listener->server_ = builder.BuildAndStart();
  if (listener->server_ == nullptr || port == 0) {
    return Fail(ErrorCode::kUnavailable, "cannot listen on " + options.listen +
                                             ": the address is wrong or another process uses the port; change `listen` "
                                             "or stop that process");
  }
  listener->SetServing(false);
  return listener;
}

Listener::~Listener() { Shutdown(Duration::zero()); }

void Listener::SetServing(bool serving) {
  grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService();
  health->SetServingStatus(serving);
  for (const ServedService& served : services_) health->SetServingStatus(served.name, serving);
}

void Listener::Shutdown(Duration grace) {
  if (server_ == nullptr) return;
  server_->Shutdown(std::chrono::system_clock::now() + grace);
  server_->Wait();
}

}  // namespace strife::rpc
