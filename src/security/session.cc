#include "security/session.h"

#include <algorithm>

#include "base/assert.h"

namespace strife::security {
namespace {

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

void Write(const SessionRecord& session, GatewayRows& rows, GatewayRecords& records) {
  rows.sessions.insert_or_assign(session.session_id, session);
  records.sessions.push_back(session);
}

void Write(const RefreshTokenRecord& token, GatewayRows& rows, GatewayRecords& records) {
  rows.refresh_tokens.insert_or_assign(token.token_hash, token);
  records.refresh_tokens.push_back(token);
}

void Audit(protocol::AuditEvent event, const Now& now, const SessionRecord& session, GatewayRecords& records) {
  protocol::AuditRecord& record = records.audit.emplace_back();
  record.event = event;
  record.at = now.wall;
  record.actor = "user/" + session.username;
  record.subject = session.session_id.ToString();
}

SessionOutcome Open(const SessionOpened& opened, GatewayRows& rows, GatewayRecords& records) {
  STRIFE_ASSERT(opened.refresh_token.session_id == opened.session.session_id);
  STRIFE_ASSERT(!opened.session.revoked_at && !opened.refresh_token.used_at);
  STRIFE_ASSERT(opened.refresh_token.generation == opened.session.generation + 1);
  RefreshTokenRecord token = opened.refresh_token;
  token.expires_at = std::min(token.expires_at, opened.session.expires_at);
  Write(opened.session, rows, records);
  Write(token, rows, records);
  return {opened.reply_to, SessionResult::kOk, opened.session, token.expires_at};
}

// Whether the token is the one used last or a successor of that which may be used next. The session has left all others
// behind.
bool IsCurrent(const RefreshTokenRecord& token, const SessionRecord& session) {
  return token.generation == (token.used_at ? session.generation : session.generation + 1);
}

SessionOutcome Refresh(const Now& now, const RefreshPresented& presented, GatewayRows& rows, GatewayRecords& records) {
  const auto refuse = [&](SessionResult result, std::optional<SessionRecord> session = std::nullopt) {
    return SessionOutcome{presented.reply_to, result, std::move(session), {}};
  };
  const auto token_row = rows.refresh_tokens.find(presented.token_hash);
  if (token_row == rows.refresh_tokens.end()) return refuse(SessionResult::kUnknown);
  const auto session_row = rows.sessions.find(token_row->second.session_id);
  if (session_row == rows.sessions.end()) return refuse(SessionResult::kUnknown);

  // Copies: Write replaces the rows.
  RefreshTokenRecord token = token_row->second;
  SessionRecord session = session_row->second;
  if (session.revoked_at) return refuse(SessionResult::kRevoked, session);
  // Before anything that changes state, so that whoever has a copy of a token but not the certificate changes nothing.
  if (session.certificate_thumbprint != presented.certificate_thumbprint) {
    return refuse(SessionResult::kOtherCertificate);
  }
  if (!IsCurrent(token, session)) {
    session.revoked_at = now.wall;
    Write(session, rows, records);
    Audit(protocol::AuditEvent::kRefreshTokenReused, now, session, records);
    return refuse(SessionResult::kReused, session);
  }
  if (now.wall >= token.expires_at || now.wall >= session.expires_at) return refuse(SessionResult::kExpired);

  const SessionResult admitted = presented.admit ? presented.admit(session) : SessionResult::kOk;
  if (admitted != SessionResult::kOk) return refuse(admitted);

  if (!token.used_at) {
    token.used_at = now.wall;
    Write(token, rows, records);
    session.generation = token.generation;
    Write(session, rows, records);
  }
  const RefreshTokenRecord next{presented.new_token_hash, session.session_id,
                                std::min(presented.new_expires_at, session.expires_at), std::nullopt,
                                token.generation + 1};
  Write(next, rows, records);
  return {presented.reply_to, SessionResult::kOk, session, next.expires_at};
}

SessionOutcome Revoke(const Now& now, const SessionRevoked& revoked, GatewayRows& rows, GatewayRecords& records) {
  const auto row = rows.sessions.find(revoked.session_id);
  if (row == rows.sessions.end()) return {revoked.reply_to, SessionResult::kUnknown, std::nullopt, {}};
  SessionRecord session = row->second;
  if (!session.revoked_at) {
    session.revoked_at = now.wall;
    Write(session, rows, records);
    Audit(revoked.ended_by ? protocol::AuditEvent::kSessionEnded : protocol::AuditEvent::kLogout, now, session,
          records);
    if (revoked.ended_by) {
      protocol::AuditRecord& record = records.audit.back();
      record.detail = "user=" + session.username;
      record.actor = revoked.ended_by->actor;
      record.peer = revoked.ended_by->peer;
    }
  }
  return {revoked.reply_to, SessionResult::kOk, session, {}};
}

}  // namespace

void Sessions::CollectKeys(const SessionInput& input, GatewayKeys& keys) {
  std::visit(Overloaded{
                 [](const SessionOpened&) {},  // its ids are fresh
                 [&](const RefreshPresented& presented) { keys.refresh_tokens.push_back(presented.token_hash); },
                 [&](const SessionRevoked& revoked) { keys.sessions.push_back(revoked.session_id); },
             },
             input);
}

SessionOutcome Sessions::Step(const Now& now, const SessionInput& input, GatewayRows& rows, GatewayRecords& records) {
  return std::visit(Overloaded{
                        [&](const SessionOpened& opened) { return Open(opened, rows, records); },
                        [&](const RefreshPresented& presented) { return Refresh(now, presented, rows, records); },
                        [&](const SessionRevoked& revoked) { return Revoke(now, revoked, rows, records); },
                    },
                    input);
}

}  // namespace strife::security
