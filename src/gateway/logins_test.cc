#include "gateway/logins.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/test_directory.h"
#include "security/encoding.h"
#include "security/password.h"
#include "security/refresh_token.h"
#include "security/test_time.h"
#include "storage/memory/memory_gateway_store.h"

namespace strife::gateway {
namespace {

using security::SessionResult;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Uuid kSession = *Uuid::Parse("0190163d-8694-739b-aea5-966c26f8ad91");
const Uuid kOther = *Uuid::Parse("0190163d-8694-739b-aea5-966c26f8ad92");

class SettableClock final : public Clock {
 public:
  Now Read() override { return now; }
  Now now{MonotonicTime(hours(1)), WallTime(seconds(security::kTestUnixSeconds))};
};

class LoginsTest : public ::testing::Test {
 protected:
  LoginsTest() {
    hash_ = security::HashPassword("secret", {.memory_kib = 8, .iterations = 1, .lanes = 1}).value();
    config_.users_file = directory_ / "users.json";
    config_.data_dir = directory_.path();
    std::ofstream(config_.users_file) << R"({"users":[{"username":"alice","role":"user","password_hash":")" << hash_
                                      << "\"}]}";
    certificate_.thumbprint.fill(0xcc);
  }

  void Open() {
    logins_ = Logins::Create(config_, "strife.local", clock_, *OpenMemoryGatewayReader(disk_)).value();
    logins_->Connect(
        [this](GatewayInput input) {
          inputs_.push_back(std::move(input));
          return true;
        },
        suspensions_);
  }
  SessionRecord Session() const {
    SessionRecord session;
    session.session_id = kSession;
    session.username = "alice";
    session.certificate_thumbprint = certificate_.thumbprint;
    session.credential = security::Sha256Of(hash_);
    return session;
  }
  // Signed with the gateway's own key, as it was before a restart.
  std::string TokenOf(const Uuid& session, Duration lifetime) {
    const auto keys = security::TokenKeys::LoadOrCreate(TokenKeyDirectory(config_), clock_.now.wall).value();
    security::AccessTokenClaims claims;
    claims.username = "alice";
    claims.token_id = kOther;
    claims.session_id = session;
    claims.certificate_thumbprint = certificate_.thumbprint;
    claims.issued_at = claims.not_before = clock_.now.wall;
    claims.expires_at = clock_.now.wall + lifetime;
    return security::TokenSigner(keys, {.issuer = "spiffe://strife.local/gateway", .audience = "strife"}).Sign(claims);
  }
  bool IsIn(const std::string& token) { return logins_->CheckToken(token, certificate_).has_value(); }
  void PassTime(Duration time) { clock_.now = {clock_.now.monotonic + time, clock_.now.wall + time}; }
  // What the engine is told about a refresh token that is shown.
  security::RefreshPresented Present(rpc::Done<rpc::SessionGrant> done) {
    inputs_.clear();
    const rpc::Caller caller{std::make_shared<const security::Certificate>(certificate_), "", {}};
    logins_->Refresh(caller, security::MakeRefreshToken().text, std::move(done));
    return std::get<security::RefreshPresented>(std::get<security::SessionInput>(inputs_.at(0)));
  }
  // The engine says so.
  void Answer(const security::RefreshPresented& presented, SessionResult result) {
    logins_->OnOutcome(security::SessionOutcome{presented.reply_to, result, Session(), clock_.now.wall + hours(1)});
  }
  SessionResult Refresh() {
    const auto presented = Present([](const auto&) {});
    const SessionResult result = presented.admit(Session());
    Answer(presented, result);
    return result;
  }

