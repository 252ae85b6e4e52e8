#include "client/session_keeper.h"

#include <algorithm>
#include <chrono>

#include "runtime/system_clock.h"

namespace strife::client {
namespace {

using rpc::CallError;
using rpc::CallResult;

// Tokens are renewed this long before they run out, so that none runs out on its way.
constexpr Duration kRenewBefore = std::chrono::seconds(20);

}  // namespace

CallError LocalError(Error error) {
  return {.error = std::move(error),
          .delivery = rpc::Delivery::kNotSent,
          .retryable = false,
          .reason_code = {},
          .field = {},
          .prior = {},
          .pushback = {}};
}

Session SessionKeeper::FromGrant(const std::string& username, rpc::SessionGrant grant) const {
  return {.gateway = gateway_.endpoint(),
          .username = username,
          .access_token = std::move(grant.access_token),
          .access_expires_at = grant.expires_at,
          .refresh_token = std::move(grant.refresh_token),
          .refresh_expires_at = grant.refresh_expires_at,
          .accounts = std::move(grant.accounts)};
}

Result<Session> StoredSession(const ClientConfig& config) {
  auto session = SessionFile(config.data_dir).Load();
  if (!session) return session;
  const auto endpoints = config.Endpoints();
  if (std::ranges::find(endpoints, session->gateway) == endpoints.end()) {
    return Fail(ErrorCode::kUnauthenticated, "the session in " + config.data_dir.string() + " is with the gateway at " +
                                                 session->gateway + ", not " + endpoints.front() +
                                                 "; run strife login USER");
  }
  return session;
}

CallResult<std::string> SessionKeeper::AccessToken(const std::string& user, const std::string& refused) {
  const auto usable = [&](const Session& session) {
    return session.access_token != refused && session.access_expires_at - kRenewBefore > runtime::WallNow() &&
           (user.empty() || session.username == user);
  };
  if (session_ && usable(*session_)) return session_->access_token;
  auto lock = file_.Lock();
  if (!lock) return std::unexpected(LocalError(lock.error()));
  auto current = StoredSession(config_);
  if (!current) return std::unexpected(LocalError(current.error()));
  session_ = std::move(*current);
  if (!user.empty() && session_->username != user) {
    return std::unexpected(LocalError({ErrorCode::kUnauthenticated, session_->username + " is logged in, not " + user +
                                                                        "; run strife login " + user}));
  }
  if (usable(*session_)) return session_->access_token;  // another process has renewed it
  return Renew();
}

CallResult<std::string> SessionKeeper::Renew() {
  auto grant = gateway_.RefreshSession(session_->refresh_token);
  renewed_(grant ? nullptr : &grant.error());
  if (!grant) {
    CallError error = std::move(grant.error());
    if (error.error.code == ErrorCode::kUnauthenticated) {
      error.error.message =
          "the session of " + session_->username + " has ended; run strife login " + session_->username;
    } else {
      error.delivery = rpc::Delivery::kNotSent;  // what the token was wanted for
    }
    return std::unexpected(std::move(error));
  }
  session_ = FromGrant(session_->username, std::move(*grant));
  if (auto saved = file_.Save(*session_); !saved) return std::unexpected(LocalError(saved.error()));
  return session_->access_token;
}

Status SessionKeeper::Keep(const Session& session) {
  auto lock = file_.Lock();
  if (!lock) return std::unexpected(lock.error());
  session_ = session;
  return file_.Save(session);
}

Status SessionKeeper::Forget() {
  session_.reset();
  auto lock = file_.Lock();
  if (!lock) return std::unexpected(lock.error());
  return file_.Remove();
}

}  // namespace strife::client
