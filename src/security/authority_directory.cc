#include "security/authority_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "security/public_key.h"
#include "security/secure_file.h"
#include "security/x509_builder.h"

namespace strife::security {

namespace fs = std::filesystem;

Result<AuthorityDirectory> AuthorityDirectory::Take(fs::path path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0 && ::flock(fd, LOCK_EX) == 0) return AuthorityDirectory(std::move(path), fd);
  const int error = errno;
  if (fd >= 0) ::close(fd);
  return Fail(error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kStorage,
              "Cannot use the certificate directory " + path.string() + ": " + std::strerror(error));
}

AuthorityDirectory::~AuthorityDirectory() {
  if (fd_ >= 0) ::close(fd_);
}

Status AuthorityDirectory::Record(X509* certificate) const {
  if (Status made = MakeDirectory(path_ / "issued"); !made) return made;
  const std::string serial = SerialText(X509_get0_serialNumber(certificate));
  return WriteFile(path_ / "issued" / (serial + ".crt"), ToPem(certificate), kPublicMode, Existing::kRefuse);
}

Result<std::vector<SignedCertificate>> AuthorityDirectory::AllSigned() const {
  std::vector<SignedCertificate> all;
  std::error_code error;
  for (fs::directory_iterator it(path_ / "issued", error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() != ".crt") continue;
    auto x509 = ReadCertificate(it->path());
    if (!x509) return std::unexpected(x509.error());
    auto issued = DescribeIssued(x509->get());
    if (!issued) return Fail(ErrorCode::kInvalidInput, it->path().string() + ": " + issued.error().message);
    all.push_back({*std::move(x509), *std::move(issued)});
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return Fail(ErrorCode::kStorage, "Cannot list " + (path_ / "issued").string() + ": " + error.message());
  }
  return all;
}

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

Result<X509Ptr> ReadCertificate(const fs::path& path) {
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

Result<IssuedCertificate> DescribeIssued(X509* certificate) {
  IssuedCertificate issued;
  if (X509_check_ca(certificate) == 1) {
    issued.name = IntermediateNameOf(certificate);
    issued.role = kAuthorityRole;
    issued.identity = "spiffe://" + TrustDomainOf(certificate);
  } else {
    auto leaf = ParseCertificatePem(ToPem(certificate));
    if (!leaf) return std::unexpected(leaf.error());
    issued.name = leaf->identity.name;
    issued.role = RoleName(leaf->identity.role);
    issued.identity = leaf->identity.Uri();
  }
  issued.serial = SerialText(X509_get0_serialNumber(certificate));
  issued.not_before = ToWallTime(X509_get0_notBefore(certificate));
  issued.not_after = ToWallTime(X509_get0_notAfter(certificate));
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key == nullptr) return Fail(ErrorCode::kInvalidInput, "The certificate's key cannot be read");
  issued.key_fingerprint = KeyFingerprint(key);
  return issued;
}

}  // namespace strife::security
