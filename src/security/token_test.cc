// Each kind of token that must be refused has its test here, asserting the reason: refused for another reason would
// prove nothing.
#include "security/token.h"

#include <gtest/gtest.h>
#include <openssl/hmac.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/limits.h"
#include "base/test_directory.h"
#include "security/encoding.h"
#include "security/openssl.h"
#include "security/random.h"
#include "security/refresh_token.h"
#include "security/secure_file.h"
#include "security/test_time.h"
#include "security/token_cache.h"

namespace strife::security {
namespace {

using nlohmann::json;

const WallTime kNow{std::chrono::seconds(kTestUnixSeconds)};
constexpr Duration kLifetime = std::chrono::minutes(5);
const TokenScope kScope{"spiffe://strife.local/gateway", "strife.v1.PaymentGateway"};

std::string Part(std::string_view text) { return Base64UrlEncode(AsBytes(text)); }

class TokenTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto keys = TokenKeys::LoadOrCreate(directory_.path(), kNow);
    ASSERT_TRUE(keys) << keys.error().message;
    keys_ = *keys;
    certificate_.fill(0xcc);
    claims_ = {"alice", NewUuidV4(), NewUuidV7(kNow), UserRole::kUser, certificate_, kNow, kNow, kNow + kLifetime};
    header_ = {{"alg", "ES256"}, {"typ", "at+jwt"}, {"kid", keys_->signing_kid()}};
    const std::string good = TokenSigner(keys_, kScope).Sign(claims_);
    const std::size_t first = good.find('.'), second = good.rfind('.');
    payload_ = json::parse(*Base64UrlDecode(good.substr(first + 1, second - first - 1)));
  }

  // Really signed with our key, whatever the parts say.
  std::string SignedParts(const std::string& header, const std::string& payload) const {
    const std::string text = Part(header) + "." + Part(payload);
    return text + "." + Part(keys_->Sign(text));
  }
  std::string Signed() const { return SignedParts(header_.dump(), payload_.dump()); }

  std::optional<TokenRefusal> Refusal(std::string_view token, WallTime now = kNow) const {
    const auto result = TokenVerifier(keys_, kScope).Verify(token, certificate_, now);
    if (result) return std::nullopt;
    return result.error();
  }

  TestDirectory directory_;
  std::shared_ptr<const TokenKeys> keys_;
  Sha256 certificate_;
  AccessTokenClaims claims_;
  json header_, payload_;
};

TEST_F(TokenTest, SignedToken_GivesItsClaimsBack) {
  const auto result = TokenVerifier(keys_, kScope).Verify(TokenSigner(keys_, kScope).Sign(claims_), certificate_, kNow);
  ASSERT_TRUE(result) << Describe(result.error());
  EXPECT_EQ(*result, claims_);
}

TEST_F(TokenTest, TestsOwnSigning_IsAcceptedWhenNothingIsWrong) { EXPECT_EQ(Refusal(Signed()), std::nullopt); }

TEST_F(TokenTest, Header_IsThatOfAnAccessTokenAndNothingElse) {
  const std::string token = TokenSigner(keys_, kScope).Sign(claims_);
  EXPECT_EQ(json::parse(*Base64UrlDecode(token.substr(0, token.find('.')))), header_);
}

TEST_F(TokenTest, AlgNone_IsRefused) {
  for (const char* alg : {"none", "None", "NONE", ""}) {
    header_["alg"] = alg;
    EXPECT_EQ(Refusal(Part(header_.dump()) + "." + Part(payload_.dump()) + "."), TokenRefusal::kWrongAlgorithm);
    EXPECT_EQ(Refusal(Signed()), TokenRefusal::kWrongAlgorithm);
  }
}

