// SessionKeeper: a user's session between the file it is kept in and the gateway that gave it; renews it silently.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "client/config.h"
#include "client/session_file.h"
#include "rpc/gateway_client.h"

namespace strife::client {

// An error of this process, before anything was sent.
rpc::CallError LocalError(Error error);

// The session in the data directory; asks nobody. kUnauthenticated when there is none for these gateways.
Result<Session> StoredSession(const ClientConfig& config);

// Not thread-safe. Several processes may share one data directory: whoever renews the session does it for all.
class SessionKeeper {
 public:
  // `renewed` is told how each renewal went. The gateway must outlive the keeper.
  using Renewed = std::function<void(const rpc::CallError* error)>;
  SessionKeeper(const ClientConfig& config, rpc::GatewayClient& gateway, Renewed renewed)
      : config_(config), gateway_(gateway), file_(config.data_dir), renewed_(std::move(renewed)) {}

  // A token of `user` (of whoever is logged in when empty) that is good for some seconds at least, and not `refused`.
  // Of an error nothing more than this call is true: no payment was sent with it.
  rpc::CallResult<std::string> AccessToken(const std::string& user, const std::string& refused);

  Status Keep(const Session& session);
  Status Forget();

  Session FromGrant(const std::string& username, rpc::SessionGrant grant) const;
  // As last read; nullopt before the first use.
  const std::optional<Session>& last() const { return session_; }

 private:
  rpc::CallResult<std::string> Renew();

  const ClientConfig& config_;
  rpc::GatewayClient& gateway_;
  SessionFile file_;
  Renewed renewed_;
  std::optional<Session> session_;
};

}  // namespace strife::client
