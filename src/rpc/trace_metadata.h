// The caller's trace context out of a call's metadata.
#pragma once

#include <grpcpp/server_context.h>

#include <optional>
#include <string_view>

#include "protocol/trace_context.h"

namespace strife::rpc {

// nullopt when there is none, more than one, or one that the recommendation calls invalid.
template <typename Context>
std::optional<protocol::TraceContext> TraceContextOf(const Context& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find("traceparent");
  if (found == metadata.end() || metadata.count("traceparent") != 1) return std::nullopt;
  return protocol::ParseTraceparent(std::string_view(found->second.data(), found->second.size()));
}

}  // namespace strife::rpc