TEST_F(TokenTest, Hs256KeyedWithThePublicKey_IsRefused) {
  const std::string pem = ReadKeyFile(directory_ / (keys_->signing_kid() + ".pem")).value();
  const KeyPtr key = ReadPrivateKeyPem(pem);
  unsigned char* public_der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &public_der);
  header_["alg"] = "HS256";
  const std::string text = Part(header_.dump()) + "." + Part(payload_.dump());
  unsigned char mac[32];
  unsigned mac_size = 0;
  HMAC(EVP_sha256(), public_der, size, AsBytes(text).data(), text.size(), mac, &mac_size);
  OPENSSL_free(public_der);
  EXPECT_EQ(Refusal(text + "." + Base64UrlEncode(mac)), TokenRefusal::kWrongAlgorithm);
}

TEST_F(TokenTest, OtherOrMissingAlgorithm_IsRefused) {
  for (const json& alg : {json("ES384"), json("RS256"), json("es256"), json(256), json(nullptr), json({"ES256"})}) {
    header_["alg"] = alg;
    EXPECT_EQ(Refusal(Signed()), TokenRefusal::kWrongAlgorithm);
  }
  header_.erase("alg");
  EXPECT_EQ(Refusal(Signed()), TokenRefusal::kWrongAlgorithm);
}

TEST_F(TokenTest, WrongOrMissingType_IsRefused) {
  for (const char* typ : {"JWT", "AT+JWT", "application/at+jwt", ""}) {
    header_["typ"] = typ;
    EXPECT_EQ(Refusal(Signed()), TokenRefusal::kWrongType) << typ;
  }
  header_.erase("typ");
  EXPECT_EQ(Refusal(Signed()), TokenRefusal::kWrongType);
}

TEST_F(TokenTest, WrongIssuer_IsRefused) {
  payload_["iss"] = "spiffe://other.local/gateway";
  EXPECT_EQ(Refusal(Signed()), TokenRefusal::kWrongIssuer);
}

TEST_F(TokenTest, WrongAudience_IsRefused) {
  payload_["aud"] = "strife.v1.Bank";
  EXPECT_EQ(Refusal(Signed()), TokenRefusal::kWrongAudience);
  payload_["aud"] = {kScope.audience};
  EXPECT_EQ(Refusal(Signed()), TokenRefusal::kMalformed);
}

TEST_F(TokenTest, MissingClaim_IsRefusedWhicheverItIs) {
  const json whole = payload_;
  for (const char* name : {"iss", "aud", "sub", "jti", "sid", "iat", "nbf", "exp", "role", "cnf"}) {
    payload_ = whole;
    payload_.erase(name);
    EXPECT_EQ(Refusal(Signed()), TokenRefusal::kMissingClaim) << name;
  }
  payload_ = whole;
  payload_["cnf"].erase("x5t#S256");
  EXPECT_EQ(Refusal(Signed()), TokenRefusal::kMissingClaim);
}

TEST_F(TokenTest, PastExpiry_IsRefusedToTheMoment) {
  EXPECT_EQ(Refusal(Signed(), kNow + kLifetime - Duration(1)), std::nullopt);
  EXPECT_EQ(Refusal(Signed(), kNow + kLifetime), TokenRefusal::kExpired);
}

TEST_F(TokenTest, FutureNotBefore_IsRefusedBeyondTheClockSkew) {
  EXPECT_EQ(Refusal(Signed(), kNow - kTokenClockSkew), std::nullopt);
  EXPECT_EQ(Refusal(Signed(), kNow - kTokenClockSkew - Duration(1)), TokenRefusal::kNotYetValid);
}

TEST_F(TokenTest, UnknownOrMissingKid_IsRefused) {
  for (const json& kid : {json(NewUuidV4().ToString()), json(""), json("../../etc/passwd"), json(1), json(nullptr)}) {
    header_["kid"] = kid;
    EXPECT_EQ(Refusal(Signed()), TokenRefusal::kUnknownKey);
  }
  header_.erase("kid");
  EXPECT_EQ(Refusal(Signed()), TokenRefusal::kUnknownKey);
}

