#include "security/trust.h"

#include <algorithm>
#include <map>

#include "base/assert.h"
#include "security/openssl.h"
#include "security/revocation_lists.h"
#include "security/secure_file.h"
#include "security/x509_builder.h"

namespace strife::security {
namespace {

constexpr int kSecurityLevel = 2;  // OpenSSL's: 112 bits, so RSA from 2048 bits and SHA-256 signatures at the least

// One chain being checked, and what must live as long.
struct Chain {
  // Does not own its certificates.
  using Stack = std::unique_ptr<STACK_OF(X509), decltype([](STACK_OF(X509) * stack) { sk_X509_free(stack); })>;

  Chain(X509_STORE* store, std::string_view leaf_pem, std::string_view others_pem)
      : leaf(ReadCertificatesPem(leaf_pem)),
        shown(ReadCertificatesPem(others_pem)),
        others(sk_X509_new_null()),
        context(X509_STORE_CTX_new()) {
    STRIFE_ASSERT(!leaf.empty() && others && context);
    for (const X509Ptr& one : shown) sk_X509_push(others.get(), one.get());
    STRIFE_ASSERT(X509_STORE_CTX_init(context.get(), store, leaf.front().get(), others.get()) == 1);
    X509_VERIFY_PARAM_set_auth_level(param(), kSecurityLevel);
  }
  X509_VERIFY_PARAM* param() const { return X509_STORE_CTX_get0_param(context.get()); }

  const std::vector<X509Ptr> leaf;
  const std::vector<X509Ptr> shown;
  const Stack others;
  const X509StoreContextPtr context;
};

bool IsRoot(X509* certificate) { return (X509_get_extension_flags(certificate) & EXFLAG_SS) != 0; }

// Why OpenSSL has refused the chain.
std::string Problem(X509_STORE_CTX* context, const std::string& crl_file) {
  const int error = X509_STORE_CTX_get_error(context);
  const bool leaf = X509_STORE_CTX_get_error_depth(context) == 0;
  X509* at = X509_STORE_CTX_get_current_cert(context);
  const std::string whose = leaf || at == nullptr ? "" : " of its CA " + CommonName(X509_get_subject_name(at));
  switch (error) {
    case X509_V_ERR_CERT_REVOKED:
      return leaf ? "has been revoked" : "is of a CA that has been revoked: " + CommonName(X509_get_subject_name(at));
    case X509_V_ERR_CRL_HAS_EXPIRED:
      return "cannot be checked: the revocation list" + whose + " in " + crl_file + " is stale";
    case X509_V_ERR_UNABLE_TO_GET_CRL:
      return "cannot be checked: its CA has no list in " + crl_file;
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
      return "cannot be checked: the revocation list of its CA in " + crl_file + " is forged or altered";
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return leaf ? "has expired" : "is of a CA whose certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return leaf ? "is not valid yet" : "is of a CA whose certificate is not valid yet";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "is not vouched for by a CA that is trusted here";
    case X509_V_ERR_INVALID_PURPOSE:
      return "may not be used for this side of a connection";
    default:
      return "is not accepted: " + std::string(X509_verify_cert_error_string(error));
  }
}

}  // namespace

struct Trust::State {
  std::string ca_file;
  std::string crl_file;  // empty: none
  std::string ca_pem;
  std::string lists_pem;
  std::vector<X509Ptr> authorities;
  std::vector<X509CrlPtr> lists;
  std::map<Sha256, WallTime> list_ends;  // by the hash of the CA's name
  X509StorePtr store;

