// Logins: users, passwords, tokens and sessions, between the RPC handlers and the engine.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.h"
#include "env/clock.h"
#include "gateway/config.h"
#include "gateway/gateway_machine.h"
#include "gateway/login_queue.h"
#include "gateway/suspensions.h"
#include "rpc/gateway_api.h"
#include "rpc/token_bucket.h"
#include "runtime/parked.h"
#include "security/revoked_sessions.h"
#include "security/token.h"
#include "security/token_ring.h"
#include "security/users.h"

namespace strife::gateway {

// Thread-safe. A login takes three steps: the engine counts it as a failure (security/login_throttle.h), a hash thread
// looks at the password (login_queue.h), and the engine either takes the failure back and opens a session, or not.
// Nothing of it runs in a thread that serves payments.
class Logins {
 public:
  // Puts an input into the engine's inbox; false when it takes none.
  using Submit = std::function<bool(GatewayInput)>;

  // `trust_domain` names the gateway in its tokens.
  static Result<std::unique_ptr<Logins>> Create(const GatewayConfig& config, const std::string& trust_domain,
                                                Clock& clock, GatewayReader& reader);

  // Must be called before anything below.
  void Connect(Submit submit, const Suspensions& suspensions) {
    submit_ = std::move(submit);
    suspensions_ = &suspensions;
  }
  // Finishes the hashes that were begun; later logins are refused.
  void Stop() { queue_.Stop(); }

  rpc::ApiResult<security::AccessTokenClaims> CheckToken(std::string_view token,
                                                         const security::Certificate& certificate);
  void Authenticate(const rpc::Caller& caller, std::string username, std::string password,
                    rpc::Done<rpc::SessionGrant> done);
  void Refresh(const rpc::Caller& caller, const std::string& refresh_token, rpc::Done<rpc::SessionGrant> done);
  void Logout(const rpc::Caller& caller, rpc::Done<rpc::Nothing> done);

  // An operator ends a session; `callback` gets nullopt when it was not taken.
  void End(const Uuid& session_id, protocol::AuditOrigin by,
           std::move_only_function<void(const std::optional<security::SessionOutcome>&)> callback);
  bool Knows(const std::string& username) const { return users_.load()->Find(username) != nullptr; }

  // The engine has made this outcome durable.
  void OnOutcome(const security::SessionOutcome& outcome);
  void OnOutcome(const security::LoginOutcome& outcome);

  // The account of a logged-in user at a bank; nullopt when there is none.
  std::optional<protocol::AccountRef> AccountAt(const std::string& username, std::string_view bank_id) const;

  // Which users.json is in use, for the audit log: how many users, how many disabled, and the digest of them all.
  std::string DescribeUsers() const;
  // Reads users.json again; on failure the users stay as they were.
  Status ReloadUsers();
  // Looks after the token keys, on the thread that calls Housekeep.
  Result<security::TokenRing::Change> ReloadKeys() { return ring_->Reload(clock_.Read()); }
  Result<security::TokenRing::Change> RefreshKeys() { return ring_->Refresh(clock_.Read()); }
  // Forgets revocations no token can outlive, failures that are forgiven, and sessions that have expired.
  void Prune();

 private:
  struct Login;

  Logins(const GatewayConfig& config, security::UserDirectory users, std::unique_ptr<security::TokenRing> ring,
         Clock& clock);

  void OnBegun(std::unique_ptr<Login> login, const std::optional<security::LoginOutcome>& outcome);
  void CheckPassword(std::unique_ptr<Login> login);
  void OpenSession(const security::User& user, std::unique_ptr<Login> login);
  // The session's user, if that one may go on with it: nullptr when not.
  const security::User* UserOf(const SessionRecord& session, const security::UserDirectory& users) const;
  // Hands out tokens for a session that is on record.
  rpc::ApiResult<rpc::SessionGrant> Grant(const std::optional<security::SessionOutcome>& outcome,
                                          std::string refresh_token);
  // A revoked session is wanted again after a restart, for as long as its access tokens can be good.
  WallTime ForgetSessionsBefore(const Now& now) const;
  bool IsSuspended(const std::string& username) const { return suspensions_->Has(SuspendedKind::kUser, username); }
  // `callback` gets no outcome when the engine takes no more inputs.
  void SubmitSession(security::SessionInput input,
                     runtime::Parked<std::optional<security::SessionOutcome>>::Callback callback);
  void SubmitLogin(security::LoginInput input,
                   runtime::Parked<std::optional<security::LoginOutcome>>::Callback callback);

  const GatewayConfig config_;
  Clock& clock_;
  const Now started_;
  std::atomic<std::shared_ptr<const security::UserDirectory>> users_;
  const std::unique_ptr<security::TokenRing> ring_;
  security::RevokedSessions revoked_;
  rpc::RateLimiter refreshes_;  // by session
  Submit submit_;
  const Suspensions* suspensions_ = nullptr;
  MonotonicTime next_forgetting_{};
  LoginQueue queue_;
};

}  // namespace strife::gateway