TEST_F(TokenTest, HeadersThatPointToKeys_AreRefused) {
  for (const char* name : {"jku", "jwk", "x5u", "x5c", "x5t", "crit", "b64", "cty", "zip", "x"}) {
    json header = header_;
    header[name] = "https://attacker.example/keys";
    EXPECT_EQ(Refusal(SignedParts(header.dump(), payload_.dump())), TokenRefusal::kForbiddenHeader) << name;
  }
}

TEST_F(TokenTest, AnotherCertificatesToken_IsRefused) {
  Sha256 other = certificate_;
  other[31] ^= 1;
  const auto result = TokenVerifier(keys_, kScope).Verify(Signed(), other, kNow);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), TokenRefusal::kOtherCertificate);
}

TEST_F(TokenTest, RefreshTokenAsAccessToken_IsRefused) {
  EXPECT_EQ(Refusal(MakeRefreshToken().text), TokenRefusal::kRefreshToken);
}

TEST_F(TokenTest, AlteredPayload_IsRefused) {
  const std::string token = Signed();
  payload_["sub"] = "bob";
  const std::string altered =
      token.substr(0, token.find('.') + 1) + Part(payload_.dump()) + token.substr(token.rfind('.'));
  EXPECT_EQ(Refusal(altered), TokenRefusal::kBadSignature);
}

TEST_F(TokenTest, SignatureOfAnotherKey_IsRefused) {
  TestDirectory other;
  const auto other_keys = TokenKeys::LoadOrCreate(other.path(), kNow).value();
  const std::string text = Part(header_.dump()) + "." + Part(payload_.dump());
  EXPECT_EQ(Refusal(text + "." + Part(other_keys->Sign(text))), TokenRefusal::kBadSignature);
}

TEST_F(TokenTest, SignatureOfTheWrongLengthOrForm_IsRefused) {
  const std::string text = Part(header_.dump()) + "." + Part(payload_.dump());
  const std::string signature = keys_->Sign(text);
  for (const std::string& bad : {std::string(), signature.substr(1), signature + '\0', std::string(64, '\0'),
                                 std::string(64, '\xff'), "\x30\x44" + signature}) {
    EXPECT_EQ(Refusal(text + "." + Part(bad)), TokenRefusal::kBadSignature);
  }
}

TEST_F(TokenTest, OverLongToken_IsRefusedBeforeItIsLookedAt) {
  payload_["filler"] = std::string(limits::kMaxTokenBytes, 'x');
  EXPECT_EQ(Refusal(Signed()), TokenRefusal::kTooLong);
}

TEST_F(TokenTest, MalformedBase64_IsRefused) {
  const std::string token = Signed();
  const std::string header = token.substr(0, token.find('.'));
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("abc"), header, token + ".", "." + token,
        token + "=", token + " ", " " + token, header + "!" + token.substr(header.size()),
        token.substr(0, 5) + "\n" + token.substr(5), token.substr(0, 5) + "\xff" + token.substr(5),
        token + std::string(1, '\0'), token.substr(0, 4) + "+" + token.substr(5)}) {
    EXPECT_EQ(Refusal(bad), TokenRefusal::kMalformed) << bad;
  }
}

TEST_F(TokenTest, OtherTextOfTheSameSignatureBytes_IsRefused) {
  // The last character of 64 bytes in base64 carries four unused bits.
  std::string token = Signed();
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  token.back() = kAlphabet[kAlphabet.find(token.back()) + 1];
  EXPECT_EQ(Refusal(token), TokenRefusal::kMalformed);
}

TEST_F(TokenTest, MalformedJson_IsRefused) {
  const std::string good = payload_.dump();
  for (const std::string& bad :
       {std::string(), std::string("{"), std::string("[]"), std::string("null"), std::string("\"x\""), good + "x",
        good + good, std::string("\xff"), "/**/" + good, std::string(1000, '[')}) {
    EXPECT_EQ(Refusal(SignedParts(header_.dump(), bad)), TokenRefusal::kMalformed) << bad;
    EXPECT_EQ(Refusal(SignedParts(bad, good)), TokenRefusal::kMalformed) << bad;
  }
}

