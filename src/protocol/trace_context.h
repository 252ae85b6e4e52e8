// TraceContext: where a request belongs in a caller's distributed trace.
//
// Source: W3C Trace Context, Recommendation, version 00 of `traceparent`. `tracestate` is not carried.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.h"

namespace strife::protocol {

struct TraceContext {
  std::array<std::uint8_t, 16> trace_id{};  // the same on the whole way
  std::array<std::uint8_t, 8> parent_id{};  // of whoever has sent it on
  bool sampled = false;

  bool operator==(const TraceContext&) const = default;
};

// nullopt for what the recommendation calls invalid, which is to be taken as if it were not there. Of a later version
// what it has in common with this one is read.
std::optional<TraceContext> ParseTraceparent(std::string_view text);
std::string ToTraceparent(const TraceContext& context);
// 32 hexadecimal digits.
std::string TraceIdText(const TraceContext& context);

// The context to send on: a parent id of its own, made from the payment's and the sender's number of this process's
// life, so that the core draws no random number and no two hops have the same.
TraceContext NextHop(const TraceContext& context, const Uuid& payment, std::uint64_t epoch);

}  // namespace strife::protocol
