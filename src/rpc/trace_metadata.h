// The caller's trace context out of a call's metadata.
#pragma once

#include <optional>

#include "http2/call.h"
#include "protocol/trace_context.h"

namespace strife::rpc {

// nullopt when there is none, more than one, or one that the recommendation calls invalid.
inline std::optional<protocol::TraceContext> TraceContextOf(const http2::Call& call) {
  const auto text = call.Metadata("traceparent");
  return text ? protocol::ParseTraceparent(*text) : std::nullopt;
}

}  // namespace strife::rpc
