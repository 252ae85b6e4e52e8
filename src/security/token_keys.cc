#include "security/token_keys.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <system_error>
#include <vector>

#include "base/assert.h"
#include "base/private_directory.h"
#include "base/uuid.h"
#include "security/encoding.h"
#include "security/openssl.h"
#include "security/random.h"
#include "security/secure_file.h"

namespace strife::security {
namespace {

constexpr std::size_t kCoordinateBytes = 32;  // of r and of s

bool IsP256(EVP_PKEY* key) {
  char group[32] = {};
  std::size_t size = 0;
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1 &&
         std::string_view(group, size) == "prime256v1";
}

std::string DerToJws(const std::vector<std::uint8_t>& der) {
  const unsigned char* at = der.data();
  const EcdsaSignaturePtr parts(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  STRIFE_ASSERT(parts);
  std::string signature(2 * kCoordinateBytes, '\0');
  auto* out = reinterpret_cast<unsigned char*>(signature.data());
  STRIFE_ASSERT(BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), out, kCoordinateBytes) == kCoordinateBytes);
  STRIFE_ASSERT(BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), out + kCoordinateBytes, kCoordinateBytes) ==
                kCoordinateBytes);
  return signature;
}

std::vector<std::uint8_t> JwsToDer(std::string_view signature) {
  STRIFE_ASSERT(signature.size() == 2 * kCoordinateBytes);
  const auto* bytes = reinterpret_cast<const unsigned char*>(signature.data());
  const EcdsaSignaturePtr parts(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(bytes, kCoordinateBytes, nullptr);
  BIGNUM* s = BN_bin2bn(bytes + kCoordinateBytes, kCoordinateBytes, nullptr);
  STRIFE_ASSERT(parts && r != nullptr && s != nullptr);
  STRIFE_ASSERT(ECDSA_SIG_set0(parts.get(), r, s) == 1);  // takes r and s over
  std::vector<std::uint8_t> der(static_cast<std::size_t>(i2d_ECDSA_SIG(parts.get(), nullptr)));
  unsigned char* out = der.data();
  i2d_ECDSA_SIG(parts.get(), &out);
  return der;
}

// A version 7 id that sorts after `newest` even when the clock has been set back.
Uuid NextKid(const std::vector<std::string>& kids, WallTime now) {
  if (!kids.empty()) {
    now = std::max(now, TokenKeys::CreatedAt(kids.back()) + std::chrono::milliseconds(1));
  }
  return NewUuidV7(now);
}

// Of a public key, as a JWK has it.
std::string Coordinate(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  STRIFE_ASSERT(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  std::array<std::uint8_t, kCoordinateBytes> bytes;
  STRIFE_ASSERT(BN_bn2binpad(number, bytes.data(), kCoordinateBytes) == kCoordinateBytes);
  BN_free(number);
  return Base64UrlEncode(bytes);
}

}  // namespace

struct TokenKeys::Keys {
  std::map<std::string, KeyPtr, std::less<>> by_kid;
};

TokenKeys::TokenKeys(std::unique_ptr<Keys> keys) : keys_(std::move(keys)) {}
TokenKeys::~TokenKeys() = default;

Result<std::shared_ptr<const TokenKeys>> TokenKeys::LoadOrCreate(const std::filesystem::path& directory, WallTime now) {
  if (Status status = MakePrivateDirectory(directory); !status) return std::unexpected(status.error());
  auto kids = List(directory);
  if (kids && kids->empty()) {
    if (auto added = Add(directory, now); !added) return std::unexpected(added.error());
    kids = List(directory);
  }
  if (!kids) return std::unexpected(kids.error());

  auto keys = std::make_unique<Keys>();
  for (const std::string& kid : *kids) {
    const std::filesystem::path path = directory / (kid + ".pem");
    auto pem = ReadKeyFile(path);
    if (!pem) return std::unexpected(pem.error());
    ErrorQueueScope errors;
    KeyPtr key = ReadPrivateKeyPem(*pem);
    if (!key || !IsP256(key.get())) {
      return Fail(ErrorCode::kInvalidInput,
                  "The token key file " + path.string() + " holds no P-256 private key; restore or remove it");
    }
    keys->by_kid.emplace(kid, std::move(key));
  }
  return std::shared_ptr<const TokenKeys>(new TokenKeys(std::move(keys)));
}

Result<std::string> TokenKeys::Add(const std::filesystem::path& directory, WallTime now) {
  if (Status status = MakePrivateDirectory(directory); !status) return std::unexpected(status.error());
  const auto kids = List(directory);
  if (!kids) return std::unexpected(kids.error());
  std::string kid = NextKid(*kids, now).ToString();
  const KeyPtr key = MakeP256Key();
  const Status status = WriteFile(directory / (kid + ".pem"), ToPem(key.get()), kPrivateMode, Existing::kRefuse);
  if (!status) return std::unexpected(status.error());
  return kid;
}

Status TokenKeys::Remove(const std::filesystem::path& directory, const std::string& kid) {
  const auto kids = List(directory);
  if (!kids) return std::unexpected(kids.error());
  if (!std::ranges::binary_search(*kids, kid)) {
    return Fail(ErrorCode::kNotFound, "There is no token key " + kid + " in " + directory.string());
  }
  return RemoveFile(directory / (kid + ".pem"));
}

Result<std::vector<std::string>> TokenKeys::List(const std::filesystem::path& directory) {
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error)) {
    return Fail(ErrorCode::kNotFound, "There are no token keys in " + directory.string() +
                                          "; the gateway makes them when it is first started");
  }
  std::vector<std::string> kids;
  for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.ends_with(".pem")) continue;
    const std::string kid = name.substr(0, name.size() - 4);
    const auto id = Uuid::Parse(kid);
    if (!id || id->ToString() != kid) {
      return Fail(ErrorCode::kInvalidInput,
                  "The token key file " + it->path().string() + " is not named <uuid>.pem; rename or remove it");
    }
    kids.push_back(kid);
  }
  if (error) {
    return Fail(ErrorCode::kStorage, "Cannot list the token keys in " + directory.string() + ": " + error.message());
  }
  std::ranges::sort(kids);
  return kids;
}

