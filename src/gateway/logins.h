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
#include "rpc/gateway_api.h"
#include "runtime/parked.h"
#include "runtime/worker_pool.h"
#include "security/revoked_sessions.h"
#include "security/token.h"
#include "security/token_cache.h"
#include "security/users.h"

namespace strife::gateway {

// Thread-safe. Password hashes run on a pool of their own, so that a flood of logins delays nothing else.
class Logins {
 public:
  // Puts an input into the engine's inbox; false when it takes none.
  using Submit = std::function<bool(GatewayInput)>;

  // `trust_domain` names the gateway in its tokens.
  static Result<std::unique_ptr<Logins>> Create(const GatewayConfig& config, const std::string& trust_domain,
                                                Clock& clock, GatewayReader& reader);

  // Must be called before anything below.
  void Connect(Submit submit) { submit_ = std::move(submit); }
  // Finishes the hashes that were begun; later logins are refused.
  void Stop() { password_pool_.Stop(); }

  rpc::ApiResult<security::AccessTokenClaims> CheckToken(std::string_view token,
                                                         const security::Certificate& certificate);
  void Authenticate(const rpc::Caller& caller, std::string username, std::string password,
                    rpc::Done<rpc::SessionGrant> done);
  void Refresh(const rpc::Caller& caller, const std::string& refresh_token, rpc::Done<rpc::SessionGrant> done);
  void Logout(const rpc::Caller& caller, rpc::Done<rpc::Nothing> done);

  // The engine has made this outcome durable.
  void OnOutcome(const security::SessionOutcome& outcome);

  // The account of a logged-in user at a bank; nullopt when there is none.
  std::optional<protocol::AccountRef> AccountAt(const std::string& username, std::string_view bank_id) const;

  // Reads users.json again; on failure the users stay as they were.
  Status ReloadUsers();
  // Forgets revocations no token can outlive.
  void Prune();

 private:
  Logins(const GatewayConfig& config, security::UserDirectory users,
         const std::shared_ptr<const security::TokenKeys>& keys, const security::TokenScope& scope, Clock& clock);

  void OpenSession(const security::User& user, const Sha256& thumbprint, rpc::Done<rpc::SessionGrant> done);
  // Hands out tokens for a session that is on record.
  rpc::ApiResult<rpc::SessionGrant> Grant(const std::optional<security::SessionOutcome>& outcome,
                                          std::string refresh_token);
  // `callback` gets no outcome when the engine takes no more inputs.
  void SubmitSession(security::SessionInput input,
                     runtime::Parked<std::optional<security::SessionOutcome>>::Callback callback);

  const GatewayConfig config_;
  Clock& clock_;
  std::atomic<std::shared_ptr<const security::UserDirectory>> users_;
  security::TokenSigner signer_;
  security::TokenVerifier verifier_;
  security::VerifiedTokenCache cache_;
  security::RevokedSessions revoked_;
  Submit submit_;
  runtime::WorkerPool password_pool_;
};

}  // namespace strife::gateway
