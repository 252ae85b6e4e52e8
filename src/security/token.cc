#include "security/token.h"

#include <array>
#include <utility>

#include "base/assert.h"
#include "base/limits.h"
#include "base/text.h"
#include "security/encoding.h"
#include "security/openssl.h"
#include "security/refresh_token.h"
#include "security/strict_json.h"

namespace strife::security {
namespace {

using nlohmann::json;

constexpr std::string_view kAlgorithm = "ES256";
constexpr std::string_view kType = "at+jwt";
constexpr std::int64_t kMaxUnixSeconds = 253'402'300'799;  // the end of the year 9999

using Refusal = std::unexpected<TokenRefusal>;

struct Parts {
  std::string_view signed_text;  // header and payload as they came
  std::string header, payload, signature;
};

std::optional<Parts> Split(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
  auto header = Base64UrlDecode(token.substr(0, first));
  auto payload = Base64UrlDecode(token.substr(first + 1, second - first - 1));
  auto signature = Base64UrlDecode(token.substr(second + 1));
  if (!header || !payload || !signature) return std::nullopt;
  return Parts{token.substr(0, second), *std::move(header), *std::move(payload), *std::move(signature)};
}

bool HasText(const json& object, const char* key, std::string_view text) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() && found->get_ref<const std::string&>() == text;
}

// The kid, if the header is one of ours.
std::expected<std::string, TokenRefusal> CheckHeader(const std::string& text) {
  const auto header = ParseStrictJson(text, "header");
  if (!header || !header->is_object()) return Refusal(TokenRefusal::kMalformed);
  if (!HasText(*header, "alg", kAlgorithm)) return Refusal(TokenRefusal::kWrongAlgorithm);
  if (!HasText(*header, "typ", kType)) return Refusal(TokenRefusal::kWrongType);
  for (const auto& [key, value] : header->items()) {
    if (key != "alg" && key != "typ" && key != "kid") return Refusal(TokenRefusal::kForbiddenHeader);
  }
  const auto kid = header->find("kid");
  if (kid == header->end() || !kid->is_string()) return Refusal(TokenRefusal::kUnknownKey);
  return kid->get<std::string>();
}

// Reads claims one by one and remembers the first that is missing or malformed.
class ClaimReader {
 public:
  explicit ClaimReader(const json& claims) : claims_(claims) {}

  std::string Text(const char* name) {
    const json* value = Find(claims_, name);
    if (value == nullptr) return {};
    if (value->is_string()) return value->get<std::string>();
    Note(TokenRefusal::kMalformed);
    return {};
  }

  WallTime Time(const char* name) {
    const json* value = Find(claims_, name);
    if (value == nullptr) return {};
    if (value->is_number_unsigned() && value->get<std::uint64_t>() <= kMaxUnixSeconds) {
      return FromUnixSeconds(static_cast<std::int64_t>(value->get<std::uint64_t>()));
    }
    Note(TokenRefusal::kMalformed);
    return {};
  }

  Uuid Id(const char* name) {
    const std::string text = Text(name);
    const auto id = Uuid::Parse(text);
    if (!id) Note(TokenRefusal::kMalformed);
    return id.value_or(Uuid{});
  }

  Sha256 Thumbprint() {
    Sha256 digest{};
    const json* confirmation = Find(claims_, "cnf");
    if (confirmation == nullptr) return digest;
    if (!confirmation->is_object()) {
      Note(TokenRefusal::kMalformed);
      return digest;
    }
    const json* value = Find(*confirmation, "x5t#S256");
    if (value == nullptr) return digest;
    const auto bytes = value->is_string() ? Base64UrlDecode(value->get_ref<const std::string&>()) : std::nullopt;
    if (!bytes || bytes->size() != digest.size()) {
      Note(TokenRefusal::kMalformed);
      return digest;
    }
    std::copy(bytes->begin(), bytes->end(), digest.begin());
    return digest;
  }

  void Note(TokenRefusal refusal) {
    if (!first_) first_ = refusal;
  }
  std::optional<TokenRefusal> first() const { return first_; }

 private:
  const json* Find(const json& object, const char* name) {
    const auto found = object.find(name);
    if (found != object.end()) return &*found;
    Note(TokenRefusal::kMissingClaim);
    return nullptr;
  }

