// What both servers' interfaces have in common, in plain types: who calls, how an answer is given, how a call fails.
#pragma once

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
