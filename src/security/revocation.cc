#include "security/revocation.h"

#include <algorithm>

#include "security/openssl.h"
#include "security/secure_file.h"

namespace strife::security {
namespace {

const X509* SignerOf(X509_CRL* list, const std::vector<X509Ptr>& authorities) {
  for (const X509Ptr& authority : authorities) {
    if (X509_NAME_cmp(X509_get_subject_name(authority.get()), X509_CRL_get_issuer(list)) != 0) continue;
    if ((X509_get_key_usage(authority.get()) & X509v3_KU_CRL_SIGN) == 0) continue;
    if (X509_CRL_verify(list, X509_get0_pubkey(authority.get())) == 1) return authority.get();
  }
  return nullptr;
}

std::unordered_set<std::string> RevokedSerials(X509_CRL* list) {
  std::unordered_set<std::string> serials;
  STACK_OF(X509_REVOKED)* entries = X509_CRL_get_REVOKED(list);
  for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
    serials.insert(SerialText(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i))));
  }
  return serials;
}

// What is wrong with a list, apart from who signed it.
std::string ProblemWith(X509_CRL* list, WallTime now) {
  // A critical extension would mean that the list covers only part of the CA's certificates, or those of other CAs.
  if (X509_CRL_get_ext_by_critical(list, 1, -1) >= 0)
    return "is a partial or indirect list, which Strife does not read";
  if (ToWallTime(X509_CRL_get0_lastUpdate(list)) > now) return "is dated in the future";
  if (X509_CRL_get0_nextUpdate(list) == nullptr) return "does not say until when it is good";
  if (ToWallTime(X509_CRL_get0_nextUpdate(list)) <= now) return "is stale; have the CA sign it anew";
  return {};
}

}  // namespace

Result<RevocationList> RevocationList::Load(const std::filesystem::path& path, const std::filesystem::path& ca_file,
                                            WallTime now) {
  const auto refuse = [&](const std::string& why) {
    return Fail(ErrorCode::kInvalidInput, "The revocation list " + path.string() + " " + why);
  };
  const auto text = ReadFile(path);
  if (!text) return std::unexpected(text.error());
  const auto ca_text = ReadFile(ca_file);
  if (!ca_text) return std::unexpected(ca_text.error());
  ErrorQueueScope errors;
  const auto authorities = ReadCertificatesPem(*ca_text);
  if (authorities.empty()) return Fail(ErrorCode::kInvalidInput, ca_file.string() + " holds no PEM certificate");
  const auto lists = ReadRevocationListsPem(*text);
  if (lists.empty()) return refuse("holds no PEM revocation list");

  RevocationList result;
  result.path_ = path.string();
  for (const X509CrlPtr& list : lists) {
    if (SignerOf(list.get(), authorities) == nullptr) {
      return refuse("is not signed by a CA of " + ca_file.string());
    }
    if (const std::string problem = ProblemWith(list.get(), now); !problem.empty()) return refuse(problem);
    const WallTime next_update = ToWallTime(X509_CRL_get0_nextUpdate(list.get()));
    IssuerList& issuer =
        result.by_issuer_.try_emplace(HashOf(X509_CRL_get_issuer(list.get())), IssuerList{{}, next_update})
            .first->second;
    issuer.next_update = std::min(issuer.next_update, next_update);
    issuer.revoked_serials.merge(RevokedSerials(list.get()));
  }
  for (const X509Ptr& authority : authorities) {
    if (!result.by_issuer_.contains(HashOf(X509_get_subject_name(authority.get())))) {
      return refuse("has no list of every CA in " + ca_file.string() + "; put the missing one in");
    }
  }
  return result;
}

Status RevocationList::Check(const Certificate& certificate, WallTime now) const {
  const auto refuse = [&](const std::string& why) {
    return Fail(ErrorCode::kUnauthenticated, "The certificate of " + certificate.identity.Uri() + " " + why);
  };
  const auto list = by_issuer_.find(certificate.issuer_hash);
  if (list == by_issuer_.end()) return refuse("cannot be checked: its CA has no list in " + path_);
  if (now >= list->second.next_update) return refuse("cannot be checked: " + path_ + " is stale");
  if (list->second.revoked_serials.contains(certificate.serial)) return refuse("has been revoked");
  return {};
}

WallTime RevocationList::next_update() const {
  WallTime first = WallTime::max();
  for (const auto& [issuer, list] : by_issuer_) first = std::min(first, list.next_update);
  return first;
}

}  // namespace strife::security
