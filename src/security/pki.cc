#include "security/pki.h"

#include <algorithm>

#include "base/text.h"
#include "security/authority_directory.h"
#include "security/credentials.h"
#include "security/openssl.h"
#include "security/public_key.h"
#include "security/revocation_lists.h"
#include "security/secure_file.h"
#include "security/x509_builder.h"

namespace strife::security {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxNameBytes = 64;

// How long the list was made to be good for.
Duration LifetimeOf(X509_CRL* list) {
  return ToWallTime(X509_CRL_get0_nextUpdate(list)) - ToWallTime(X509_CRL_get0_lastUpdate(list)) - kBackdating;
}

bool IsRoot(X509* authority) { return (X509_get_extension_flags(authority) & EXFLAG_SS) != 0; }

// `ca` would be the CA's own files.
Status CheckName(const std::string& name, bool acceptable) {
  if (acceptable && name != kAuthorityRole) return {};
  return Fail(ErrorCode::kInvalidInput, "\"" + Sanitize(name, kMaxNameBytes) +
                                            "\" cannot be a name here: use letters, digits, '.', '-' and '_', no more "
                                            "than 64 (32 for a bank), and not \"ca\"");
}

// Whose key a new certificate is for.
struct HolderKey {
  KeyPtr key;
  bool made_here = false;  // to be written beside the certificate
};

Result<HolderKey> KeyFrom(std::string_view request_pem) {
  if (request_pem.empty()) return HolderKey{MakeP256Key(), true};
  auto key = KeyOfRequest(request_pem);
  if (!key) return std::unexpected(key.error());
  return HolderKey{*std::move(key), false};
}

bool EndsSoon(WallTime end, Duration warning, WallTime now) { return end - now < warning; }

}  // namespace

struct CertificateAuthority::State {
  explicit State(AuthorityDirectory taken) : directory(std::move(taken)) {}

  AuthorityDirectory directory;
  X509Ptr authority;
  KeyPtr key;
  std::string trust_domain;

  WallTime end() const { return ToWallTime(X509_get0_notAfter(authority.get())); }

  Status Load();
  Status WriteList(X509_CRL* previous, const std::vector<const ASN1_INTEGER*>& serials, Duration lifetime,
                   WallTime now) const;
  Result<Validity> ValidityFor(Duration lifetime, WallTime now) const;
  // Records the certificate and puts it, and its key if it was made here, in place.
  Result<IssuedCertificate> Place(X509* certificate, const std::string& name, const HolderKey& holder,
                                  Existing existing) const;
  Result<IssuedCertificate> SignLeaf(const Identity& identity, X509_EXTENSION* subject_names, const HolderKey& holder,
                                     Duration lifetime, WallTime now, Existing existing) const;
  Result<HolderKey> KeyForRenewal(const std::string& name, X509* old, std::string_view request_pem) const;
};

// Reads certificate and key and checks that they are a CA's.
Status CertificateAuthority::State::Load() {
  auto certificate = ReadCertificate(directory.certificate());
  if (!certificate) return std::unexpected(certificate.error());
  const auto key_pem = ReadKeyFile(directory.key());
  if (!key_pem) return std::unexpected(key_pem.error());
  authority = *std::move(certificate);
  key = ReadPrivateKeyPem(*key_pem);
  ErrorQueueScope errors;
  if (!key || X509_check_private_key(authority.get(), key.get()) != 1) {
    return Fail(ErrorCode::kInvalidInput,
                directory.key().string() + " is not the key of " + directory.certificate().string());
  }
  trust_domain = TrustDomainOf(authority.get());
  if (trust_domain.empty() || X509_check_ca(authority.get()) != 1) {
    return Fail(ErrorCode::kInvalidInput, directory.certificate().string() + " is not a CA that strife pki has made");
  }
  return {};
}

Status CertificateAuthority::State::WriteList(X509_CRL* previous, const std::vector<const ASN1_INTEGER*>& serials,
                                              Duration lifetime, WallTime now) const {
  const Validity validity{now - kBackdating, std::min(now + lifetime, end())};
  const X509CrlPtr list = MakeRevocationList(previous, serials, now, validity, authority.get(), key.get());
  return WriteFile(directory.list(), ToPem(list.get()), kPublicMode,
                   previous == nullptr ? Existing::kRefuse : Existing::kReplace);
}

