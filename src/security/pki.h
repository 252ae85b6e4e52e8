// A certificate authority in a directory, as `strife pki` and `strife init` use it:
//
//   ca.crt            its certificate, which all sides trust
//   ca.key            its private key, 0600
//   ca.crl            its revocation list
//   <name>.crt .key   the current certificate of each name and its private key, 0600
//   issued/<serial>.crt   every certificate it has ever signed, so that all of them can be listed and revoked
//
// Keys are ECDSA P-256, serials 128 random bits. The CA signs leaves only (path length 0) and carries the trust domain
// in its own URI name, spiffe://<trust-domain>. A directory is worked on by one process at a time (it is locked). None
// of it is meant for a running server's threads.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "security/certificate.h"

namespace strife::security {

inline constexpr Duration kDefaultCertificateLifetime = std::chrono::hours(24 * 90);
inline constexpr Duration kDefaultAuthorityLifetime = std::chrono::hours(24 * 3650);
inline constexpr Duration kDefaultRevocationListLifetime = std::chrono::hours(24 * 30);

struct AuthorityOptions {
  std::string trust_domain;
  Duration lifetime = kDefaultAuthorityLifetime;
  // How long a revocation list is good for before it must be signed anew; kept for the lists that follow. At most the
  // CA's own lifetime.
  Duration revocation_list_lifetime = kDefaultRevocationListLifetime;
};

struct CertificateRequest {
  Role role = Role::kClient;
  std::string name;
  Duration lifetime = kDefaultCertificateLifetime;  // cut off at the CA's own end
  // Where a server is reached, for gateway and bank only: host names and addresses.
  std::vector<std::string> dns_names = {"localhost"};
  std::vector<std::string> ip_addresses = {"127.0.0.1"};
};

enum class CertificateState { kValid, kExpired, kRevoked, kReplaced };
std::string_view CertificateStateName(CertificateState state);  // "valid", "expired", "revoked", "replaced"

struct CertificateEntry {
  Certificate certificate;
  // kReplaced: renewed since, but still good until it expires or is revoked.
  CertificateState state = CertificateState::kValid;
  int days_left = 0;  // whole days, 0 once expired
};

class CertificateAuthority {
 public:
  // Makes the directory (if need be), ca.crt, ca.key and an empty ca.crl. kAlreadyExists when one of them is there.
  static Result<CertificateAuthority> Create(const std::filesystem::path& directory, const AuthorityOptions& options,
                                             WallTime now);
  static Result<CertificateAuthority> Open(const std::filesystem::path& directory);

  CertificateAuthority(CertificateAuthority&&) noexcept;
  CertificateAuthority& operator=(CertificateAuthority&&) noexcept;
  ~CertificateAuthority();

  const std::string& trust_domain() const;

  // Writes <name>.key and <name>.crt. kAlreadyExists when that name has a certificate: renew it instead.
  Result<Certificate> Issue(const CertificateRequest& request, WallTime now);
  // A new key and certificate for the same identity and addresses, in place of the old. The old one stays valid until
  // it expires, so that a running process is not cut off: revoke it by its serial if it must go. With `lifetime` zero,
  // the same as before.
  Result<Certificate> Renew(const std::string& name, Duration lifetime, WallTime now);
  // Puts every unexpired certificate of the name, or the one with the serial, on the revocation list. Returns those
  // newly revoked; kNotFound when there is none to revoke.
  Result<std::vector<Certificate>> Revoke(const std::string& name_or_serial, WallTime now);
  // Signs the revocation list anew, before it becomes stale.
  Status RefreshRevocationList(WallTime now);
  // By name, then newest first.
  Result<std::vector<CertificateEntry>> List(WallTime now) const;

 private:
  struct State;
  explicit CertificateAuthority(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace strife::security
