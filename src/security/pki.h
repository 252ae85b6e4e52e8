// A certificate authority in a directory, as `strife pki` and `strife init` use it:
//
//   ca.crt            its certificate; a root's is what all sides trust
//   ca.key            its private key, 0600
//   ca.crl            its revocation list
//   <name>.crt        the current certificate of each name, followed by the CA's own if that is an intermediate
//   <name>.key        its private key, 0600, unless it was made elsewhere and came as a request
//   issued/<serial>.crt   every certificate it has ever signed, so that all of them can be listed and revoked
//
// A CA is a root, or an intermediate that a root vouches for; a root vouches for leaves and intermediates, an
// intermediate for leaves only. Keys are ECDSA P-256, serials 128 random bits. A CA carries the trust domain in its own
// URI name, spiffe://<trust-domain>. What a certificate says is decided here, never by a request. A directory is worked
// on by one process at a time (it is locked). None of it is meant for a running server's threads.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "security/certificate.h"
#include "security/signing_request.h"

namespace strife::security {

inline constexpr Duration kDefaultCertificateLifetime = std::chrono::hours(24 * 90);
inline constexpr Duration kDefaultIntermediateLifetime = std::chrono::hours(24 * 1825);
inline constexpr Duration kDefaultAuthorityLifetime = std::chrono::hours(24 * 3650);
inline constexpr Duration kDefaultRevocationListLifetime = std::chrono::hours(24 * 30);

// What a CA is called where roles are named; no Role, for it may not speak to anybody.
inline constexpr std::string_view kAuthorityRole = "ca";

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
  // A request in PEM, of which the key is taken; empty: the CA makes a key.
  std::string request_pem = {};
};

// What a certificate says that a CA has signed, be it a leaf's or an intermediate's.
struct IssuedCertificate {
  std::string name;
  std::string role;      // "bank" …, or kAuthorityRole
  std::string identity;  // the URI name
  std::string serial;
  WallTime not_before;
  WallTime not_after;
  std::string key_fingerprint;  // as KeyFingerprint
};

enum class CertificateState { kValid, kExpired, kRevoked, kReplaced };
std::string_view CertificateStateName(CertificateState state);  // "valid", "expired", "revoked", "replaced"

struct CertificateEntry {
  IssuedCertificate certificate;
  // kReplaced: renewed since, but still good until it expires or is revoked.
  CertificateState state = CertificateState::kValid;
  int days_left = 0;       // whole days, 0 once expired
  bool ends_soon = false;  // kValid and within its warning time
};

// The CA itself, for people.
struct AuthorityInfo {
  std::string trust_domain;
  bool root = true;
  std::string name;  // "Strife CA …", as it stands in what it signs
  WallTime not_after;
  WallTime list_until;  // when its revocation list grows stale
  bool ends_soon = false;
  bool list_ends_soon = false;
};

class CertificateAuthority {
 public:
  // Makes a root: the directory (if need be), ca.crt, ca.key and an empty ca.crl. kAlreadyExists when one of them is
  // there.
  static Result<CertificateAuthority> Create(const std::filesystem::path& directory, const AuthorityOptions& options,
                                             WallTime now);
  // Makes an intermediate of the certificate that another CA has issued for the ca.key in the directory: writes ca.crt
  // and an empty ca.crl. Of a CA that is there already the certificate is replaced by a renewed one of the same name.
  static Result<CertificateAuthority> Adopt(const std::filesystem::path& directory, std::string_view certificate_pem,
                                            Duration revocation_list_lifetime, WallTime now);
  static Result<CertificateAuthority> Open(const std::filesystem::path& directory);

  CertificateAuthority(CertificateAuthority&&) noexcept;
  CertificateAuthority& operator=(CertificateAuthority&&) noexcept;
  ~CertificateAuthority();

  const std::string& trust_domain() const;
  Result<AuthorityInfo> Info(WallTime now) const;

  // Writes <name>.crt and, when the key was made here, <name>.key. kAlreadyExists when that name has a certificate:
  // renew it instead.
  Result<IssuedCertificate> Issue(const CertificateRequest& request, WallTime now);
  // Vouches for the intermediate CA that has made the request. Roots only. Writes <name>.crt.
  Result<IssuedCertificate> IssueAuthority(const std::string& name, std::string_view request_pem, Duration lifetime,
                                           WallTime now);
  // A certificate anew for the same identity and addresses, in place of the old; with a new key if the old one was made
  // here, for the key of the request if there is one, otherwise for the same key. The old one stays valid until it
  // expires, so that a running process is not cut off: revoke it by its serial if it must go. With `lifetime` zero, the
  // same as before.
  Result<IssuedCertificate> Renew(const std::string& name, Duration lifetime, std::string_view request_pem,
                                  WallTime now);
  // Puts every unexpired certificate of the name, or the one with the serial, on the revocation list. Returns those
  // newly revoked; kNotFound when there is none to revoke.
  Result<std::vector<IssuedCertificate>> Revoke(const std::string& name_or_serial, WallTime now);
  // Signs the revocation list anew, before it becomes stale. With `lifetime` zero, good for as long as before.
  Status RefreshRevocationList(Duration lifetime, WallTime now);
  // By name, then newest first.
  Result<std::vector<CertificateEntry>> List(WallTime now) const;

 private:
  struct State;
  explicit CertificateAuthority(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace strife::security