Result<Validity> CertificateAuthority::State::ValidityFor(Duration lifetime, WallTime now) const {
  if (lifetime <= Duration::zero()) return Fail(ErrorCode::kInvalidInput, "A certificate's lifetime must be positive");
  if (now >= end()) {
    return Fail(ErrorCode::kInvalidInput,
                "The CA certificate " + directory.certificate().string() + " has expired; make a new CA");
  }
  return Validity{now - kBackdating, std::min(now + lifetime, end())};
}

Result<IssuedCertificate> CertificateAuthority::State::Place(X509* certificate, const std::string& name,
                                                             const HolderKey& holder, Existing existing) const {
  auto issued = DescribeIssued(certificate);
  if (!issued) return issued;
  std::string pem = ToPem(certificate);
  // Peers trust the root only: who was vouched for by an intermediate must show that too.
  if (!IsRoot(authority.get())) pem += ToPem(authority.get());
  Status status = directory.Record(certificate);
  if (status && holder.made_here) {
    status = WritePair({directory.KeyOf(name), ToPem(holder.key.get()), kPrivateMode},
                       {directory.CertificateOf(name), pem, kPublicMode}, existing);
  } else if (status) {
    status = WriteFile(directory.CertificateOf(name), pem, kPublicMode, existing);
  }
  if (!status) return std::unexpected(status.error());
  return issued;
}

Result<IssuedCertificate> CertificateAuthority::State::SignLeaf(const Identity& identity, X509_EXTENSION* subject_names,
                                                                const HolderKey& holder, Duration lifetime,
                                                                WallTime now, Existing existing) const {
  const auto validity = ValidityFor(lifetime, now);
  if (!validity) return std::unexpected(validity.error());
  const X509Ptr leaf =
      MakeLeafCertificate(identity, subject_names, holder.key.get(), *validity, authority.get(), key.get());
  return Place(leaf.get(), identity.name, holder, existing);
}

Result<HolderKey> CertificateAuthority::State::KeyForRenewal(const std::string& name, X509* old,
                                                             std::string_view request_pem) const {
  std::error_code error;
  const bool made_here = fs::exists(directory.KeyOf(name), error);
  if (!request_pem.empty() && made_here) {
    return Fail(ErrorCode::kAlreadyExists, directory.KeyOf(name).string() +
                                               " is a key this CA has made; remove it, then the request's takes its "
                                               "place");
  }
  if (!request_pem.empty() || made_here) return KeyFrom(request_pem);
  KeyPtr same(X509_get_pubkey(old));
  if (!same) return Fail(ErrorCode::kInvalidInput, "The old certificate's key cannot be read");
  return HolderKey{std::move(same), false};
}

std::string_view CertificateStateName(CertificateState state) {
  switch (state) {
    case CertificateState::kValid:
      return "valid";
    case CertificateState::kExpired:
      return "expired";
    case CertificateState::kRevoked:
      return "revoked";
    case CertificateState::kReplaced:
      return "replaced";
  }
  return "unknown";
}

CertificateAuthority::CertificateAuthority(std::unique_ptr<State> state) : state_(std::move(state)) {}
CertificateAuthority::CertificateAuthority(CertificateAuthority&&) noexcept = default;
CertificateAuthority& CertificateAuthority::operator=(CertificateAuthority&&) noexcept = default;
CertificateAuthority::~CertificateAuthority() = default;

const std::string& CertificateAuthority::trust_domain() const { return state_->trust_domain; }