  TestDirectory directory_;
  std::string hash_;
  GatewayConfig config_;
  security::Certificate certificate_;
  SettableClock clock_;
  std::shared_ptr<MemoryGatewayDisk> disk_ = std::make_shared<MemoryGatewayDisk>();
  Suspensions suspensions_;
  std::vector<GatewayInput> inputs_;
  std::unique_ptr<Logins> logins_;
};

TEST_F(LoginsTest, LogoutHoldsAfterARestart_AlsoForATokenFromWhenTheyLivedLonger) {
  const std::string token = TokenOf(kSession, hours(1));
  const std::string other = TokenOf(kOther, hours(1));
  SessionRecord revoked = Session();
  revoked.revoked_at = clock_.now.wall;
  disk_->Access([&](MemoryGatewayContents& contents) { contents.sessions[kSession] = revoked; });
  PassTime(minutes(40));
  Open();
  EXPECT_FALSE(IsIn(token));
  EXPECT_TRUE(IsIn(other));
}

TEST_F(LoginsTest, LogoutHolds_WhenTheClockJumpsAheadAndIsSetBack) {
  Open();
  const std::string token = TokenOf(kSession, minutes(5));
  ASSERT_TRUE(IsIn(token));
  SessionRecord revoked = Session();
  revoked.revoked_at = clock_.now.wall;
  logins_->OnOutcome(security::SessionOutcome{{}, SessionResult::kOk, revoked, {}});
  ASSERT_FALSE(IsIn(token));
  clock_.now.wall += hours(24 * 365);
  logins_->Prune();
  clock_.now.wall -= hours(24 * 365);
  EXPECT_FALSE(IsIn(token));
}

TEST_F(LoginsTest, SessionsAreForgottenAfterTheirLastAccessToken_AndNotBecauseTheClockJumps) {
  Open();
  const WallTime start = clock_.now.wall;
  PassTime(hours(2));
  const auto forgotten = [&] {
    inputs_.clear();
    logins_->Prune();
    return std::get<security::LoginsPruned>(std::get<security::LoginInput>(inputs_.at(0))).sessions_before;
  };
  EXPECT_EQ(forgotten(), start + hours(2) - security::kRememberRevoked);
  PassTime(hours(2));
  clock_.now.wall += hours(24 * 365);
  EXPECT_EQ(forgotten(), start + hours(4) - security::kRememberRevoked);
  PassTime(hours(2));
  clock_.now.wall = start;
  EXPECT_EQ(forgotten(), start - security::kRememberRevoked);
}

TEST_F(LoginsTest, SuspendedUser_IsRefusedBeforeTheTokenIsUsedUp) {
  Open();
  EXPECT_EQ(Refresh(), SessionResult::kOk);
  suspensions_.Apply({SuspendedKind::kUser, "alice", true, "olga", "", {}});
  EXPECT_EQ(Refresh(), SessionResult::kNotAdmitted);
  suspensions_.Apply({SuspendedKind::kUser, "alice", false, "olga", "", {}});
  EXPECT_EQ(Refresh(), SessionResult::kOk);
}

TEST_F(LoginsTest, RefreshingOverAndOver_IsRefusedWithWhenToTryAgain) {
  Open();
  for (int i = 0; i < limits::kMaxRefreshesAtOnce; ++i) ASSERT_EQ(Refresh(), SessionResult::kOk) << i;
  std::optional<rpc::ApiError> error;
  const auto presented = Present([&](const rpc::ApiResult<rpc::SessionGrant>& result) { error = result.error(); });
  EXPECT_EQ(presented.admit(Session()), SessionResult::kTooOften);
  Answer(presented, SessionResult::kTooOften);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, rpc::ApiCode::kResourceExhausted);
  EXPECT_EQ(error->reason_code, "RATE_LIMITED");
  EXPECT_TRUE(error->retryable);
  ASSERT_TRUE(error->retry_after);
  SessionRecord other = Session();
  other.session_id = kOther;
  const auto another = Present([](const auto&) {});
  EXPECT_EQ(another.admit(other), SessionResult::kOk) << "each session by itself";
  Answer(another, SessionResult::kOk);
  PassTime(*error->retry_after);
  EXPECT_EQ(Refresh(), SessionResult::kOk);
}

}  // namespace
}  // namespace strife::gateway
