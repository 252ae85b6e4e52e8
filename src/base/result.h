// Result<T>: a value, or an Error that says in one sentence what happened, to what, and what to do.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace strife {

enum class ErrorCode {
  kInvalidInput,       // malformed or contradictory input; the same input fails again
  kUsage,              // the command line makes no sense
  kNotFound,           // the thing named does not exist
  kAlreadyExists,      // would overwrite something
  kPermissionDenied,   // not allowed, or a file's mode is too open
  kUnauthenticated,    // no or no longer valid credentials
  kUnavailable,        // the other side cannot be reached or is not ready; may work later
  kResourceExhausted,  // a limit was reached before anything was done
  kFenced,             // a newer incarnation has taken the store over
  kMalformed,          // a stored row makes no sense; the rows around it can still be read
  kStorage,            // reading or writing durable state failed; the process must not go on serving
  kUnknownOutcome,     // the request may or may not have taken effect; ask again with the same id
  kInternal,
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // one sentence without a trailing full stop
};

template <typename T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> Fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

}  // namespace strife
