// Trust: whom a process believes: its CAs, and what they have taken back.
//
// A peer's certificate is verified from its leaf up to a root of the bundle, with the intermediates it has shown, at
// each point against the revocation list of whoever signed it (RFC 5280). TLS has checked the chain once, when the
// connection was made; this is asked for again as long as the connection lasts, because connections outlive bundles,
// lists and certificates.
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

struct VerifiedPeer {
  Certificate certificate;
  WallTime until;  // nothing in the chain expires and no list used grows stale before
};

// Something with an end, for whoever warns of it.
struct Dated {
  enum class Kind { kAuthority, kRevocationList };
  Kind kind;
  std::string what;  // "the revocation list of Strife CA … in certs/ca.crl"
  WallTime from;
  WallTime until;
};

// Immutable and thread-safe: reload by loading another.
class Trust {
 public:
  // `ca_file` is a PEM bundle of the trusted roots, which may also hold intermediates. `crl_file` is a PEM file with
  // the lists: one of each CA in the bundle, and of each intermediate that peers show; of several lists of one CA the
  // newest counts. An empty path: nobody is checked for revocation. Otherwise a list that is missing, stale, altered,
  // forged or partial is an error that names the file: what cannot be checked is not let in.
  static Result<std::shared_ptr<const Trust>> Load(const std::filesystem::path& ca_file,
                                                   const std::filesystem::path& crl_file, WallTime now);
  ~Trust();

  enum class Use { kClient, kServer };  // what the peer is in this connection
  // `leaf_pem` is the peer's certificate, `others_pem` what it has shown besides, if anything. kUnauthenticated with
  // the reason in one sentence. Some 300 µs.
  Result<VerifiedPeer> Verify(std::string_view leaf_pem, std::string_view others_pem, Use use, WallTime now) const;

  // Whether the certificate leads to a root of the bundle, be it expired or revoked.
  bool Vouches(std::string_view leaf_pem, std::string_view others_pem) const;
  // Whether the other has the same bundle and lists, byte for byte.
  bool IsSameAs(const Trust& other) const;

  // The bundle, as TLS takes it.
  const std::string& ca_pem() const;
  bool checks_revocation() const;
  // When the first list of the bundle's CAs grows stale; the end of time when no lists are kept.
  WallTime stale_at() const;
  // Each CA of the bundle and each list.
  std::vector<Dated> Ends() const;

 private:
  struct State;
  explicit Trust(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace strife::security
