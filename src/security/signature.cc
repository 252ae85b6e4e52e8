#include "security/signature.h"

#include "security/encoding.h"
#include "security/openssl.h"

namespace strife::security {
namespace {

// Ed25519 has its hash built in.
const EVP_MD* DigestFor(EVP_PKEY* key) { return EVP_PKEY_is_a(key, "ED25519") == 1 ? nullptr : EVP_sha256(); }

}  // namespace

Result<std::string> Sign(std::string_view key_pem, std::string_view message) {
  const ErrorQueueScope scope;
  const KeyPtr key = ReadPrivateKeyPem(key_pem);
  if (!key) return Fail(ErrorCode::kInvalidInput, "the key file holds no private key");
  const DigestContextPtr context(EVP_MD_CTX_new());
  const auto text = AsBytes(message);
  std::size_t size = 0;
  if (!context || EVP_DigestSignInit(context.get(), nullptr, DigestFor(key.get()), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, text.data(), text.size()) != 1) {
    return Fail(ErrorCode::kInvalidInput, "the key is of a kind that cannot sign");
  }
  std::string signature(size, '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(signature.data());
  if (EVP_DigestSign(context.get(), bytes, &size, text.data(), text.size()) != 1) {
    return Fail(ErrorCode::kInternal, "OpenSSL cannot sign");
  }
  signature.resize(size);
  return signature;
}

Status CheckSignature(std::string_view certificate_pem, std::string_view message, std::string_view signature) {
  const ErrorQueueScope scope;
  const auto certificates = ReadCertificatesPem(certificate_pem);
  if (certificates.empty()) return Fail(ErrorCode::kUnauthenticated, "the signature comes without a certificate");
  EVP_PKEY* key = X509_get0_pubkey(certificates.front().get());
  const DigestContextPtr context(EVP_MD_CTX_new());
  const auto text = AsBytes(message), bytes = AsBytes(signature);
  if (key == nullptr || !context || EVP_DigestVerifyInit(context.get(), nullptr, DigestFor(key), nullptr, key) != 1 ||
      EVP_DigestVerify(context.get(), bytes.data(), bytes.size(), text.data(), text.size()) != 1) {
    return Fail(ErrorCode::kUnauthenticated, "the signature does not belong to the text and the certificate");
  }
  return {};
}

}  // namespace strife::security
