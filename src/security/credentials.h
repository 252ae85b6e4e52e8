// What a process is itself and whom it believes: its certificate and key, the CAs it trusts and their revocation lists,
// read from files and checked before they are used.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "security/certificate.h"
#include "security/trust.h"

namespace strife::security {

struct CredentialFiles {
  std::filesystem::path ca_file;        // PEM bundle
  std::filesystem::path cert_file;      // PEM, leaf first, then intermediates
  std::filesystem::path key_file;       // PEM, 0600
  std::filesystem::path crl_file = {};  // PEM, one list of each CA; empty: nobody is checked for revocation
};

struct Credentials {
  Certificate certificate;
  std::string certificate_pem;
  std::string key_pem;  // secret
  std::shared_ptr<const Trust> trust;
};

// Reads and checks: the key file is private to its owner, the certificate is an unexpired identity of `role` with the
// key usages of that role, the key belongs to it, and it chains to a CA of the bundle without having been revoked.
// Every failure is one sentence naming the file at fault. Used at start and at each reload, by servers and the command
// line alike.
Result<Credentials> LoadCredentials(const CredentialFiles& files, Role role, WallTime now);

// The same with the CAs and lists already there.
Result<Credentials> LoadCredentials(const CredentialFiles& files, Role role, std::shared_ptr<const Trust> trust,
                                    WallTime now);

// Whether a peer that has dialled us may come in at all, before policy asks what it may call: Trust vouches for it as a
// client, and it is of our trust domain. kUnauthenticated otherwise.
Result<VerifiedPeer> AdmitClient(const Trust& trust, std::string_view leaf_pem, std::string_view others_pem,
                                 const std::string& trust_domain, WallTime now);

// The same for a server that was dialled: it must be exactly whom the caller meant to reach. An empty name in
// `expected` accepts every name of that role.
Result<VerifiedPeer> AdmitServer(const Trust& trust, std::string_view leaf_pem, std::string_view others_pem,
                                 const Identity& expected, WallTime now);

// What of it ends within its warning time, in one sentence each that says when and what to do: certificates 14 days
// before, CAs 90 (reissuing takes longer), revocation lists 7 days or a quarter of their life.
std::vector<std::string> EndingSoon(const Credentials& credentials, const CredentialFiles& files, WallTime now);

// How long before its end a certificate counts as ending soon.
inline constexpr Duration kCertificateWarning = std::chrono::hours(24 * 14);
inline constexpr Duration kAuthorityWarning = std::chrono::hours(24 * 90);
inline constexpr Duration kRevocationListWarning = std::chrono::hours(24 * 7);

}  // namespace strife::security
