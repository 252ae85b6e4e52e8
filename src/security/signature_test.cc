#include "security/signature.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "security/openssl.h"

namespace strife::security {
namespace {

KeyPtr KeyOf(const char* kind) {
  return KeyPtr(std::string_view(kind) == "EC" ? EVP_EC_gen("P-256") : EVP_PKEY_Q_keygen(nullptr, nullptr, kind));
}

// A certificate that says nothing but whose key it is.
std::string CertificateOf(EVP_PKEY* key) {
  const X509Ptr certificate(X509_new());
  X509_set_pubkey(certificate.get(), key);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_sign(certificate.get(), key, EVP_PKEY_is_a(key, "ED25519") == 1 ? nullptr : EVP_sha256());
  return ToPem(certificate.get());
}

TEST(Signature, OfEachKindOfKey_IsGoodForItsTextAndCertificateOnly) {
  for (const char* kind : {"EC", "ED25519"}) {
    const KeyPtr key = KeyOf(kind), other = KeyOf(kind);
    const std::string certificate = CertificateOf(key.get());
    auto signature = Sign(ToPem(key.get()), "text").value();
    EXPECT_TRUE(CheckSignature(certificate, "text", signature).has_value()) << kind;
    EXPECT_FALSE(CheckSignature(certificate, "texT", signature).has_value()) << kind;
    EXPECT_FALSE(CheckSignature(CertificateOf(other.get()), "text", signature).has_value()) << kind;
    signature.back() = static_cast<char>(signature.back() ^ 1);
    EXPECT_FALSE(CheckSignature(certificate, "text", signature).has_value()) << kind;
    EXPECT_FALSE(CheckSignature(certificate, "text", "").has_value()) << kind;
  }
}

TEST(Signature, WithoutKeyOrCertificate_IsAnError) {
  EXPECT_EQ(Sign("no key", "text").error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(CheckSignature("no certificate", "text", "s").error().code, ErrorCode::kUnauthenticated);
}

}  // namespace
}  // namespace strife::security
