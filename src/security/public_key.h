// Public keys as certificates and requests carry them. Internal to security/.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "security/openssl.h"

namespace strife::security {

// "sha256:…", of the key in DER (SubjectPublicKeyInfo): what people compare.
std::string KeyFingerprint(EVP_PKEY* key);
// "ECDSA P-256", "Ed25519", "RSA 3072", …
std::string KeyKind(EVP_PKEY* key);
// Refuses what is too weak to vouch for anybody: all but ECDSA on P-256 or P-384, Ed25519 and RSA from 2048 bits.
Status CheckKeyStrength(EVP_PKEY* key);

// The key of a request in PEM whose holder has signed it.
Result<KeyPtr> KeyOfRequest(std::string_view request_pem);

}  // namespace strife::security
