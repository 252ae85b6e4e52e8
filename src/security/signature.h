// Signatures with a certificate's key, over statements that others are to check: ECDSA or RSA with SHA-256, Ed25519.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace strife::security {

// `key_pem` is a private key. kInvalidInput when it is none, or one that cannot sign.
Result<std::string> Sign(std::string_view key_pem, std::string_view message);

// Whether the holder of the first certificate of `certificate_pem` has signed the message; kUnauthenticated when not.
// That the certificate is to be believed is for Trust to say.
Status CheckSignature(std::string_view certificate_pem, std::string_view message, std::string_view signature);

}  // namespace strife::security
