#include "security/revocation_lists.h"

#include <algorithm>

#include "base/text.h"
#include "security/secure_file.h"

namespace strife::security {
namespace {

constexpr std::size_t kMaxShownNameBytes = 64;

// Keeps the newest list of each CA.
std::vector<X509CrlPtr> NewestOfEach(std::vector<X509CrlPtr> lists) {
  std::vector<X509CrlPtr> newest;
  for (X509CrlPtr& list : lists) {
    const auto same = std::ranges::find_if(newest, [&](const X509CrlPtr& other) {
      return X509_NAME_cmp(X509_CRL_get_issuer(list.get()), X509_CRL_get_issuer(other.get())) == 0;
    });
    if (same == newest.end()) {
      newest.push_back(std::move(list));
    } else if (ToWallTime(X509_CRL_get0_lastUpdate(same->get())) < ToWallTime(X509_CRL_get0_lastUpdate(list.get()))) {
      *same = std::move(list);
    }
  }
  return newest;
}

bool IsSignedBy(X509_CRL* list, X509* authority) {
  return (X509_get_key_usage(authority) & X509v3_KU_CRL_SIGN) != 0 &&
         X509_CRL_verify(list, X509_get0_pubkey(authority)) == 1;
}

}  // namespace

std::string CommonName(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return "a CA without a name";
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  if (size < 0) return "a CA without a name";
  std::string text =
      Sanitize({reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size)}, kMaxShownNameBytes);
  OPENSSL_free(utf8);
  return text;
}

std::string ProblemWith(X509_CRL* list, WallTime now) {
  // A critical extension would mean that the list covers only part of the CA's certificates, or those of other CAs.
  if (X509_CRL_get_ext_by_critical(list, 1, -1) >= 0)
    return "is a partial or indirect list, which Strife does not read";
  if (ToWallTime(X509_CRL_get0_lastUpdate(list)) > now) return "is dated in the future";
  if (X509_CRL_get0_nextUpdate(list) == nullptr) return "does not say until when it is good";
  if (ToWallTime(X509_CRL_get0_nextUpdate(list)) <= now) return "is stale; have the CA sign it anew (strife pki crl)";
  return {};
}

std::unordered_set<std::string> RevokedSerials(X509_CRL* list) {
  std::unordered_set<std::string> serials;
  STACK_OF(X509_REVOKED)* entries = X509_CRL_get_REVOKED(list);
  for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
    serials.insert(SerialText(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i))));
  }
  return serials;
}

Result<std::vector<X509CrlPtr>> LoadRevocationLists(const std::filesystem::path& path,
                                                    const std::vector<X509Ptr>& authorities, WallTime now) {
  const auto refuse = [&](X509* authority, const std::string& why) {
    return Fail(ErrorCode::kInvalidInput, "The revocation list of " + CommonName(X509_get_subject_name(authority)) +
                                              " in " + path.string() + " " + why);
  };
  const auto text = ReadFile(path);
  if (!text) return std::unexpected(text.error());
  ErrorQueueScope errors;
  auto lists = NewestOfEach(ReadRevocationListsPem(*text));
  if (lists.empty()) return Fail(ErrorCode::kInvalidInput, path.string() + " holds no PEM revocation list");
  for (const X509Ptr& authority : authorities) {
    const auto list = std::ranges::find_if(lists, [&](const X509CrlPtr& one) {
      return X509_NAME_cmp(X509_get_subject_name(authority.get()), X509_CRL_get_issuer(one.get())) == 0;
    });
    if (list == lists.end()) return refuse(authority.get(), "is missing; put the ca.crl of each CA into the file");
    if (!IsSignedBy(list->get(), authority.get())) return refuse(authority.get(), "is not signed by that CA");
    if (const std::string problem = ProblemWith(list->get(), now); !problem.empty()) {
      return refuse(authority.get(), problem);
    }
  }
  return lists;
}

}  // namespace strife::security
