#include "rpc/health_server.h"

namespace strife::rpc {
namespace {

std::string StatusMessage(grpc::health::v1::HealthCheckResponse::ServingStatus status) {
  grpc::health::v1::HealthCheckResponse response;
  response.set_status(status);
  return response.SerializeAsString();
}

}  // namespace

MethodTable HealthService::Methods() {
  return {Method("/grpc.health.v1.Health/Check", admission_, this, &HealthService::Check),
          Method("/grpc.health.v1.Health/Watch", admission_, this, &HealthService::Watch)};
}

void HealthService::Set(const std::string& service, bool serving) {
  const std::lock_guard lock(mutex_);
  Subject& subject = subjects_[service];
  subject.status = serving ? Response::SERVING : Response::NOT_SERVING;
  std::erase_if(subject.watchers, [](const auto& watcher) { return watcher.expired(); });
  for (const auto& watcher : subject.watchers) {
    if (const auto call = watcher.lock()) call->Send(StatusMessage(subject.status));
  }
}

void HealthService::Check(const ServedHealth& served) {
  Serve<Response::ServingStatus>(
      admission_, served,
      [&](const Caller&, Done<Response::ServingStatus> done) {
        std::unique_lock lock(mutex_);
        const auto found = subjects_.find(served->request.service());
        const auto status = found == subjects_.end() ? Response::SERVICE_UNKNOWN : found->second.status;
        lock.unlock();
        if (status != Response::SERVICE_UNKNOWN) return done(status);
        done(std::unexpected(ApiError{
            .code = ApiCode::kNotFound, .reason_code = "NOT_FOUND", .message = "this server has no such service"}));
      },
      [](Response::ServingStatus status, Response& response) { response.set_status(status); });
}

// Never finished: it ends with the caller, the connection, or the time that calls may last.
void HealthService::Watch(const ServedHealth& served) {
  const std::lock_guard lock(mutex_);
  const auto found = subjects_.find(served->request.service());
  if (found != subjects_.end()) found->second.watchers.push_back(served->call);
  served->call->Send(StatusMessage(found == subjects_.end() ? Response::SERVICE_UNKNOWN : found->second.status));
}

}  // namespace strife::rpc
