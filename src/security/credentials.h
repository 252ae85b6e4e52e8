// What a process is itself: its certificate, key and trusted CAs, read from files and checked before it starts.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "security/certificate.h"

namespace strife::security {

struct CredentialFiles {
  std::filesystem::path ca_file;    // PEM bundle
  std::filesystem::path cert_file;  // PEM, leaf first
  std::filesystem::path key_file;   // PEM, 0600
};

struct Credentials {
  Certificate certificate;
  std::string ca_pem;
  std::string certificate_pem;
  std::string key_pem;  // secret
};

// Reads and checks: the key file is private to its owner, the certificate is an unexpired identity of `role` with the
// key usages of that role, the key belongs to it, and it chains to a CA of the bundle. Every failure is one sentence
// naming the file at fault. Used at start and at each reload, by servers and the command line alike.
Result<Credentials> LoadCredentials(const CredentialFiles& files, Role role, WallTime now);

// Whether a peer may come in at all, before policy asks what it may call. TLS has checked that its certificate chains
// to a trusted CA; this checks that it is of our trust domain, within its time (a long connection outlives
// certificates) and meant for dialling. kUnauthenticated otherwise. Revocation is RevocationList::Check.
Status AdmitClient(const Certificate& peer, const std::string& trust_domain, WallTime now);

// The same for a server that was dialled: it must be exactly whom the caller meant to reach.
Status AdmitServer(const Certificate& peer, const Identity& expected, WallTime now);

}  // namespace strife::security
