// What both servers' interfaces have in common, in plain types: who calls, how an answer is given, how a call fails.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/money.h"
#include "base/time.h"
#include "protocol/types.h"
#include "security/certificate.h"
#include "security/token.h"

namespace strife::rpc {

// Values are those of google.rpc.Code.
enum class ApiCode : std::uint8_t {
  kInvalidArgument = 3,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kInternal = 13,
  kUnavailable = 14,
  kUnauthenticated = 16,
};

// Becomes the status and the ErrorDetail of a failed call.
struct ApiError {
  ApiCode code = ApiCode::kInternal;
  std::string reason_code{};  // ISO 20022 or named, upper case
  std::string message{};      // one sentence for a person
  bool retryable = false;
  std::string field{};  // request field at fault
  std::optional<protocol::PaymentRecord> prior{};
  std::optional<Duration> retry_after{};  // server pushback
};

// `message` goes on from the field's name: InvalidField("memo", "is too long").
inline ApiError InvalidField(const std::string& field, const std::string& message) {
  return {.code = ApiCode::kInvalidArgument,
          .reason_code = "INVALID_ARGUMENT",
          .message = field + " " + message,
          .field = field};
}

// Refused before anything was recorded; `who` is busy.
inline ApiError Overloaded(const std::string& who) {
  return {.code = ApiCode::kResourceExhausted,
          .reason_code = "OVERLOADED",
          .message = who + " is busy; nothing was recorded, send the same request again in a moment",
          .retryable = true,
          .retry_after = std::chrono::milliseconds(200)};
}

template <typename T>
using ApiResult = std::expected<T, ApiError>;

// Gives the answer of a call. Must be called exactly once, from any thread.
template <typename T>
using Done = std::move_only_function<void(ApiResult<T>)>;

struct Nothing {};

// Who is calling, admitted and authorised for the method.
struct Caller {
  std::shared_ptr<const security::Certificate> certificate;
  std::string peer_address;
  std::optional<security::AccessTokenClaims> claims;  // verified; set when the method's policy asks for a token
};

struct Balance {
  Money posted;
  Money held;
  Money available;
  WallTime as_of;
};

}  // namespace strife::rpc
