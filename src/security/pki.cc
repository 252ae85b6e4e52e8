#include "security/pki.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <unordered_set>

#include "base/text.h"
#include "security/openssl.h"
#include "security/secure_file.h"
#include "security/x509_builder.h"

namespace strife::security {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kAuthorityName = "ca";  // no certificate may be called so

// The lock on a CA's directory, held while it is open.
class DirectoryLock {
 public:
  static Result<DirectoryLock> Take(const fs::path& directory) {
    DirectoryLock lock;
    lock.fd_ = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock.fd_ >= 0 && ::flock(lock.fd_, LOCK_EX) == 0) return lock;
    return Fail(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kStorage,
                "Cannot use the certificate directory " + directory.string() + ": " + std::strerror(errno));
  }
  DirectoryLock(DirectoryLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  DirectoryLock() = default;
  int fd_ = -1;
};

Status MakeDirectory(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (!error) return {};
  return Fail(ErrorCode::kStorage, "Cannot make the directory " + directory.string() + ": " + error.message());
}

Status CheckFree(const fs::path& path, const std::string& advice) {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(path, error))) return {};
  return Fail(ErrorCode::kAlreadyExists, path.string() + " exists already; " + advice);
}

Result<X509Ptr> ReadLeaf(const fs::path& path) {
  const auto pem = ReadFile(path);
  if (!pem) return std::unexpected(pem.error());
  auto certificates = ReadCertificatesPem(*pem);
  if (certificates.empty()) return Fail(ErrorCode::kInvalidInput, path.string() + " holds no PEM certificate");
  return std::move(certificates.front());
}

Result<X509CrlPtr> ReadList(const fs::path& path) {
  const auto pem = ReadFile(path);
  if (!pem) return std::unexpected(pem.error());
  auto lists = ReadRevocationListsPem(*pem);
  if (lists.empty()) return Fail(ErrorCode::kInvalidInput, path.string() + " holds no PEM revocation list");
  return std::move(lists.front());
}

// How long the list was made to be good for.
Duration LifetimeOf(X509_CRL* list) {
  return ToWallTime(X509_CRL_get0_nextUpdate(list)) - ToWallTime(X509_CRL_get0_lastUpdate(list)) - kBackdating;
}

// A certificate the CA has signed, and what Strife reads of it.
struct Signed {
  X509Ptr x509;
  Certificate certificate;
};

}  // namespace

struct CertificateAuthority::State {
  State(fs::path dir, DirectoryLock l) : directory(std::move(dir)), lock(std::move(l)) {}

  fs::path directory;
  DirectoryLock lock;
  X509Ptr authority;
  KeyPtr key;
  std::string trust_domain;

  fs::path List() const { return directory / "ca.crl"; }
  fs::path CertificateOf(const std::string& name) const { return directory / (name + ".crt"); }
  fs::path KeyOf(const std::string& name) const { return directory / (name + ".key"); }
  WallTime end() const { return ToWallTime(X509_get0_notAfter(authority.get())); }

  Result<std::vector<Signed>> AllSigned() const;
  Result<std::unordered_set<std::string>> Revoked() const;
  Status WriteList(X509_CRL* previous, const std::vector<const ASN1_INTEGER*>& serials, Duration lifetime,
                   WallTime now) const;
  Result<Certificate> SignLeaf(const Identity& identity, X509_EXTENSION* subject_names, Duration lifetime, WallTime now,
                               Existing existing) const;
};

Result<std::vector<Signed>> CertificateAuthority::State::AllSigned() const {
  std::vector<Signed> all;
  std::error_code error;
  for (fs::directory_iterator it(directory / "issued", error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() != ".crt") continue;
    auto x509 = ReadLeaf(it->path());
    if (!x509) return std::unexpected(x509.error());
    auto certificate = ParseCertificatePem(ToPem(x509->get()));
    if (!certificate) return Fail(ErrorCode::kInvalidInput, it->path().string() + ": " + certificate.error().message);
    all.push_back({*std::move(x509), *std::move(certificate)});
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return Fail(ErrorCode::kStorage, "Cannot list " + (directory / "issued").string() + ": " + error.message());
  }
  return all;
}

Result<std::unordered_set<std::string>> CertificateAuthority::State::Revoked() const {
  auto list = ReadList(List());
  if (!list) return std::unexpected(list.error());
  std::unordered_set<std::string> serials;
  STACK_OF(X509_REVOKED)* entries = X509_CRL_get_REVOKED(list->get());
  for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
    serials.insert(SerialText(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i))));
  }
  return serials;
}

Status CertificateAuthority::State::WriteList(X509_CRL* previous, const std::vector<const ASN1_INTEGER*>& serials,
                                              Duration lifetime, WallTime now) const {
  const Validity validity{now - kBackdating, std::min(now + lifetime, end())};
  const X509CrlPtr list = MakeRevocationList(previous, serials, now, validity, authority.get(), key.get());
  return WriteFile(List(), ToPem(list.get()), kPublicMode,
                   previous == nullptr ? Existing::kRefuse : Existing::kReplace);
}

