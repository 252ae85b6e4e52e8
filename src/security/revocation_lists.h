// Revocation lists (X.509 CRL, RFC 5280) read from a file and looked at before they are used. Internal to security/.
#pragma once

#include <filesystem>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "security/openssl.h"

namespace strife::security {

// The lists of a PEM file, one for each CA: the newest of each. An error names the file and says what is wrong when a
// CA of `authorities` has no list, or one that is not signed by it or cannot be used at `now`. Lists of other CAs are
// kept as they are: they may be of intermediates whose certificates come with the peers.
Result<std::vector<X509CrlPtr>> LoadRevocationLists(const std::filesystem::path& path,
                                                    const std::vector<X509Ptr>& authorities, WallTime now);

// What is wrong with a list at `now`, apart from who has signed it; empty when nothing is.
std::string ProblemWith(X509_CRL* list, WallTime now);

std::unordered_set<std::string> RevokedSerials(X509_CRL* list);

// Of a name, for people: the common name.
std::string CommonName(const X509_NAME* name);

}  // namespace strife::security