TEST_F(TokenTest, DuplicateKeys_AreRefused) {
  const std::string payload = payload_.dump(), header = header_.dump();
  EXPECT_EQ(Refusal(SignedParts(header, R"({"sub":"bob",)" + payload.substr(1))), TokenRefusal::kMalformed);
  EXPECT_EQ(Refusal(SignedParts(R"({"alg":"none",)" + header.substr(1), payload)), TokenRefusal::kMalformed);
}

TEST_F(TokenTest, HugeNegativeOrFractionalTimes_AreRefused) {
  for (const char* number : {"1e400", "1e18", "18446744073709551616", "18446744073709551615", "9223372036854775807",
                             "253402300800", "-1", "1.5", "\"1767225600\"", "null", "true", "[]"}) {
    for (const char* name : {"exp", "nbf", "iat"}) {
      json payload = payload_;
      payload.erase(name);
      const std::string text = std::string("{\"") + name + "\":" + number + "," + payload.dump().substr(1);
      EXPECT_EQ(Refusal(SignedParts(header_.dump(), text)), TokenRefusal::kMalformed) << name << " " << number;
    }
  }
}

TEST_F(TokenTest, ClaimsOfTheWrongType_AreRefused) {
  const json whole = payload_;
  for (const auto& [name, value] : std::vector<std::pair<std::string, json>>{{"sub", 1},
                                                                             {"sub", "a b"},
                                                                             {"sub", ""},
                                                                             {"jti", "x"},
                                                                             {"sid", 7},
                                                                             {"role", "admin"},
                                                                             {"role", 1},
                                                                             {"cnf", "x"},
                                                                             {"cnf", {{"x5t#S256", "AAAA"}}},
                                                                             {"cnf", {{"x5t#S256", 5}}},
                                                                             {"iss", {{"a", 1}}}}) {
    payload_ = whole;
    payload_[name] = value;
    EXPECT_EQ(Refusal(Signed()), TokenRefusal::kMalformed) << name;
  }
}

