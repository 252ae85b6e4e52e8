// What strife pki prints.
#pragma once

#include <string>
#include <vector>

#include "cli/output.h"
#include "security/describe.h"
#include "security/pki.h"

namespace strife::cli {

Json IssuedJson(const security::IssuedCertificate& certificate);
std::string IssuedText(const security::IssuedCertificate& certificate);

Json ListJson(const security::AuthorityInfo& authority, const std::vector<security::CertificateEntry>& entries);
std::string ListText(const security::AuthorityInfo& authority, const std::vector<security::CertificateEntry>& entries);
// What of it ends soon, with what to do: one sentence each.
std::vector<std::string> ListWarnings(const security::AuthorityInfo& authority,
                                      const std::vector<security::CertificateEntry>& entries, const std::string& dir);

// The first block of a file, with those after it under "others".
Json DescriptionsJson(const std::vector<security::Description>& descriptions);
std::string DescriptionsText(const std::vector<security::Description>& descriptions);

}  // namespace strife::cli
