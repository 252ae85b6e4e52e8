// ApiError to what `grpc-status-details-bin` carries, and back.
#pragma once

#include <optional>
#include <string>

#include "rpc/api.h"
#include "strife/v1/types.pb.h"

namespace strife::rpc {

void FillErrorDetail(const ApiError& error, v1::ErrorDetail& detail);

// google.rpc.Status with the error as its detail, serialised.
std::string SerializedStatus(const ApiError& error);

// The ErrorDetail in them; nullopt when they are not of Strife's making.
std::optional<v1::ErrorDetail> ErrorDetailOf(const std::string& details);

}  // namespace strife::rpc