Result<Certificate> CertificateAuthority::State::SignLeaf(const Identity& identity, X509_EXTENSION* subject_names,
                                                          Duration lifetime, WallTime now, Existing existing) const {
  if (lifetime <= Duration::zero()) return Fail(ErrorCode::kInvalidInput, "A certificate's lifetime must be positive");
  if (now >= end()) {
    return Fail(ErrorCode::kInvalidInput,
                "The CA certificate " + (directory / "ca.crt").string() + " has expired; make a new CA");
  }
  const KeyPtr leaf_key = MakeP256Key();
  const Validity validity{now - kBackdating, std::min(now + lifetime, end())};
  const X509Ptr x509 =
      MakeLeafCertificate(identity, subject_names, leaf_key.get(), validity, authority.get(), key.get());
  const std::string pem = ToPem(x509.get());
  auto result = ParseCertificatePem(pem);
  if (!result) return result;

  // First the record that it exists: a certificate nobody knows of could never be revoked.
  Status status = MakeDirectory(directory / "issued");
  if (status) {
    status = WriteFile(directory / "issued" / (result->serial + ".crt"), pem, kPublicMode, Existing::kRefuse);
  }
  if (status) status = WriteFile(KeyOf(identity.name), ToPem(leaf_key.get()), kPrivateMode, existing);
  if (status) status = WriteFile(CertificateOf(identity.name), pem, kPublicMode, existing);
  if (!status) return std::unexpected(status.error());
  return result;
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
    return Fail(ErrorCode::kInvalidInput, Sanitize(options.trust_domain, 64) +
                                              " is no trust domain: use lower-case letters, digits, '.', '-' and '_'");
  }
  if (options.lifetime <= Duration::zero() || options.revocation_list_lifetime <= Duration::zero()) {
    return Fail(ErrorCode::kInvalidInput, "The lifetimes of a CA and its revocation list must be positive");
  }
  if (Status status = MakeDirectory(directory); !status) return std::unexpected(status.error());
  auto lock = DirectoryLock::Take(directory);
  if (!lock) return std::unexpected(lock.error());
  for (const char* name : {"ca.crt", "ca.key", "ca.crl"}) {
    const Status status = CheckFree(directory / name, "a CA is not overwritten, choose another directory");
    if (!status) return std::unexpected(status.error());
  }

  auto state = std::make_unique<State>(directory, *std::move(lock));
  state->key = MakeP256Key();
  state->trust_domain = options.trust_domain;
  const Validity validity{now - kBackdating, now + options.lifetime};
  state->authority = MakeAuthorityCertificate(options.trust_domain, state->key.get(), validity);
  Status status = WriteFile(directory / "ca.key", ToPem(state->key.get()), kPrivateMode, Existing::kRefuse);
  if (status) status = state->WriteList(nullptr, {}, options.revocation_list_lifetime, now);
  if (status) {
    status = WriteFile(directory / "ca.crt", ToPem(state->authority.get()), kPublicMode, Existing::kRefuse);
  }
  if (!status) return std::unexpected(status.error());
  return CertificateAuthority(std::move(state));
}

Result<CertificateAuthority> CertificateAuthority::Open(const fs::path& directory) {
  auto lock = DirectoryLock::Take(directory);
  if (!lock) return std::unexpected(lock.error());
  auto state = std::make_unique<State>(directory, *std::move(lock));
  const fs::path certificate_path = directory / "ca.crt";
  const fs::path key_path = directory / "ca.key";
  auto certificate = ReadLeaf(certificate_path);
  if (!certificate) return std::unexpected(certificate.error());
  const auto key_pem = ReadKeyFile(key_path);
  if (!key_pem) return std::unexpected(key_pem.error());
  state->authority = *std::move(certificate);
  state->key = ReadPrivateKeyPem(*key_pem);
  ErrorQueueScope errors;
  if (!state->key || X509_check_private_key(state->authority.get(), state->key.get()) != 1) {
    return Fail(ErrorCode::kInvalidInput, key_path.string() + " is not the key of " + certificate_path.string());
  }
  state->trust_domain = TrustDomainOf(state->authority.get());
  if (state->trust_domain.empty() || X509_check_ca(state->authority.get()) != 1) {
    return Fail(ErrorCode::kInvalidInput, certificate_path.string() + " is not a CA that strife pki has made");
  }
  return CertificateAuthority(std::move(state));
}

Result<Certificate> CertificateAuthority::Issue(const CertificateRequest& request, WallTime now) {
  if (!IsIdentityName(request.role, request.name) || request.name == kAuthorityName) {
    return Fail(ErrorCode::kInvalidInput, "\"" + Sanitize(request.name, 64) + "\" cannot be the name of a " +
                                              std::string(RoleName(request.role)) +
                                              ": use letters, digits, '.', '-' and '_', and not \"ca\"");
  }
  for (const fs::path& path : {state_->CertificateOf(request.name), state_->KeyOf(request.name)}) {
    const Status status = CheckFree(path, "renew " + request.name + " or choose another name");
    if (!status) return std::unexpected(status.error());
  }
  const Identity identity{state_->trust_domain, request.role, request.name};
  const bool server = IsServer(request.role);
  const auto names = MakeSubjectNames(identity, server ? request.dns_names : std::vector<std::string>{},
                                      server ? request.ip_addresses : std::vector<std::string>{});
  if (!names) return std::unexpected(names.error());
  return state_->SignLeaf(identity, names->get(), request.lifetime, now, Existing::kRefuse);
}