WallTime TokenKeys::CreatedAt(const std::string& kid) {
  const auto id = Uuid::Parse(kid);
  STRIFE_ASSERT(id);
  std::int64_t ms = 0;
  for (std::size_t i = 0; i < 6; ++i) ms = (ms << 8) | id->bytes[i];
  return WallTime(std::chrono::milliseconds(ms));
}

const std::string& TokenKeys::signing_kid() const { return keys_->by_kid.rbegin()->first; }

bool TokenKeys::Has(std::string_view kid) const { return keys_->by_kid.contains(kid); }

std::vector<std::string> TokenKeys::kids() const {
  std::vector<std::string> kids;
  for (const auto& [kid, key] : keys_->by_kid) kids.push_back(kid);
  return kids;
}

std::string TokenKeys::Jwks() const {
  nlohmann::json keys = nlohmann::json::array();
  for (const auto& [kid, key] : keys_->by_kid) {
    keys.push_back({{"kty", "EC"},
                    {"crv", "P-256"},
                    {"use", "sig"},
                    {"alg", "ES256"},
                    {"kid", kid},
                    {"x", Coordinate(key.get(), OSSL_PKEY_PARAM_EC_PUB_X)},
                    {"y", Coordinate(key.get(), OSSL_PKEY_PARAM_EC_PUB_Y)}});
  }
  return nlohmann::json{{"keys", keys}}.dump(2);
}

std::string TokenKeys::Sign(std::string_view message) const {
  EVP_PKEY* key = keys_->by_kid.rbegin()->second.get();
  const DigestContextPtr context(EVP_MD_CTX_new());
  const auto* data = reinterpret_cast<const unsigned char*>(message.data());
  std::size_t size = 0;
  STRIFE_ASSERT(context && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1);
  STRIFE_ASSERT(EVP_DigestSign(context.get(), nullptr, &size, data, message.size()) == 1);
  std::vector<std::uint8_t> der(size);
  STRIFE_ASSERT(EVP_DigestSign(context.get(), der.data(), &size, data, message.size()) == 1);
  der.resize(size);
  return DerToJws(der);
}

bool TokenKeys::Verify(std::string_view kid, std::string_view message, std::string_view signature) const {
  const auto found = keys_->by_kid.find(kid);
  if (found == keys_->by_kid.end() || signature.size() != 2 * kCoordinateBytes) return false;
  ErrorQueueScope errors;
  const std::vector<std::uint8_t> der = JwsToDer(signature);
  const DigestContextPtr context(EVP_MD_CTX_new());
  STRIFE_ASSERT(context);
  STRIFE_ASSERT(EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, found->second.get()) == 1);
  return EVP_DigestVerify(context.get(), der.data(), der.size(), reinterpret_cast<const unsigned char*>(message.data()),
                          message.size()) == 1;
}

}  // namespace strife::security
