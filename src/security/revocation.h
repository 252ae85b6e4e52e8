// RevocationList: which certificates are no longer good though they have not expired (X.509 CRL, RFC 5280).
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/result.h"
#include "base/time.h"
#include "security/certificate.h"

namespace strife::security {

// Immutable and thread-safe: reload by loading another and swapping the pointer.
class RevocationList {
 public:
  // Loads a PEM file with one list per CA. Each must be signed by a CA of `ca_file` and be current at `now`, and every
  // CA of the bundle must have one; otherwise an error naming the file. A configured list that is missing is an error:
  // what cannot be checked is not let in.
  static Result<RevocationList> Load(const std::filesystem::path& path, const std::filesystem::path& ca_file,
                                     WallTime now);

  // kUnauthenticated when the certificate is revoked, when the list of its issuer has gone stale since it was loaded,
  // or when there is no list of its issuer.
  Status Check(const Certificate& certificate, WallTime now) const;

  // When the first list becomes stale.
  WallTime next_update() const;

 private:
  struct IssuerList {
    std::unordered_set<std::string> revoked_serials;
    WallTime next_update;
  };
  std::string path_;
  std::map<Sha256, IssuerList> by_issuer_;
};

}  // namespace strife::security
