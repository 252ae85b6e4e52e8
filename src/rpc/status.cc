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

std::string SerializedStatus(const ApiError& error) {
  v1::ErrorDetail detail;
  FillErrorDetail(error, detail);
  v1::RpcStatus status;
  status.set_code(static_cast<int>(error.code));
  status.set_message(error.message);
  status.add_details()->PackFrom(detail);
  return status.SerializeAsString();
}

std::optional<v1::ErrorDetail> ErrorDetailOf(const std::string& details) {
  v1::RpcStatus parsed;
  if (details.empty() || !parsed.ParseFromString(details)) return std::nullopt;
  for (const auto& any : parsed.details()) {
    v1::ErrorDetail detail;
    if (any.UnpackTo(&detail)) return detail;
  }
  return std::nullopt;
}

}  // namespace strife::rpc