  const json& claims_;
  std::optional<TokenRefusal> first_;
};

std::expected<AccessTokenClaims, TokenRefusal> ReadClaims(const std::string& payload, const TokenScope& scope) {
  const auto object = ParseStrictJson(payload, "payload");
  if (!object || !object->is_object()) return Refusal(TokenRefusal::kMalformed);
  ClaimReader reader(*object);
  const std::string issuer = reader.Text("iss");
  const std::string audience = reader.Text("aud");
  AccessTokenClaims claims;
  claims.username = reader.Text("sub");
  claims.token_id = reader.Id("jti");
  claims.session_id = reader.Id("sid");
  claims.certificate_thumbprint = reader.Thumbprint();
  claims.issued_at = reader.Time("iat");
  claims.not_before = reader.Time("nbf");
  claims.expires_at = reader.Time("exp");
  const auto role = ParseUserRole(reader.Text("role"));
  if (!role || !IsIdentifier(claims.username, limits::kMaxUsernameBytes)) reader.Note(TokenRefusal::kMalformed);
  if (reader.first()) return Refusal(*reader.first());
  claims.role = *role;
  if (issuer != scope.issuer) return Refusal(TokenRefusal::kWrongIssuer);
  if (audience != scope.audience) return Refusal(TokenRefusal::kWrongAudience);
  return claims;
}

constexpr auto kDescriptions = std::to_array<std::pair<TokenRefusal, std::string_view>>({
    {TokenRefusal::kTooLong, "the token is too long"},
    {TokenRefusal::kRefreshToken, "a refresh token is no access token"},
    {TokenRefusal::kMalformed, "the token is malformed"},
    {TokenRefusal::kWrongAlgorithm, "the token is not signed with ES256"},
    {TokenRefusal::kWrongType, "the token is not of type at+jwt"},
    {TokenRefusal::kForbiddenHeader, "the token has a header that is not allowed"},
    {TokenRefusal::kUnknownKey, "the token is signed with an unknown key"},
    {TokenRefusal::kBadSignature, "the token's signature is wrong"},
    {TokenRefusal::kWrongIssuer, "the token comes from another issuer"},
    {TokenRefusal::kWrongAudience, "the token is meant for another audience"},
    {TokenRefusal::kMissingClaim, "the token lacks a claim"},
    {TokenRefusal::kExpired, "the token has expired"},
    {TokenRefusal::kNotYetValid, "the token is not yet valid"},
    {TokenRefusal::kOtherCertificate, "the token belongs to another client certificate"},
});

}  // namespace

std::string_view Describe(TokenRefusal refusal) {
  for (const auto& [value, text] : kDescriptions) {
    if (value == refusal) return text;
  }
  return "the token is refused";
}

TokenSigner::TokenSigner(std::shared_ptr<const TokenKeys> keys, TokenScope scope)
    : keys_(std::move(keys)), scope_(std::move(scope)) {}

std::string TokenSigner::Sign(const AccessTokenClaims& claims) const {
  STRIFE_ASSERT(IsIdentifier(claims.username, limits::kMaxUsernameBytes));
  STRIFE_ASSERT(!claims.token_id.IsNil() && !claims.session_id.IsNil());
  const json header = {{"alg", kAlgorithm}, {"typ", kType}, {"kid", keys_->signing_kid()}};
  const json payload = {{"iss", scope_.issuer},
                        {"aud", scope_.audience},
                        {"sub", claims.username},
                        {"jti", claims.token_id.ToString()},
                        {"sid", claims.session_id.ToString()},
                        {"role", UserRoleName(claims.role)},
                        {"iat", ToUnixSeconds(claims.issued_at)},
                        {"nbf", ToUnixSeconds(claims.not_before)},
                        {"exp", ToUnixSeconds(claims.expires_at)},
                        {"cnf", {{"x5t#S256", Base64UrlEncode(claims.certificate_thumbprint)}}}};
  std::string token = Base64UrlEncode(AsBytes(header.dump())) + '.' + Base64UrlEncode(AsBytes(payload.dump()));
  const std::string signature = keys_->Sign(token);
  token += '.';
  token += Base64UrlEncode(AsBytes(signature));
  return token;
}

TokenVerifier::TokenVerifier(std::shared_ptr<const TokenKeys> keys, TokenScope scope)
    : keys_(std::move(keys)), scope_(std::move(scope)) {}

std::expected<AccessTokenClaims, TokenRefusal> TokenVerifier::Verify(std::string_view token,
                                                                     const Sha256& certificate_thumbprint,
                                                                     WallTime now) const {
  if (token.size() > limits::kMaxTokenBytes) return Refusal(TokenRefusal::kTooLong);
  if (token.starts_with(kRefreshTokenPrefix)) return Refusal(TokenRefusal::kRefreshToken);
  const auto parts = Split(token);
  if (!parts) return Refusal(TokenRefusal::kMalformed);
  const auto kid = CheckHeader(parts->header);
  if (!kid) return Refusal(kid.error());
  if (!keys_->Has(*kid)) return Refusal(TokenRefusal::kUnknownKey);
  if (!keys_->Verify(*kid, parts->signed_text, parts->signature)) return Refusal(TokenRefusal::kBadSignature);
  auto claims = ReadClaims(parts->payload, scope_);
  if (!claims) return claims;
  if (const auto refusal = CheckTokenUse(*claims, certificate_thumbprint, now)) return Refusal(*refusal);
  return claims;
}

std::optional<TokenRefusal> CheckTokenUse(const AccessTokenClaims& claims, const Sha256& certificate_thumbprint,
                                          WallTime now) {
  if (claims.certificate_thumbprint != certificate_thumbprint) return TokenRefusal::kOtherCertificate;
  if (now >= claims.expires_at) return TokenRefusal::kExpired;
  if (now + kTokenClockSkew < claims.not_before) return TokenRefusal::kNotYetValid;
  return std::nullopt;
}

}  // namespace strife::security