Result<CertificateAuthority> CertificateAuthority::Create(const fs::path& directory, const AuthorityOptions& options,
                                                          WallTime now) {
  if (!IsTrustDomain(options.trust_domain)) {
    return Fail(ErrorCode::kInvalidInput, Sanitize(options.trust_domain, kMaxNameBytes) +
                                              " is no trust domain: use lower-case letters, digits, '.', '-' and '_'");
  }
  if (options.lifetime <= Duration::zero() || options.revocation_list_lifetime <= Duration::zero()) {
    return Fail(ErrorCode::kInvalidInput, "The lifetimes of a CA and its revocation list must be positive");
  }
  if (Status status = MakeDirectory(directory); !status) return std::unexpected(status.error());
  auto taken = AuthorityDirectory::Take(directory);
  if (!taken) return std::unexpected(taken.error());
  for (const fs::path& path : {taken->certificate(), taken->key(), taken->list()}) {
    const Status status = CheckFree(path, "a CA is not overwritten, choose another directory");
    if (!status) return std::unexpected(status.error());
  }

  auto state = std::make_unique<State>(*std::move(taken));
  state->key = MakeP256Key();
  state->trust_domain = options.trust_domain;
  const Validity validity{now - kBackdating, now + options.lifetime};
  state->authority = MakeAuthorityCertificate(options.trust_domain, state->key.get(), validity);
  Status status = WriteFile(state->directory.key(), ToPem(state->key.get()), kPrivateMode, Existing::kRefuse);
  if (status) status = state->WriteList(nullptr, {}, options.revocation_list_lifetime, now);
  if (status) {
    status = WriteFile(state->directory.certificate(), ToPem(state->authority.get()), kPublicMode, Existing::kRefuse);
  }
  if (!status) return std::unexpected(status.error());
  return CertificateAuthority(std::move(state));
}

Result<CertificateAuthority> CertificateAuthority::Adopt(const fs::path& directory, std::string_view certificate_pem,
                                                         Duration revocation_list_lifetime, WallTime now) {
  const auto refuse = [](const std::string& why) { return Fail(ErrorCode::kInvalidInput, why); };
  if (revocation_list_lifetime <= Duration::zero()) return refuse("A revocation list's lifetime must be positive");
  auto taken = AuthorityDirectory::Take(directory);
  if (!taken) return std::unexpected(taken.error());
  const auto certificates = ReadCertificatesPem(certificate_pem);
  if (certificates.empty()) return refuse("There is no PEM certificate");
  X509* adopted = certificates.front().get();
  const auto key_pem = ReadKeyFile(taken->key());
  if (!key_pem) return std::unexpected(key_pem.error());
  const KeyPtr key = ReadPrivateKeyPem(*key_pem);
  ErrorQueueScope errors;
  if (!key || X509_check_private_key(adopted, key.get()) != 1) {
    return refuse("The certificate is not for " + taken->key().string() + "; have the request beside that key signed");
  }
  if (X509_check_ca(adopted) != 1 || IsRoot(adopted) || TrustDomainOf(adopted).empty()) {
    return refuse("The certificate is not an intermediate CA's as strife pki issue ca makes it");
  }
  if (const auto old = ReadCertificate(taken->certificate());
      old && X509_NAME_cmp(X509_get_subject_name(old->get()), X509_get_subject_name(adopted)) != 0) {
    return Fail(ErrorCode::kAlreadyExists,
                taken->certificate().string() + " is another CA's; a CA is not overwritten, choose another directory");
  }
  const Status written = WriteFile(taken->certificate(), ToPem(adopted), kPublicMode, Existing::kReplace);
  if (!written) return std::unexpected(written.error());
  auto state = std::make_unique<State>(*std::move(taken));
  if (Status loaded = state->Load(); !loaded) return std::unexpected(loaded.error());
  std::error_code error;
  if (!fs::exists(state->directory.list(), error)) {
    const Status listed = state->WriteList(nullptr, {}, revocation_list_lifetime, now);
    if (!listed) return std::unexpected(listed.error());
  }
  return CertificateAuthority(std::move(state));
}

Result<CertificateAuthority> CertificateAuthority::Open(const fs::path& directory) {
  auto taken = AuthorityDirectory::Take(directory);
  if (!taken) return std::unexpected(taken.error());
  auto state = std::make_unique<State>(*std::move(taken));
  if (Status loaded = state->Load(); !loaded) return std::unexpected(loaded.error());
  return CertificateAuthority(std::move(state));
}