  void FillStore();
  WallTime EndOf(STACK_OF(X509) * chain) const;
};

void Trust::State::FillStore() {
  store.reset(X509_STORE_new());
  STRIFE_ASSERT(store);
  for (const X509Ptr& authority : authorities) X509_STORE_add_cert(store.get(), authority.get());
  for (const X509CrlPtr& list : lists) {
    X509_STORE_add_crl(store.get(), list.get());
    if (const ASN1_TIME* next = X509_CRL_get0_nextUpdate(list.get())) {
      list_ends[HashOf(X509_CRL_get_issuer(list.get()))] = ToWallTime(next);
    }
  }
  if (!crl_file.empty()) X509_STORE_set_flags(store.get(), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
}

WallTime Trust::State::EndOf(STACK_OF(X509) * chain) const {
  WallTime end = WallTime::max();
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    X509* certificate = sk_X509_value(chain, i);
    end = std::min(end, ToWallTime(X509_get0_notAfter(certificate)));
    const auto list = list_ends.find(HashOf(X509_get_issuer_name(certificate)));
    if (list != list_ends.end()) end = std::min(end, list->second);
  }
  return end;
}

Trust::Trust(std::unique_ptr<State> state) : state_(std::move(state)) {}
Trust::~Trust() = default;

Result<std::shared_ptr<const Trust>> Trust::Load(const std::filesystem::path& ca_file,
                                                 const std::filesystem::path& crl_file, WallTime now) {
  auto state = std::make_unique<State>();
  state->ca_file = ca_file.string();
  state->crl_file = crl_file.string();
  auto pem = ReadFile(ca_file);
  if (!pem) return std::unexpected(pem.error());
  state->ca_pem = *std::move(pem);
  ErrorQueueScope errors;
  state->authorities = ReadCertificatesPem(state->ca_pem);
  const auto refuse = [&](const std::string& why) {
    return Fail(ErrorCode::kInvalidInput, ca_file.string() + " " + why);
  };
  if (state->authorities.empty()) return refuse("holds no PEM certificate");
  for (const X509Ptr& authority : state->authorities) {
    if (X509_check_ca(authority.get()) != 1) {
      return refuse("holds a certificate that is not a CA's; put only the ca.crt of each CA to trust into it");
    }
  }
  if (std::ranges::none_of(state->authorities, [](const X509Ptr& one) { return IsRoot(one.get()); })) {
    return refuse("holds intermediate CAs only; it must hold the root that vouches for them");
  }
  if (!crl_file.empty()) {
    auto lists = LoadRevocationLists(crl_file, state->authorities, now);
    if (!lists) return std::unexpected(lists.error());
    state->lists = *std::move(lists);
    for (const X509CrlPtr& list : state->lists) state->lists_pem += ToPem(list.get());
  }
  state->FillStore();
  return std::shared_ptr<const Trust>(new Trust(std::move(state)));
}

Result<VerifiedPeer> Trust::Verify(std::string_view leaf_pem, std::string_view others_pem, Use use,
                                   WallTime now) const {
  auto certificate = ParseCertificatePem(leaf_pem);
  if (!certificate) return std::unexpected(certificate.error());
  const auto refuse = [&](const std::string& why) {
    return Fail(ErrorCode::kUnauthenticated, "The certificate of " + certificate->identity.Uri() + " " + why);
  };
  ErrorQueueScope errors;
  const Chain check(state_->store.get(), leaf_pem, others_pem);
  X509_STORE_CTX* context = check.context.get();
  X509_STORE_CTX_set_time(context, 0, ToUnixSeconds(now));
  X509_STORE_CTX_set_purpose(context, use == Use::kClient ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER);
  if (X509_verify_cert(context) != 1) return refuse(Problem(context, state_->crl_file));
  // OpenSSL takes a certificate without extended key usages for one of every use.
  if (use == Use::kClient ? !certificate->client_auth : !certificate->server_auth) {
    return refuse(use == Use::kClient ? "may not be used by a client" : "may not be used by a server");
  }
  STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(context);
  for (int i = 1; i < sk_X509_num(chain); ++i) {
    const std::string domain = TrustDomainOf(sk_X509_value(chain, i));
    if (!domain.empty() && domain != certificate->identity.trust_domain) {
      return refuse("is of a CA for the trust domain " + domain);
    }
  }
  return VerifiedPeer{*std::move(certificate), state_->EndOf(chain)};
}

bool Trust::Vouches(std::string_view leaf_pem, std::string_view others_pem) const {
  if (!ParseCertificatePem(leaf_pem)) return false;
  ErrorQueueScope errors;
  const Chain check(state_->store.get(), leaf_pem, others_pem);
  X509_VERIFY_PARAM_clear_flags(check.param(), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  X509_VERIFY_PARAM_set_flags(check.param(), X509_V_FLAG_NO_CHECK_TIME);
  return X509_verify_cert(check.context.get()) == 1;
}

bool Trust::IsSameAs(const Trust& other) const {
  return state_->ca_pem == other.state_->ca_pem && state_->lists_pem == other.state_->lists_pem;
}

const std::string& Trust::ca_pem() const { return state_->ca_pem; }

bool Trust::checks_revocation() const { return !state_->crl_file.empty(); }

WallTime Trust::stale_at() const {
  WallTime first = WallTime::max();
  if (!checks_revocation()) return first;
  for (const X509Ptr& authority : state_->authorities) {
    first = std::min(first, state_->list_ends.at(HashOf(X509_get_subject_name(authority.get()))));
  }
  return first;
}

std::vector<Dated> Trust::Ends() const {
  std::vector<Dated> ends;
  for (const X509Ptr& authority : state_->authorities) {
    ends.push_back(
        {Dated::Kind::kAuthority,
         "the certificate of " + CommonName(X509_get_subject_name(authority.get())) + " in " + state_->ca_file,
         ToWallTime(X509_get0_notBefore(authority.get())), ToWallTime(X509_get0_notAfter(authority.get()))});
  }
  for (const X509CrlPtr& list : state_->lists) {
    const auto end = state_->list_ends.find(HashOf(X509_CRL_get_issuer(list.get())));
    if (end == state_->list_ends.end()) continue;
    ends.push_back({Dated::Kind::kRevocationList,
                    "the revocation list of " + CommonName(X509_CRL_get_issuer(list.get())) + " in " + state_->crl_file,
                    ToWallTime(X509_CRL_get0_lastUpdate(list.get())), end->second});
  }
  return ends;
}

}  // namespace strife::security
