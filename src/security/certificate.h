// Who a certificate says its holder is.
//
// Strife knows people and processes by exactly one thing in a leaf certificate: its only URI subject alternative name,
// spiffe://<trust-domain>/<role>/<name> (the SPIFFE X.509-SVID form). The common name means nothing.
//
// Reading a certificate proves nothing: that it chains to a trusted CA and that the peer holds the key is TLS's part
// (or LoadCredentials', for files); that it has not been revoked is RevocationList's; what its role may do is
// policy.h's.
//
// Extended key usage by role: gateway and bank have serverAuth and clientAuth, because both serve and both dial the
// other; client and operator have clientAuth only, so that their certificates cannot pose as a server.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "env/gateway_store.h"

namespace strife::security {

enum class Role : std::uint8_t { kGateway = 1, kBank = 2, kClient = 3, kOperator = 4 };

// "gateway", "bank", "client", "operator".
std::string_view RoleName(Role role);
std::optional<Role> ParseRole(std::string_view text);

// Gateways and banks accept connections.
constexpr bool IsServer(Role role) { return role == Role::kGateway || role == Role::kBank; }

struct Identity {
  std::string trust_domain;
  Role role = Role::kClient;
  std::string name;  // IsIdentifier; a bank's is its bank id

  bool operator==(const Identity&) const = default;

  // spiffe://<trust-domain>/<role>/<name>
  std::string Uri() const;
  // Accepts exactly what Uri() writes; the error says what is wrong.
  static Result<Identity> FromUri(std::string_view uri);
};

// 1 to 255 lower-case letters, digits, '.', '-', '_'.
bool IsTrustDomain(std::string_view text);
// IsIdentifier, as long as a bank id or user name may be.
bool IsIdentityName(Role role, std::string_view name);

// What Strife reads of a leaf certificate.
struct Certificate {
  Identity identity;
  Sha256 thumbprint{};   // SHA-256 of the DER form: what access tokens and sessions are bound to
  std::string serial;    // lower-case hexadecimal without leading zeros
  Sha256 issuer_hash{};  // SHA-256 of the issuer's name in DER: tells which CA's revocation list applies
  WallTime not_before;
  WallTime not_after;
  bool server_auth = false;  // extended key usages
  bool client_auth = false;

  bool operator==(const Certificate&) const = default;
};

// kUnauthenticated with the reason when the text is no certificate, is a CA's, has no URI name, more than one, or one
// that is not a Strife identity. Thread-safe. Costs some 20 µs, so do it once for a connection, not for a call.
// The PEM form is the first certificate of a bundle.
Result<Certificate> ParseCertificatePem(std::string_view pem);
Result<Certificate> ParseCertificateDer(std::span<const std::uint8_t> der);

}  // namespace strife::security
