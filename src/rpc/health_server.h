// What a server says of its health: grpc.health.v1.Health.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "grpc/health/v1/health.pb.h"
#include "rpc/serve.h"

namespace strife::rpc {

// Thread-safe.
class HealthService final : public ServedService {
 public:
  HealthService(AdmissionOptions admission, Clock& clock) : admission_(std::move(admission), clock) {}

  MethodTable Methods() override;
  // Of a service by its full name, or of the server as a whole under the empty one.
  void Set(const std::string& service, bool serving);

 private:
  using Response = grpc::health::v1::HealthCheckResponse;
  using ServedHealth = ServedPtr<grpc::health::v1::HealthCheckRequest, Response>;
  struct Subject {
    Response::ServingStatus status = Response::SERVICE_UNKNOWN;
    std::vector<std::weak_ptr<http2::Call>> watchers;
  };

  void Check(const ServedHealth& served);
  void Watch(const ServedHealth& served);

  Admission admission_;
  std::mutex mutex_;
  std::unordered_map<std::string, Subject> subjects_;  // guarded by mutex_
};

}  // namespace strife::rpc
