// LoginThrottle: how often somebody may guess at passwords. PURE, as session.h: the gateway's engine collects keys,
// loads the counters, steps, commits, and only then a password is looked at.
//
// A failure is counted before the password is hashed, durably, and taken back when the password was right. So guesses
// that run at once are counted each, and whoever makes the gateway crash gains none.
//
// What is counted, and why nobody can be locked out by somebody else:
//   device       a user under one client certificate. After kMaxDeviceLoginFailures failures it is locked: for a
//   quarter
//                of an hour, then for twice as long after each further failure, up to four hours.
//   user         all unfamiliar devices of a user together, against guessing from many certificates.
//   certificate  all unfamiliar devices under a certificate, against trying one password on many users.
//   address      the same for a network address.
// A device is familiar once it has logged in, for kFamiliarFor. A familiar device answers for its own failures only:
// whatever others do to its user, its certificate or its address, it gets in. The last three never lock, they make
// strangers wait, for at most a quarter of an hour or a minute at a time. Names that do not exist are counted like
// others, so that a refusal tells nothing. Logins that succeed or fail are audited in the transaction that counts them;
// ones that are blocked are not, for their number has no bound.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/time.h"
#include "env/gateway_store.h"
#include "security/session.h"

namespace strife::security {

inline constexpr Duration kFamiliarFor = std::chrono::hours(24 * 90);

// Who tries to log in as whom.
struct LoginAttempt {
  std::string username;     // as given; need not exist
  std::string certificate;  // name of the client certificate, which outlives its renewal
  std::string address;      // without port
  bool familiar = false;    // set by the throttle in its outcome of LoginBegun
};

// Before the password is looked at.
struct LoginBegun {
  protocol::ReplyTo reply_to;
  LoginAttempt attempt;
};

// The password was wrong, or the user does not exist or is disabled.
struct LoginFailed {
  protocol::ReplyTo reply_to;
  LoginAttempt attempt;  // as the outcome of its LoginBegun had it
};

// The password was right: its session begins in the same step. `session.reply_to` is that of this input.
struct LoginSucceeded {
  protocol::ReplyTo reply_to;
  LoginAttempt attempt;  // as the outcome of its LoginBegun had it
  SessionOpened session;
};

// From time to time: counters that mean nothing any more are deleted, and sessions that expired before
// `sessions_before` with their refresh tokens.
struct LoginsPruned {
  protocol::ReplyTo reply_to;
  WallTime sessions_before{};
};

using LoginInput = std::variant<LoginBegun, LoginFailed, LoginSucceeded, LoginsPruned>;

enum class LoginResult : std::uint8_t {
  kGoOn = 1,     // look at the password, then send LoginFailed or LoginSucceeded
  kBlocked = 2,  // do not; nothing was counted
  kFailed = 3,
  kSucceeded = 4,
  kPruned = 5,
};

struct LoginOutcome {
  protocol::ReplyTo reply_to;
  LoginResult result = LoginResult::kBlocked;
  LoginAttempt attempt;
  // kBlocked: what blocks, and until when. kFailed: the same for what comes next, if this failure is one that blocks.
  std::optional<LoginScope> scope;
  WallTime blocked_until;
  std::optional<SessionOutcome> session;  // kSucceeded
};

class LoginThrottle {
 public:
  // As Sessions.
  static void CollectKeys(const LoginInput& input, GatewayKeys& keys);
  static LoginOutcome Step(const Now& now, const LoginInput& input, GatewayRows& rows, GatewayRecords& records);
};

}  // namespace strife::security