Result<AuthorityInfo> CertificateAuthority::Info(WallTime now) const {
  const auto list = ReadList(state_->directory.list());
  if (!list) return std::unexpected(list.error());
  AuthorityInfo info{.trust_domain = state_->trust_domain,
                     .root = IsRoot(state_->authority.get()),
                     .name = CommonName(X509_get_subject_name(state_->authority.get())),
                     .not_after = state_->end(),
                     .list_until = ToWallTime(X509_CRL_get0_nextUpdate(list->get()))};
  info.ends_soon = EndsSoon(info.not_after, kAuthorityWarning, now);
  info.list_ends_soon = EndsSoon(info.list_until, std::min(kRevocationListWarning, LifetimeOf(list->get()) / 4), now);
  return info;
}

Result<IssuedCertificate> CertificateAuthority::Issue(const CertificateRequest& request, WallTime now) {
  if (Status good = CheckName(request.name, IsIdentityName(request.role, request.name)); !good) {
    return std::unexpected(good.error());
  }
  for (const fs::path& path : {state_->directory.CertificateOf(request.name), state_->directory.KeyOf(request.name)}) {
    const Status status = CheckFree(path, "renew " + request.name + " or choose another name");
    if (!status) return std::unexpected(status.error());
  }
  const Identity identity{state_->trust_domain, request.role, request.name};
  const bool server = IsServer(request.role);
  const auto names = MakeSubjectNames(identity, server ? request.dns_names : std::vector<std::string>{},
                                      server ? request.ip_addresses : std::vector<std::string>{});
  if (!names) return std::unexpected(names.error());
  const auto holder = KeyFrom(request.request_pem);
  if (!holder) return std::unexpected(holder.error());
  return state_->SignLeaf(identity, names->get(), *holder, request.lifetime, now, Existing::kRefuse);
}

Result<IssuedCertificate> CertificateAuthority::IssueAuthority(const std::string& name, std::string_view request_pem,
                                                               Duration lifetime, WallTime now) {
  if (Status good = CheckName(name, IsIdentifier(name, kMaxNameBytes)); !good) return std::unexpected(good.error());
  if (X509_get_pathlen(state_->authority.get()) == 0) {
    return Fail(ErrorCode::kInvalidInput, state_->directory.certificate().string() +
                                              " may not vouch for other CAs (its path length is 0); ask the root");
  }
  if (Status is_free = CheckFree(state_->directory.CertificateOf(name), "renew " + name + " or choose another name");
      !is_free) {
    return std::unexpected(is_free.error());
  }
  auto key = KeyOfRequest(request_pem);
  if (!key) return std::unexpected(key.error());
  const HolderKey holder{*std::move(key), false};
  const auto validity = state_->ValidityFor(lifetime, now);
  if (!validity) return std::unexpected(validity.error());
  const X509NamePtr subject = MakeIntermediateName(name);
  const X509Ptr certificate = MakeIntermediateCertificate(subject.get(), state_->trust_domain, holder.key.get(),
                                                          *validity, state_->authority.get(), state_->key.get());
  return state_->Place(certificate.get(), name, holder, Existing::kRefuse);
}

Result<IssuedCertificate> CertificateAuthority::Renew(const std::string& name, Duration lifetime,
                                                      std::string_view request_pem, WallTime now) {
  if (!IsIdentifier(name, kMaxNameBytes) || name == kAuthorityRole) {
    return Fail(ErrorCode::kInvalidInput, "\"" + Sanitize(name, kMaxNameBytes) + "\" is not the name of a certificate");
  }
  const auto old_x509 = ReadCertificate(state_->directory.CertificateOf(name));
  if (!old_x509) return std::unexpected(old_x509.error());
  X509* old = old_x509->get();
  const auto described = DescribeIssued(old);
  if (!described) return described;
  {
    ErrorQueueScope errors;
    const bool ours = X509_verify(old, state_->key.get()) == 1;
    if (!ours || described->name != name) {
      return Fail(ErrorCode::kInvalidInput, state_->directory.CertificateOf(name).string() +
                                                " is not a certificate of " + name +
                                                " signed by this CA; issue one instead");
    }
  }
  if (lifetime == Duration::zero()) lifetime = described->not_after - described->not_before - kBackdating;
  const auto holder = state_->KeyForRenewal(name, old, request_pem);
  if (!holder) return std::unexpected(holder.error());
  if (described->role == kAuthorityRole) {
    const auto validity = state_->ValidityFor(lifetime, now);
    if (!validity) return std::unexpected(validity.error());
    const X509Ptr renewed =
        MakeIntermediateCertificate(X509_get_subject_name(old), state_->trust_domain, holder->key.get(), *validity,
                                    state_->authority.get(), state_->key.get());
    return state_->Place(renewed.get(), name, *holder, Existing::kReplace);
  }
  // An identity's only URI name, hosts and addresses: reading it has made sure that there is just this one.
  X509_EXTENSION* names = X509_get_ext(old, X509_get_ext_by_NID(old, NID_subject_alt_name, -1));
  const auto identity = Identity::FromUri(described->identity);
  if (!identity) return std::unexpected(identity.error());
  return state_->SignLeaf(*identity, names, *holder, lifetime, now, Existing::kReplace);
}

