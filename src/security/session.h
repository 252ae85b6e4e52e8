// Sessions: what a login leaves behind, and what becomes of its refresh tokens. PURE: no clock, no randomness, no I/O;
// the gateway's engine runs it like the coordinator: collect keys, load rows, step, commit the records, then answer.
//
// A session is a family of refresh tokens. Refreshing uses one up and makes the next. Answers get lost, though, and
// then the holder knows only the token that was used up. So the token used last may be shown again, and another
// successor is made of it, as long as none of its successors has been used. The first of them to be used takes the
// session on, and leaves behind the token they were made of and the other successors. One that was left behind and is
// shown all the same was in two hands, so the whole session is revoked (RFC 9700, section 4.14.2).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <variant>

#include "base/time.h"
#include "env/gateway_store.h"
#include "protocol/types.h"

namespace strife::security {

// For the log and the tests; callers of the API are told only UNAUTHENTICATED.
enum class SessionResult : std::uint8_t {
  kOk = 1,
  kUnknown = 2,           // no such token or session
  kExpired = 3,           // token or session past its end
  kRevoked = 4,           // the session was revoked before
  kReused = 5,            // the session had left the token behind; it is revoked by this
  kOtherCertificate = 6,  // bound to another certificate; nothing has changed
  kNotAdmitted = 7,       // the user is suspended, disabled, or has a new password; nothing has changed
  kTooOften = 8,          // the session is refreshed more often than it may be; nothing has changed
};

// A user has logged in.
struct SessionOpened {
  protocol::ReplyTo reply_to;
  SessionRecord session;
  RefreshTokenRecord refresh_token;
};

// Somebody shows a refresh token.
struct RefreshPresented {
  protocol::ReplyTo reply_to;
  Sha256 token_hash{};
  Sha256 certificate_thumbprint{};  // of the connection it came over
  Sha256 new_token_hash{};          // of the token to hand out if it is good
  WallTime new_expires_at;          // cut off at the session's own end
  // Whether the session's user may go on just now: kOk, or why not. Asked before a good token is used up; what is
  // refused changes nothing. Must answer from memory. Empty: nobody is refused.
  std::function<SessionResult(const SessionRecord&)> admit{};
};

// Logout, or an operator ending a session.
struct SessionRevoked {
  protocol::ReplyTo reply_to;
  Uuid session_id;
  std::optional<protocol::AuditOrigin> ended_by{};  // the operator; none: the user has logged out
};

using SessionInput = std::variant<SessionOpened, RefreshPresented, SessionRevoked>;

struct SessionOutcome {
  protocol::ReplyTo reply_to;
  SessionResult result = SessionResult::kUnknown;
  // As it is after the step. Set with kOk, kRevoked and kReused. When its revoked_at is set, add it to RevokedSessions
  // as soon as the records are durable.
  std::optional<SessionRecord> session;
  WallTime refresh_expires_at;  // of the refresh token now good; with kOk of an opened or refreshed session
};

class Sessions {
 public:
  // Adds what Step needs to find in `rows`.
  static void CollectKeys(const SessionInput& input, GatewayKeys& keys);

  // Decides one input. `rows` is the working set of the batch: it is kept up to date, so that the next input of the
  // same batch sees what this one did. What must become durable before the outcome is told is appended to `records`.
  // Revoking a session that is revoked already is kOk and writes nothing.
  static SessionOutcome Step(const Now& now, const SessionInput& input, GatewayRows& rows, GatewayRecords& records);
};

}  // namespace strife::security
