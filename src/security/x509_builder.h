// Makes certificates and revocation lists. Internal to security/: what goes into them is decided here, who gets one and
// where it is kept in pki.h.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "security/certificate.h"
#include "security/openssl.h"

namespace strife::security {

// Certificates and lists are dated back by this much, for peers whose clocks are behind.
inline constexpr Duration kBackdating = std::chrono::minutes(5);

struct Validity {
  WallTime not_before;
  WallTime not_after;
};

// The subject alternative names of a leaf. kInvalidInput for what is no host name or address.
Result<X509ExtensionPtr> MakeSubjectNames(const Identity& identity, const std::vector<std::string>& dns_names,
                                          const std::vector<std::string>& ip_addresses);

// A root: self-signed, with the trust domain as its URI name. It may vouch for intermediates, and they for leaves only.
X509Ptr MakeAuthorityCertificate(const std::string& trust_domain, EVP_PKEY* key, const Validity& validity);

// An intermediate for the holder of `key`: path length 0, of the trust domain and no longer alive than `authority`.
X509Ptr MakeIntermediateCertificate(const X509_NAME* subject, const std::string& trust_domain, EVP_PKEY* key,
                                    const Validity& validity, X509* authority, EVP_PKEY* authority_key);
// The name of a new intermediate: no two are alike, so that lists and chains of two CAs cannot be mixed up.
X509NamePtr MakeIntermediateName(const std::string& name);
// The name an intermediate was issued under; empty for what is none.
std::string IntermediateNameOf(const X509* certificate);

// A leaf for the holder of `key`, with the key usages of its role.
X509Ptr MakeLeafCertificate(const Identity& identity, X509_EXTENSION* subject_names, EVP_PKEY* key,
                            const Validity& validity, X509* authority, EVP_PKEY* authority_key);

// A list with the entries of `previous` (if any) and `serials`, numbered one higher.
X509CrlPtr MakeRevocationList(X509_CRL* previous, const std::vector<const ASN1_INTEGER*>& serials, WallTime revoked_at,
                              const Validity& validity, X509* authority, EVP_PKEY* authority_key);

// The trust domain in a CA's URI name; empty when it has none.
std::string TrustDomainOf(X509* authority);

}  // namespace strife::security