TEST_F(TokenTest, Refusals_NeverLeaveErrorsForTls) {
  Refusal(Part(header_.dump()) + "." + Part(payload_.dump()) + "." + Part(std::string(64, '\1')));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

// ---- Keys
// ------------------------------------------------------------------------------------------------------------

TEST_F(TokenTest, KeysSurviveARestart) {
  const std::string token = TokenSigner(keys_, kScope).Sign(claims_);
  const auto again = TokenKeys::LoadOrCreate(directory_.path(), kNow);
  ASSERT_TRUE(again);
  EXPECT_TRUE(TokenVerifier(*again, kScope).Verify(token, certificate_, kNow));
}

TEST_F(TokenTest, NewestKeySignsAndOldKeysStillVerifyEvenAfterTheClockWasSetBack) {
  const std::string old_token = TokenSigner(keys_, kScope).Sign(claims_);
  const auto added = TokenKeys::Add(directory_.path(), kNow - std::chrono::hours(24));
  ASSERT_TRUE(added);
  const auto rotated = TokenKeys::LoadOrCreate(directory_.path(), kNow).value();
  EXPECT_EQ(rotated->signing_kid(), *added);
  EXPECT_TRUE(TokenVerifier(rotated, kScope).Verify(old_token, certificate_, kNow));
  EXPECT_TRUE(TokenVerifier(rotated, kScope).Verify(TokenSigner(rotated, kScope).Sign(claims_), certificate_, kNow));
  EXPECT_EQ(Refusal(TokenSigner(rotated, kScope).Sign(claims_)), TokenRefusal::kUnknownKey);
}

TEST_F(TokenTest, KeyFiles_ArePrivateAndRefusedWhenTheyAreNot) {
  const auto path = directory_ / (keys_->signing_kid() + ".pem");
  EXPECT_EQ(ModeOf(path), 0600);
  std::filesystem::permissions(path, std::filesystem::perms(0644));
  const auto keys = TokenKeys::LoadOrCreate(directory_.path(), kNow);
  ASSERT_FALSE(keys);
  EXPECT_NE(keys.error().message.find(path.string()), std::string::npos);
}

TEST_F(TokenTest, FileThatIsNoP256Key_IsRefused) {
  const KeyPtr p384(EVP_EC_gen("P-384"));
  const std::string kid = NewUuidV4().ToString();
  ASSERT_TRUE(WriteFile(directory_ / (kid + ".pem"), ToPem(p384.get()), kPrivateMode, Existing::kRefuse));
  EXPECT_FALSE(TokenKeys::LoadOrCreate(directory_.path(), kNow));
}

// ---- Cache
// -----------------------------------------------------------------------------------------------------------

TEST_F(TokenTest, CachedToken_IsStillCheckedForCertificateAndTime) {
  const TokenVerifier verifier(keys_, kScope);
  VerifiedTokenCache cache(verifier, 100);
  const std::string token = Signed();
  ASSERT_TRUE(cache.Verify(token, certificate_, kNow));
  ASSERT_EQ(cache.size(), 1u);
  EXPECT_EQ(cache.Verify(token, certificate_, kNow).value(), claims_);
  EXPECT_EQ(cache.Verify(token, Sha256{}, kNow).error(), TokenRefusal::kOtherCertificate);
  EXPECT_EQ(cache.Verify(token, certificate_, kNow + kLifetime).error(), TokenRefusal::kExpired);
}

TEST_F(TokenTest, CachedToken_AnswersWithoutItsKey) {
  TestDirectory other;
  const std::string token = Signed();
  const TokenVerifier verifier(keys_, kScope);
  VerifiedTokenCache cache(verifier, 100);
  ASSERT_TRUE(cache.Verify(token, certificate_, kNow));
  const std::size_t before = cache.size();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(cache.Verify(token, certificate_, kNow));
  EXPECT_EQ(cache.size(), before);
}

TEST_F(TokenTest, RefusedToken_IsNotCached) {
  const TokenVerifier verifier(keys_, kScope);
  VerifiedTokenCache cache(verifier, 100);
  EXPECT_FALSE(cache.Verify("junk", certificate_, kNow));
  EXPECT_FALSE(cache.Verify(Signed(), Sha256{}, kNow));
  EXPECT_EQ(cache.Verify(std::string(limits::kMaxTokenBytes + 1, 'a'), certificate_, kNow).error(),
            TokenRefusal::kTooLong);
  EXPECT_EQ(cache.size(), 0u);
}

TEST_F(TokenTest, Cache_StaysWithinItsCapacityAndDropsTheExpired) {
  const TokenVerifier verifier(keys_, kScope);
  const TokenSigner signer(keys_, kScope);
  VerifiedTokenCache cache(verifier, 32);
  for (int i = 0; i < 200; ++i) {
    claims_.token_id = NewUuidV4();
    ASSERT_TRUE(cache.Verify(signer.Sign(claims_), certificate_, kNow));
  }
  EXPECT_LE(cache.size(), 32u);
  EXPECT_GT(cache.size(), 16u);
}

TEST_F(TokenTest, Cache_UsedFromManyThreads_AnswersTheSame) {
  const TokenVerifier verifier(keys_, kScope);
  const TokenSigner signer(keys_, kScope);
  VerifiedTokenCache cache(verifier, 16);
  std::vector<std::string> tokens;
  for (int i = 0; i < 20; ++i) {
    claims_.token_id = NewUuidV4();
    tokens.push_back(signer.Sign(claims_));
  }
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int round = 0; round < 10; ++round) {
        for (const std::string& token : tokens) EXPECT_TRUE(cache.Verify(token, certificate_, kNow));
      }
    });
  }
}

}  // namespace
}  // namespace strife::security
