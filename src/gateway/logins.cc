#include "gateway/logins.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "gateway/login_address.h"
#include "security/encoding.h"
#include "security/random.h"
#include "security/refresh_token.h"

namespace strife::gateway {

using rpc::ApiCode;
using rpc::ApiError;
using rpc::ApiResult;
using rpc::Done;
using rpc::SessionGrant;
using security::LoginOutcome;
using security::LoginResult;
using security::SessionOutcome;
using security::SessionResult;
using ParkedLogin = runtime::Parked<std::optional<LoginOutcome>>;
using ParkedOutcome = runtime::Parked<std::optional<SessionOutcome>>;

namespace {

// Each time no more than limits::kMaxForgottenRows of a kind: this often keeps up with thousands of users.
constexpr Duration kForgetInterval = std::chrono::minutes(1);

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

ApiError RefreshedTooOften(Duration wait) {
  return {.code = ApiCode::kResourceExhausted,
          .reason_code = "RATE_LIMITED",
          .message = "this session was refreshed too often; send the same request again in " +
                     std::to_string(wait / std::chrono::seconds(1) + 1) + " s",
          .retryable = true,
          .retry_after = wait};
}

rpc::Rate RefreshRate(const GatewayConfig& config) {
  const double lifetime = std::chrono::duration<double>(config.access_token_lifetime).count();
  return {.per_second = limits::kMaxRefreshesPerAccessToken / lifetime, .burst = limits::kMaxRefreshesAtOnce};
}

// The same words whoever is blocked by whatever, and no hint whether the password was right: nobody has looked at it.
ApiError TooManyFailures(Duration wait) {
  const std::int64_t seconds = std::max<std::int64_t>((wait + Duration(999'999)) / std::chrono::seconds(1), 1);
  const std::string how_long =
      seconds < 120 ? std::to_string(seconds) + " s" : std::to_string((seconds + 59) / 60) + " minutes";
  return {.code = ApiCode::kResourceExhausted,
          .reason_code = "LOGIN_THROTTLED",
          .message = "too many failed logins; try again in " + how_long};
}

}  // namespace

// A login under way.
struct Logins::Login {
  security::LoginAttempt attempt;
  Sha256 certificate_thumbprint{};
  std::string password;
  LoginQueue::Place place;  // given back with the answer
  Done<SessionGrant> done;
};

Logins::Logins(const GatewayConfig& config, security::UserDirectory users, std::unique_ptr<security::TokenRing> ring,
               Clock& clock)
    : config_(config),
      clock_(clock),
      started_(clock.Read()),
      users_(std::make_shared<const security::UserDirectory>(std::move(users))),
      ring_(std::move(ring)),
      refreshes_(RefreshRate(config)) {}

Result<std::unique_ptr<Logins>> Logins::Create(const GatewayConfig& config, const std::string& trust_domain,
                                               Clock& clock, GatewayReader& reader) {
  auto users = security::UserDirectory::Load(config.users_file);
  if (!users) return std::unexpected(users.error());
  const Now now = clock.Read();
  const security::TokenScope scope{.issuer = "spiffe://" + trust_domain + "/gateway", .audience = "strife"};
  auto ring = security::TokenRing::Open(TokenKeyDirectory(config), scope, config.access_token_lifetime, now);
  if (!ring) return std::unexpected(ring.error());
  auto revoked = reader.SessionsRevokedSince(now.wall - security::kRememberRevoked);
  if (!revoked) return std::unexpected(revoked.error());
  auto logins = std::unique_ptr<Logins>(new Logins(config, *std::move(users), *std::move(ring), clock));
  for (const Uuid& session : *revoked) logins->revoked_.Add(session, now);
  return logins;
}

ApiResult<security::AccessTokenClaims> Logins::CheckToken(std::string_view token,
                                                          const security::Certificate& certificate) {
  auto claims = ring_->Verify(token, certificate.thumbprint, clock_.Read().wall);
  if (!claims) {
    return std::unexpected(NotAuthenticated(std::string(security::Describe(claims.error())) + "; log in again"));
  }
  if (revoked_.Contains(claims->session_id)) return std::unexpected(SessionOver());
  const auto users = users_.load();
  const security::User* user = users->Find(claims->username);
  if (user == nullptr || user->disabled || user->role != claims->role || IsSuspended(user->username)) {
    return std::unexpected(SessionOver());
  }
  return *std::move(claims);
}

void Logins::Authenticate(const rpc::Caller& caller, std::string username, std::string password,
                          Done<SessionGrant> done) {
  // No user has such a name or password, so saying so at once tells nothing.
  if (!IsIdentifier(username, limits::kMaxUsernameBytes) || password.size() > limits::kMaxPasswordBytes) {
    return done(std::unexpected(WrongCredentials()));
  }
  const std::string& certificate = caller.certificate->identity.name;
  auto place = queue_.Enter(certificate, username);
  if (!place) return done(std::unexpected(Busy()));
  security::LoginAttempt attempt{std::move(username), certificate, LoginAddress(caller.peer_address)};
  std::unique_ptr<Login> login(
      new Login{attempt, caller.certificate->thumbprint, std::move(password), *std::move(place), std::move(done)});
  SubmitLogin(security::LoginBegun{{}, std::move(attempt)},
              [this, login = std::move(login)](const std::optional<LoginOutcome>& outcome) mutable {
                OnBegun(std::move(login), outcome);
              });
}

void Logins::OnBegun(std::unique_ptr<Login> login, const std::optional<LoginOutcome>& outcome) {
  if (!outcome) return login->done(std::unexpected(Busy()));
  if (outcome->result == LoginResult::kBlocked) {
    return login->done(std::unexpected(TooManyFailures(outcome->blocked_until - clock_.Read().wall)));
  }
  login->attempt = outcome->attempt;
  // Shared, because a task that the queue does not take must still be answered.
  auto shared = std::make_shared<std::unique_ptr<Login>>(std::move(login));
  const std::string certificate = (*shared)->attempt.certificate;
  if (!queue_.Hash(certificate, [this, shared] { CheckPassword(std::move(*shared)); })) {
    (*shared)->done(std::unexpected(Busy()));
  }
}

void Logins::CheckPassword(std::unique_ptr<Login> login) {
  const auto users = users_.load();
  const security::User* user = users->Authenticate(login->attempt.username, login->password);
  if (user != nullptr && !IsSuspended(user->username)) return OpenSession(*user, std::move(login));
  security::LoginFailed failed{{}, login->attempt};
  SubmitLogin(std::move(failed), [login = std::move(login)](const std::optional<LoginOutcome>& outcome) {
    login->done(std::unexpected(outcome ? WrongCredentials() : Busy()));
  });
}

void Logins::OpenSession(const security::User& user, std::unique_ptr<Login> login) {
  const WallTime now = clock_.Read().wall;
  security::NewRefreshToken refresh = security::MakeRefreshToken();
  security::LoginSucceeded input{{}, login->attempt, {}};
  SessionRecord& session = input.session.session;
  session.session_id = security::NewUuidV7(now);
  session.username = user.username;
  session.certificate_thumbprint = login->certificate_thumbprint;
  session.created_at = now;
  session.expires_at = now + config_.refresh_token_lifetime;
  session.credential = security::Sha256Of(user.password_hash);
  input.session.refresh_token.token_hash = refresh.hash;
  input.session.refresh_token.session_id = session.session_id;
  input.session.refresh_token.expires_at = session.expires_at;
  SubmitLogin(std::move(input), [this, text = std::move(refresh.text),
                                 login = std::move(login)](const std::optional<LoginOutcome>& outcome) mutable {
    login->done(Grant(outcome ? outcome->session : std::nullopt, std::move(text)));
  });
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
  auto wait = std::make_shared<Duration>();
  // Asked in the engine's thread. A user who is suspended keeps the token for when the suspension ends.
  input.admit = [this, wait](const SessionRecord& session) {
    if (UserOf(session, *users_.load()) == nullptr) return SessionResult::kNotAdmitted;
    *wait = refreshes_.Take(session.session_id.ToString(), 1, clock_.Read().monotonic);
    return *wait == Duration::zero() ? SessionResult::kOk : SessionResult::kTooOften;
  };
  SubmitSession(std::move(input), [this, wait, text = std::move(next.text),
                                   done = std::move(done)](const std::optional<SessionOutcome>& outcome) mutable {
    if (outcome && outcome->result == SessionResult::kTooOften) return done(std::unexpected(RefreshedTooOften(*wait)));
    done(Grant(outcome, std::move(text)));
  });
}

const security::User* Logins::UserOf(const SessionRecord& session, const security::UserDirectory& users) const {
  const security::User* user = users.Find(session.username);
  if (user == nullptr || user->disabled || IsSuspended(user->username)) return nullptr;
  if (security::Sha256Of(user->password_hash) != session.credential) return nullptr;
  return user;
}

ApiResult<SessionGrant> Logins::Grant(const std::optional<SessionOutcome>& outcome, std::string refresh_token) {
  if (!outcome) return std::unexpected(Busy());
  if (outcome->result != SessionResult::kOk || !outcome->session) return std::unexpected(SessionOver());
  const auto users = users_.load();
  const security::User* user = UserOf(*outcome->session, *users);
  if (user == nullptr) return std::unexpected(SessionOver());
  const WallTime now = clock_.Read().wall;
  security::AccessTokenClaims claims;
  claims.username = user->username;
  claims.token_id = security::NewUuidV4();
  claims.session_id = outcome->session->session_id;
  claims.role = user->role;
  claims.certificate_thumbprint = outcome->session->certificate_thumbprint;
  claims.issued_at = claims.not_before = now;
  claims.expires_at = now + config_.access_token_lifetime;
  return SessionGrant{.access_token = ring_->Sign(claims),
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

void Logins::End(const Uuid& session_id, protocol::AuditOrigin by,
                 std::move_only_function<void(const std::optional<SessionOutcome>&)> callback) {
  security::SessionRevoked input;
  input.session_id = session_id;
  input.ended_by = std::move(by);
  SubmitSession(std::move(input), [callback = std::move(callback)](
                                      const std::optional<SessionOutcome>& outcome) mutable { callback(outcome); });
}

void Logins::SubmitSession(security::SessionInput input, ParkedOutcome::Callback callback) {
  const protocol::ReplyTo reply_to = ParkedOutcome::Park(std::move(callback));
  std::visit([&](auto& typed) { typed.reply_to = reply_to; }, input);
  if (submit_(GatewayInput(std::move(input)))) return;
  ParkedOutcome::Take(reply_to)(std::nullopt);
}

void Logins::SubmitLogin(security::LoginInput input, ParkedLogin::Callback callback) {
  const protocol::ReplyTo reply_to = ParkedLogin::Park(std::move(callback));
  std::visit([&](auto& typed) { typed.reply_to = reply_to; }, input);
  if (submit_(GatewayInput(std::move(input)))) return;
  ParkedLogin::Take(reply_to)(std::nullopt);
}

void Logins::OnOutcome(const LoginOutcome& outcome) {
  if (outcome.reply_to.call != 0) ParkedLogin::Take(outcome.reply_to)(outcome);
}

void Logins::OnOutcome(const SessionOutcome& outcome) {
  if (outcome.session && outcome.session->revoked_at) {
    revoked_.Add(outcome.session->session_id, clock_.Read());
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

std::string Logins::DescribeUsers() const {
  const auto users = users_.load();
  std::string all;
  for (const security::User& user : users->users()) {
    all += user.username + '\n' + user.password_hash + '\n' + std::string(security::UserRoleName(user.role)) +
           (user.disabled ? "\ndisabled\n" : "\n");
    for (const protocol::AccountRef& account : user.accounts) all += account.bank_id + '/' + account.account_id + '\n';
  }
  return "users=" + std::to_string(users->users().size()) +
         " disabled=" + std::to_string(std::ranges::count_if(users->users(), &security::User::disabled)) +
         " sha256=" + security::HexEncode(security::Sha256Of(all));
}

WallTime Logins::ForgetSessionsBefore(const Now& now) const {
  // A clock that has jumped ahead since the start must not delete sessions that are needed when it is set back.
  const WallTime steady = started_.wall + (now.monotonic - started_.monotonic);
  return std::min(now.wall, steady) - security::kRememberRevoked;
}

void Logins::Prune() {
  const Now now = clock_.Read();
  revoked_.Prune(now);
  if (now.monotonic < next_forgetting_) return;
  next_forgetting_ = now.monotonic + kForgetInterval;
  // When the inbox is full there is something better to do.
  static_cast<void>(submit_(security::LoginInput(security::LoginsPruned{{}, ForgetSessionsBefore(now)})));
}

}  // namespace strife::gateway
