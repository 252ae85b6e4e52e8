// Revocation lists. The first byte says what the input is: a PEM file as it lies on disk, or a list in DER that is
// signed here by the CA, so that what lies behind the signature is tried as well.
#include "fuzz.h"
#include "scratch.h"
#include "security/openssl.h"
#include "security/pki.h"
#include "security/secure_file.h"
#include "security/trust.h"

namespace strife::security {
namespace {

const WallTime kNow(std::chrono::seconds(1'800'000'000));

struct Authority {
  Authority() {
    STRIFE_ASSERT(CertificateAuthority::Create(scratch / "ca", {.trust_domain = "fuzz"}, kNow).has_value());
    const auto pem = ReadKeyFile(key_file);
    STRIFE_ASSERT(pem.has_value());
    key = ReadPrivateKeyPem(*pem);
  }
  fuzz::Scratch scratch;
  std::filesystem::path certificate_file = scratch / "ca/ca.crt";
  std::filesystem::path key_file = scratch / "ca/ca.key";
  KeyPtr key;
};

std::string Signed(const Authority& authority, std::string_view der) {
  const ErrorQueueScope errors;
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const X509CrlPtr list(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
  if (!list || X509_CRL_sign(list.get(), authority.key.get(), EVP_sha256()) == 0) return {};
  return ToPem(list.get());
}

FUZZ_TARGET(revocation_list) {
  static const Authority authority;
  fuzz::Input in(input);
  const bool ours = in.Byte() % 2 == 1;
  const std::string text = ours ? Signed(authority, in.Rest()) : std::string(in.Rest());
  const auto file = authority.scratch.Write("list.pem", text);
  const auto trust = Trust::Load(authority.certificate_file, file, kNow);
  if (!trust) return fuzz::CheckMessage(trust.error().message);
  STRIFE_ASSERT(ours);  // else a signature has been forged
  STRIFE_ASSERT((*trust)->stale_at() > kNow);
}

}  // namespace
}  // namespace strife::security
