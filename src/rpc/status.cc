#include "rpc/status.h"

#include "rpc/convert.h"

namespace strife::rpc {

void FillErrorDetail(const ApiError& error, v1::ErrorDetail& detail) {
  detail.set_reason_code(error.reason_code);
  detail.set_message(error.message);
  detail.set_retryable(error.retryable);
  detail.set_field(error.field);
  if (error.prior) ToProto(*error.prior, *detail.mutable_prior());
}

grpc::Status ToGrpcStatus(const ApiError& error) {
  v1::ErrorDetail detail;
  FillErrorDetail(error, detail);
  v1::RpcStatus status;
  status.set_code(static_cast<int>(error.code));
  status.set_message(error.message);
  status.add_details()->PackFrom(detail);
  return {static_cast<grpc::StatusCode>(error.code), error.message, status.SerializeAsString()};
}

std::optional<v1::ErrorDetail> ErrorDetailOf(const grpc::Status& status) {
  v1::RpcStatus parsed;
  if (status.error_details().empty() || !parsed.ParseFromString(status.error_details())) return std::nullopt;
  for (const auto& any : parsed.details()) {
    v1::ErrorDetail detail;
    if (any.UnpackTo(&detail)) return detail;
  }
  return std::nullopt;
}

}  // namespace strife::rpc
