#include "gateway/logins.h"

#include <utility>

#include "base/limits.h"
#include "security/random.h"
#include "security/refresh_token.h"

namespace strife::gateway {

using rpc::ApiCode;
using rpc::ApiError;
using rpc::ApiResult;
using rpc::Done;
using rpc::SessionGrant;
using security::SessionOutcome;
using security::SessionResult;
using ParkedOutcome = runtime::Parked<std::optional<SessionOutcome>>;

namespace {

constexpr std::size_t kPasswordThreads = 1;  // of two cores; the other one keeps paying
constexpr std::size_t kTokenCacheEntries = 65'536;

ApiError NotAuthenticated(std::string message) {
  return {.code = ApiCode::kUnauthenticated, .reason_code = "UNAUTHENTICATED", .message = std::move(message)};
}

// The same words for an unknown user, a wrong password and a disabled user.
ApiError WrongCredentials() { return NotAuthenticated("the user name or password is wrong"); }

ApiError SessionOver() { return NotAuthenticated("the session has ended; log in again"); }

ApiError Busy() {
  return {.code = ApiCode::kResourceExhausted,
          .reason_code = "OVERLOADED",
          .message = "too many logins at once; try again in a moment",
          .retryable = true,
          .retry_after = std::chrono::seconds(1)};
}

}  // namespace

Logins::Logins(const GatewayConfig& config, security::UserDirectory users,
               const std::shared_ptr<const security::TokenKeys>& keys, const security::TokenScope& scope, Clock& clock)
    : config_(config),
      clock_(clock),
      users_(std::make_shared<const security::UserDirectory>(std::move(users))),
      signer_(keys, scope),
      verifier_(keys, scope),
      cache_(verifier_, kTokenCacheEntries),
      password_pool_(kPasswordThreads, limits::kMaxPasswordQueue) {}

Result<std::unique_ptr<Logins>> Logins::Create(const GatewayConfig& config, const std::string& trust_domain,
                                               Clock& clock, GatewayReader& reader) {
  auto users = security::UserDirectory::Load(config.users_file);
  if (!users) return std::unexpected(users.error());
  const WallTime now = clock.Read().wall;
  auto keys = security::TokenKeys::LoadOrCreate(config.data_dir / "token_keys", now);
  if (!keys) return std::unexpected(keys.error());
  auto revoked = reader.SessionsRevokedSince(now - config.access_token_lifetime);
  if (!revoked) return std::unexpected(revoked.error());
  const security::TokenScope scope{.issuer = "spiffe://" + trust_domain + "/gateway", .audience = "strife"};
  auto logins = std::unique_ptr<Logins>(new Logins(config, *std::move(users), *keys, scope, clock));
  for (const Uuid& session : *revoked) logins->revoked_.Add(session, now);
  return logins;
}

ApiResult<security::AccessTokenClaims> Logins::CheckToken(std::string_view token,
                                                          const security::Certificate& certificate) {
  auto claims = cache_.Verify(token, certificate.thumbprint, clock_.Read().wall);
  if (!claims) {
    return std::unexpected(NotAuthenticated(std::string(security::Describe(claims.error())) + "; log in again"));
  }
  if (revoked_.Contains(claims->session_id)) return std::unexpected(SessionOver());
  const auto users = users_.load();
  const security::User* user = users->Find(claims->username);
  if (user == nullptr || user->disabled || user->role != claims->role) return std::unexpected(SessionOver());
  return *std::move(claims);
}

void Logins::Authenticate(const rpc::Caller& caller, std::string username, std::string password,
                          Done<SessionGrant> done) {
  if (username.size() > limits::kMaxUsernameBytes || password.size() > limits::kMaxPasswordBytes) {
    return done(std::unexpected(WrongCredentials()));
  }
  // Parked, because a task that the pool does not take must still be answered.
  auto shared_done = std::make_shared<Done<SessionGrant>>(std::move(done));
  const bool accepted =
      password_pool_.Submit([this, thumbprint = caller.certificate->thumbprint, username = std::move(username),
                             password = std::move(password), shared_done] {
        const auto users = users_.load();
        const security::User* user = users->Authenticate(username, password);
        if (user == nullptr) return (*shared_done)(std::unexpected(WrongCredentials()));
        OpenSession(*user, thumbprint, std::move(*shared_done));
      });
  if (!accepted) (*shared_done)(std::unexpected(Busy()));
}

void Logins::OpenSession(const security::User& user, const Sha256& thumbprint, Done<SessionGrant> done) {
  const WallTime now = clock_.Read().wall;
  security::NewRefreshToken refresh = security::MakeRefreshToken();
  security::SessionOpened input;
  input.session.session_id = security::NewUuidV7(now);
  input.session.username = user.username;
  input.session.certificate_thumbprint = thumbprint;
  input.session.created_at = now;
  input.session.expires_at = now + config_.refresh_token_lifetime;
  input.refresh_token.token_hash = refresh.hash;
  input.refresh_token.session_id = input.session.session_id;
  input.refresh_token.expires_at = input.session.expires_at;
  SubmitSession(std::move(input),
                [this, text = std::move(refresh.text), done = std::move(done)](
                    const std::optional<SessionOutcome>& outcome) mutable { done(Grant(outcome, std::move(text))); });
}

void Logins::Refresh(const rpc::Caller& caller, const std::string& refresh_token, Done<SessionGrant> done) {
  const auto hash = security::HashRefreshToken(refresh_token);
  if (!hash) return done(std::unexpected(NotAuthenticated("this is not a refresh token; log in again")));
  security::NewRefreshToken next = security::MakeRefreshToken();
  security::RefreshPresented input;
  input.token_hash = *hash;
  input.certificate_thumbprint = caller.certificate->thumbprint;
  input.new_token_hash = next.hash;
  input.new_expires_at = clock_.Read().wall + config_.refresh_token_lifetime;
  SubmitSession(input,
                [this, text = std::move(next.text), done = std::move(done)](
                    const std::optional<SessionOutcome>& outcome) mutable { done(Grant(outcome, std::move(text))); });
}

ApiResult<SessionGrant> Logins::Grant(const std::optional<SessionOutcome>& outcome, std::string refresh_token) {
  if (!outcome) return std::unexpected(Busy());
  if (outcome->result != SessionResult::kOk || !outcome->session) return std::unexpected(SessionOver());
  const auto users = users_.load();
  const security::User* user = users->Find(outcome->session->username);
  if (user == nullptr || user->disabled) return std::unexpected(SessionOver());
  const WallTime now = clock_.Read().wall;
  security::AccessTokenClaims claims;
  claims.username = user->username;
  claims.token_id = security::NewUuidV4();
  claims.session_id = outcome->session->session_id;
  claims.role = user->role;
  claims.certificate_thumbprint = outcome->session->certificate_thumbprint;
  claims.issued_at = claims.not_before = now;
  claims.expires_at = now + config_.access_token_lifetime;
  return SessionGrant{.access_token = signer_.Sign(claims),
                      .expires_at = claims.expires_at,
                      .refresh_token = std::move(refresh_token),
                      .refresh_expires_at = outcome->refresh_expires_at,
                      .accounts = user->accounts};
}

void Logins::Logout(const rpc::Caller& caller, Done<rpc::Nothing> done) {
  security::SessionRevoked input;
  input.session_id = caller.claims->session_id;
  SubmitSession(input, [done = std::move(done)](std::optional<SessionOutcome> outcome) mutable {
    if (!outcome) return done(std::unexpected(Busy()));
    if (outcome->result != SessionResult::kOk) return done(std::unexpected(SessionOver()));
    done(rpc::Nothing{});
  });
}

void Logins::SubmitSession(security::SessionInput input, ParkedOutcome::Callback callback) {
  const protocol::ReplyTo reply_to = ParkedOutcome::Park(std::move(callback));
  std::visit([&](auto& typed) { typed.reply_to = reply_to; }, input);
  if (submit_(GatewayInput(std::move(input)))) return;
  ParkedOutcome::Take(reply_to)(std::nullopt);
}

void Logins::OnOutcome(const SessionOutcome& outcome) {
  if (outcome.session && outcome.session->revoked_at) {
    revoked_.Add(outcome.session->session_id, *outcome.session->revoked_at);
  }
  if (outcome.reply_to.call != 0) ParkedOutcome::Take(outcome.reply_to)(outcome);
}

std::optional<protocol::AccountRef> Logins::AccountAt(const std::string& username, std::string_view bank_id) const {
  const auto users = users_.load();
  const security::User* user = users->Find(username);
  const protocol::AccountRef* account = user == nullptr ? nullptr : user->AccountAt(bank_id);
  if (account == nullptr) return std::nullopt;
  return *account;
}

Status Logins::ReloadUsers() {
  auto users = security::UserDirectory::Load(config_.users_file);
  if (!users) return std::unexpected(users.error());
  users_.store(std::make_shared<const security::UserDirectory>(*std::move(users)));
  return {};
}

void Logins::Prune() { revoked_.Prune(clock_.Read().wall - config_.access_token_lifetime); }

}  // namespace strife::gateway
