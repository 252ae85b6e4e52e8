// Certificates: who they say their holder is. DER or PEM, by the first byte.
#include "fuzz.h"
#include "security/certificate.h"
#include "security/encoding.h"

namespace strife::security {
namespace {

FUZZ_TARGET(certificate) {
  fuzz::Input in(input);
  const bool der = in.Byte() % 2 == 0;
  const std::string_view bytes = in.Rest();
  const auto certificate = der ? ParseCertificateDer(AsBytes(bytes)) : ParseCertificatePem(bytes);
  if (!certificate) return fuzz::CheckMessage(certificate.error().message);
  const Identity& identity = certificate->identity;
  STRIFE_ASSERT(Identity::FromUri(identity.Uri()) == identity);
  STRIFE_ASSERT(IsIdentityName(identity.role, identity.name) && IsTrustDomain(identity.trust_domain));
  STRIFE_ASSERT(certificate->serial.find_first_not_of("0123456789abcdef-") == std::string::npos);
  // Two certificates are one only when every byte is the same.
  if (der) STRIFE_ASSERT(certificate->thumbprint == Sha256Of(bytes));
}

}  // namespace
}  // namespace strife::security
