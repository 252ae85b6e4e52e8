#include "rpc/health_client.h"

#include <memory>

#include "base/text.h"
#include "grpc/health/v1/health.pb.h"
#include "rpc/ask_once.h"

namespace strife::rpc {

Status CheckHealth(const std::string& endpoint, const security::Credentials& credentials,
                   const security::Identity& expected, Duration timeout) {
  using grpc::health::v1::HealthCheckResponse;
  const auto asked = AskOnce<HealthCheckResponse>(
      {endpoint, std::make_shared<const security::Credentials>(credentials), expected}, "/grpc.health.v1.Health/Check",
      grpc::health::v1::HealthCheckRequest(), DeadlineIn(timeout));  // for the server as a whole
  if (!asked) return Fail(ErrorCode::kUnavailable, Sanitize(asked.error(), 512));
  const auto& [status, response] = *asked;
  if (!Is(status, http2::Code::kOk)) return Fail(ErrorCode::kUnavailable, Sanitize(status.message, 512));
  if (response.status() != HealthCheckResponse::SERVING) {
    return Fail(ErrorCode::kUnavailable, "it says that it is not serving");
  }
  return {};
}

}  // namespace strife::rpc
