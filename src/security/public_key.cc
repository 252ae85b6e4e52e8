#include "security/public_key.h"

#include <openssl/pem.h>

#include "base/assert.h"
#include "security/encoding.h"

namespace strife::security {
namespace {

constexpr int kMinRsaBits = 2048;

std::string GroupName(EVP_PKEY* key) {
  char name[64] = {};
  std::size_t size = 0;
  return EVP_PKEY_get_group_name(key, name, sizeof name, &size) == 1 ? std::string(name, size) : std::string();
}

}  // namespace

std::string KeyFingerprint(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  STRIFE_ASSERT(size > 0);
  const Sha256 digest = Sha256Of(std::span<const std::uint8_t>(der, static_cast<std::size_t>(size)));
  OPENSSL_free(der);
  return "sha256:" + HexEncode(digest);
}

std::string KeyKind(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519")) return "Ed25519";
  if (EVP_PKEY_is_a(key, "RSA")) return "RSA " + std::to_string(EVP_PKEY_get_bits(key));
  if (!EVP_PKEY_is_a(key, "EC")) return EVP_PKEY_get0_type_name(key);
  const std::string group = GroupName(key);
  if (group == "prime256v1") return "ECDSA P-256";
  if (group == "secp384r1") return "ECDSA P-384";
  return "ECDSA " + group;
}

Status CheckKeyStrength(EVP_PKEY* key) {
  const std::string kind = KeyKind(key);
  const bool strong = kind == "Ed25519" || kind == "ECDSA P-256" || kind == "ECDSA P-384" ||
                      (EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= kMinRsaBits);
  if (strong) return {};
  return Fail(ErrorCode::kInvalidInput,
              "The key is " + kind + "; use ECDSA P-256 or P-384, Ed25519, or RSA from 2048 bits");
}

Result<KeyPtr> KeyOfRequest(std::string_view request_pem) {
  ErrorQueueScope errors;
  const X509ReqPtr request(PEM_read_bio_X509_REQ(Reader(request_pem).get(), nullptr, nullptr, nullptr));
  if (!request) return Fail(ErrorCode::kInvalidInput, "There is no PEM certificate request");
  KeyPtr key(X509_REQ_get_pubkey(request.get()));
  if (!key) return Fail(ErrorCode::kInvalidInput, "The certificate request holds no key that can be read");
  if (Status strong = CheckKeyStrength(key.get()); !strong) return std::unexpected(strong.error());
  if (X509_REQ_verify(request.get(), key.get()) != 1) {
    return Fail(ErrorCode::kInvalidInput, "The certificate request is not signed by the key it is for");
  }
  return key;
}

}  // namespace strife::security