Result<std::vector<IssuedCertificate>> CertificateAuthority::Revoke(const std::string& name_or_serial, WallTime now) {
  auto all = state_->directory.AllSigned();
  if (!all) return std::unexpected(all.error());
  const auto list = ReadList(state_->directory.list());
  if (!list) return std::unexpected(list.error());
  const auto revoked = RevokedSerials(list->get());

  std::vector<IssuedCertificate> chosen;
  std::vector<const ASN1_INTEGER*> serials;
  for (const SignedCertificate& one : *all) {
    const bool meant = one.issued.name == name_or_serial || one.issued.serial == name_or_serial;
    if (!meant || one.issued.not_after <= now || revoked.contains(one.issued.serial)) continue;
    chosen.push_back(one.issued);
    serials.push_back(X509_get0_serialNumber(one.x509.get()));
  }
  if (chosen.empty()) {
    return Fail(ErrorCode::kNotFound, "There is no valid certificate with the name or serial " +
                                          Sanitize(name_or_serial, kMaxNameBytes) +
                                          "; strife pki list shows those there are");
  }
  const Status status = state_->WriteList(list->get(), serials, LifetimeOf(list->get()), now);
  if (!status) return std::unexpected(status.error());
  return chosen;
}

Status CertificateAuthority::RefreshRevocationList(Duration lifetime, WallTime now) {
  const auto list = ReadList(state_->directory.list());
  if (!list) return std::unexpected(list.error());
  if (lifetime < Duration::zero()) return Fail(ErrorCode::kInvalidInput, "A list's lifetime must be positive");
  return state_->WriteList(list->get(), {}, lifetime == Duration::zero() ? LifetimeOf(list->get()) : lifetime, now);
}

Result<std::vector<CertificateEntry>> CertificateAuthority::List(WallTime now) const {
  auto all = state_->directory.AllSigned();
  if (!all) return std::unexpected(all.error());
  const auto list = ReadList(state_->directory.list());
  if (!list) return std::unexpected(list.error());
  const auto revoked = RevokedSerials(list->get());

  std::vector<CertificateEntry> entries;
  for (SignedCertificate& one : *all) {
    CertificateEntry entry{.certificate = std::move(one.issued)};
    const IssuedCertificate& certificate = entry.certificate;
    const auto current = ReadCertificate(state_->directory.CertificateOf(certificate.name));
    if (revoked.contains(certificate.serial)) {
      entry.state = CertificateState::kRevoked;
    } else if (certificate.not_after <= now) {
      entry.state = CertificateState::kExpired;
    } else if (!current || SerialText(X509_get0_serialNumber(current->get())) != certificate.serial) {
      entry.state = CertificateState::kReplaced;
    }
    const auto left = std::chrono::floor<std::chrono::days>(certificate.not_after - now).count();
    entry.days_left = static_cast<int>(std::max<std::int64_t>(left, 0));
    const Duration warning = certificate.role == kAuthorityRole ? kAuthorityWarning : kCertificateWarning;
    entry.ends_soon = entry.state == CertificateState::kValid && EndsSoon(certificate.not_after, warning, now);
    entries.push_back(std::move(entry));
  }
  std::sort(entries.begin(), entries.end(), [](const CertificateEntry& a, const CertificateEntry& b) {
    const int names = a.certificate.name.compare(b.certificate.name);
    if (names != 0) return names < 0;
    return a.certificate.not_before > b.certificate.not_before;
  });
  return entries;
}

}  // namespace strife::security
