#include "security/token_ring.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/test_directory.h"
#include "security/encoding.h"
#include "security/random.h"
#include "security/test_time.h"

namespace strife::security {
namespace {

using nlohmann::json;

constexpr Duration kLifetime = std::chrono::minutes(5);
const TokenScope kScope{"spiffe://strife.local/gateway", "strife"};

class TokenRingTest : public ::testing::Test {
 protected:
  void SetUp() override { ring_ = Open(); }

  std::unique_ptr<TokenRing> Open() { return TokenRing::Open(directory_.path(), kScope, kLifetime, now_).value(); }
  void Wait(Duration time) {
    now_.monotonic += time;
    now_.wall += time;
  }
  std::string Sign() {
    const AccessTokenClaims claims{"alice",   NewUuidV4(), NewUuidV7(now_.wall), UserRole::kUser, certificate_,
                                   now_.wall, now_.wall,   now_.wall + kLifetime};
    return ring_->Sign(claims);
  }
  std::optional<TokenRefusal> Refusal(const std::string& token) {
    const auto claims = ring_->Verify(token, certificate_, now_.wall);
    return claims ? std::nullopt : std::optional(claims.error());
  }
  std::vector<std::string> Kids() { return TokenKeys::List(directory_.path()).value(); }
  std::string Rotate() { return TokenKeys::Add(directory_.path(), now_.wall).value(); }
  static std::string KidOf(const std::string& token) {
    return json::parse(*Base64UrlDecode(token.substr(0, token.find('.'))))["kid"];
  }

  TestDirectory directory_;
  Sha256 certificate_{};
  Now now_{MonotonicTime(std::chrono::hours(1)), WallTime(std::chrono::seconds(kTestUnixSeconds))};
  std::unique_ptr<TokenRing> ring_;
};

TEST_F(TokenRingTest, NewKey_SignsFromTheNextRefreshOn) {
  const std::string first = Kids().front();
  const std::string second = Rotate();
  EXPECT_EQ(KidOf(Sign()), first);
  const TokenRing::Change change = ring_->Refresh(now_).value();
  EXPECT_EQ(change.added, std::vector{second});
  EXPECT_EQ(change.signing_kid, second);
  EXPECT_EQ(KidOf(Sign()), second);
  EXPECT_TRUE(ring_->Refresh(now_).value().empty());
}

TEST_F(TokenRingTest, OldKey_VerifiesUntilItsLastTokenHasExpiredAndIsThenDeleted) {
  const std::string first = Kids().front();
  const std::string second = Rotate();
  Wait(std::chrono::hours(10));  // nobody has told the gateway yet
  const std::string last = Sign();
  ASSERT_TRUE(ring_->Refresh(now_));
  Wait(kLifetime - Duration(1));
  ASSERT_TRUE(ring_->Refresh(now_).value().empty());
  EXPECT_EQ(Refusal(last), std::nullopt);
  Wait(kTokenClockSkew + Duration(1));
  EXPECT_EQ(ring_->Refresh(now_).value().retired, std::vector{first});
  EXPECT_EQ(Kids(), std::vector{second});
  EXPECT_EQ(KidOf(Sign()), second);
}

TEST_F(TokenRingTest, AfterARestart_OldKeysGetTheirFullTimeAgain) {
  const std::string token = Sign();
  Rotate();
  Wait(kLifetime - std::chrono::seconds(1));
  ring_ = Open();
  ASSERT_TRUE(ring_->Refresh(now_).value().empty());
  EXPECT_EQ(Refusal(token), std::nullopt);
  EXPECT_EQ(Kids().size(), 2u);
  Wait(kLifetime + kTokenClockSkew);
  ASSERT_TRUE(ring_->Refresh(now_));
  EXPECT_EQ(Kids().size(), 1u);
}

TEST_F(TokenRingTest, KeyThatIsTakenAway_IsBelievedNoLonger_EvenInATokenVerifiedBefore) {
  const std::string first = Kids().front();
  const std::string token = Sign();
  ASSERT_EQ(Refusal(token), std::nullopt);
  Rotate();
  ASSERT_TRUE(TokenKeys::Remove(directory_.path(), first));
  EXPECT_EQ(ring_->Refresh(now_).value().retired, std::vector{first});
  EXPECT_EQ(Refusal(token), TokenRefusal::kUnknownKey);
}

TEST_F(TokenRingTest, BadKeyFile_LeavesEverythingAsItWas) {
  const std::string token = Sign();
  std::ofstream(directory_ / (NewUuidV7(now_.wall).ToString() + ".pem")) << "nonsense";
  EXPECT_FALSE(ring_->Refresh(now_));
  EXPECT_FALSE(ring_->Reload(now_));
  EXPECT_EQ(Refusal(token), std::nullopt);
  EXPECT_EQ(Refusal(Sign()), std::nullopt);
}

TEST_F(TokenRingTest, SeveralRotationsAtOnce_LeaveOneKeyInTheEnd) {
  for (int i = 0; i < 3; ++i) Rotate();
  ASSERT_EQ(ring_->Reload(now_).value().added.size(), 3u);
  Wait(kLifetime + kTokenClockSkew);
  EXPECT_EQ(ring_->Refresh(now_).value().retired.size(), 3u);
  EXPECT_EQ(Kids().size(), 1u);
}

TEST_F(TokenRingTest, Jwks_HoldsThePublicHalvesOnly) {
  Rotate();
  const auto keys = TokenKeys::LoadOrCreate(directory_.path(), now_.wall).value();
  const json jwks = json::parse(keys->Jwks());
  ASSERT_EQ(jwks["keys"].size(), 2u);
  for (const json& key : jwks["keys"]) {
    EXPECT_EQ(key["kty"], "EC");
    EXPECT_EQ(key["crv"], "P-256");
    EXPECT_EQ(key["alg"], "ES256");
    EXPECT_EQ(Base64UrlDecode(key["x"].get<std::string>())->size(), 32u);
    EXPECT_EQ(Base64UrlDecode(key["y"].get<std::string>())->size(), 32u);
    EXPECT_FALSE(key.contains("d"));
    EXPECT_TRUE(keys->Has(key["kid"].get<std::string>()));
  }
}

TEST_F(TokenRingTest, Kid_TellsWhenItsKeyWasMade) {
  Wait(std::chrono::hours(3));
  EXPECT_EQ(TokenKeys::CreatedAt(Rotate()), now_.wall);
}

}  // namespace
}  // namespace strife::security