Result<Certificate> CertificateAuthority::Renew(const std::string& name, Duration lifetime, WallTime now) {
  if (!IsIdentifier(name, 64) || name == kAuthorityName) {
    return Fail(ErrorCode::kInvalidInput, "\"" + Sanitize(name, 64) + "\" is not the name of a certificate");
  }
  const auto old_x509 = ReadLeaf(state_->CertificateOf(name));
  if (!old_x509) return std::unexpected(old_x509.error());
  const auto old = ParseCertificatePem(ToPem(old_x509->get()));
  if (!old) return std::unexpected(old.error());
  ErrorQueueScope errors;
  const bool ours = X509_verify(old_x509->get(), state_->key.get()) == 1;
  if (!ours || old->identity.name != name || old->identity.trust_domain != state_->trust_domain) {
    return Fail(ErrorCode::kInvalidInput, state_->CertificateOf(name).string() + " is not a certificate of " + name +
                                              " signed by this CA; issue one instead");
  }
  // An identity's only URI name, hosts and addresses: ParseCertificatePem has made sure that there is just this one.
  X509_EXTENSION* names = X509_get_ext(old_x509->get(), X509_get_ext_by_NID(old_x509->get(), NID_subject_alt_name, -1));
  if (lifetime == Duration::zero()) lifetime = old->not_after - old->not_before - kBackdating;
  return state_->SignLeaf(old->identity, names, lifetime, now, Existing::kReplace);
}

Result<std::vector<Certificate>> CertificateAuthority::Revoke(const std::string& name_or_serial, WallTime now) {
  auto all = state_->AllSigned();
  if (!all) return std::unexpected(all.error());
  const auto revoked = state_->Revoked();
  if (!revoked) return std::unexpected(revoked.error());

  std::vector<Certificate> chosen;
  std::vector<const ASN1_INTEGER*> serials;
  for (const Signed& signed_one : *all) {
    const Certificate& certificate = signed_one.certificate;
    const bool meant = certificate.identity.name == name_or_serial || certificate.serial == name_or_serial;
    if (!meant || certificate.not_after <= now || revoked->contains(certificate.serial)) continue;
    chosen.push_back(certificate);
    serials.push_back(X509_get0_serialNumber(signed_one.x509.get()));
  }
  if (chosen.empty()) {
    return Fail(ErrorCode::kNotFound, "There is no valid certificate with the name or serial " +
                                          Sanitize(name_or_serial, 64) + "; strife pki list shows those there are");
  }
  const auto list = ReadList(state_->List());
  if (!list) return std::unexpected(list.error());
  const Status status = state_->WriteList(list->get(), serials, LifetimeOf(list->get()), now);
  if (!status) return std::unexpected(status.error());
  return chosen;
}

Status CertificateAuthority::RefreshRevocationList(WallTime now) {
  const auto list = ReadList(state_->List());
  if (!list) return std::unexpected(list.error());
  return state_->WriteList(list->get(), {}, LifetimeOf(list->get()), now);
}

Result<std::vector<CertificateEntry>> CertificateAuthority::List(WallTime now) const {
  auto all = state_->AllSigned();
  if (!all) return std::unexpected(all.error());
  const auto revoked = state_->Revoked();
  if (!revoked) return std::unexpected(revoked.error());

  std::vector<CertificateEntry> entries;
  for (Signed& signed_one : *all) {
    CertificateEntry entry{std::move(signed_one.certificate), CertificateState::kValid, 0};
    const Certificate& certificate = entry.certificate;
    const auto current = ReadLeaf(state_->CertificateOf(certificate.identity.name));
    if (revoked->contains(certificate.serial)) {
      entry.state = CertificateState::kRevoked;
    } else if (certificate.not_after <= now) {
      entry.state = CertificateState::kExpired;
    } else if (!current || SerialText(X509_get0_serialNumber(current->get())) != certificate.serial) {
      entry.state = CertificateState::kReplaced;
    }
    const auto left = std::chrono::floor<std::chrono::days>(certificate.not_after - now).count();
    entry.days_left = static_cast<int>(std::max<std::int64_t>(left, 0));
    entries.push_back(std::move(entry));
  }
  std::sort(entries.begin(), entries.end(), [](const CertificateEntry& a, const CertificateEntry& b) {
    const int names = a.certificate.identity.name.compare(b.certificate.identity.name);
    if (names != 0) return names < 0;
    return a.certificate.not_before > b.certificate.not_before;
  });
  return entries;
}

}  // namespace strife::security
