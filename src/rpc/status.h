// ApiError to gRPC status with `grpc-status-details-bin`, and back.
#pragma once

#include <grpcpp/support/status.h>

#include <optional>

#include "rpc/api.h"
#include "strife/v1/types.pb.h"

namespace strife::rpc {

void FillErrorDetail(const ApiError& error, v1::ErrorDetail& detail);

grpc::Status ToGrpcStatus(const ApiError& error);

// The ErrorDetail of a status Strife has made; nullopt for any other status.
std::optional<v1::ErrorDetail> ErrorDetailOf(const grpc::Status& status);

}  // namespace strife::rpc
