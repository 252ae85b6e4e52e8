// gRPC status codes as words.
#pragma once

#include <cstddef>
#include <iterator>
#include <string_view>

namespace strife::rpc {

constexpr std::string_view CodeName(std::size_t code) {
  constexpr std::string_view kNames[] = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  return code < std::size(kNames) ? kNames[code] : "UNKNOWN";
}

}  // namespace strife::rpc
