// A CA's directory: which file is what, and the lock on it. Internal to security/; what is done with it is pki.h's.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "security/openssl.h"
#include "security/pki.h"

namespace strife::security {

// A certificate a CA has signed, and what it says.
struct SignedCertificate {
  X509Ptr x509;
  IssuedCertificate issued;
};

// Locked against other processes as long as it exists.
class AuthorityDirectory {
 public:
  // Waits for the lock. kNotFound when there is no such directory.
  static Result<AuthorityDirectory> Take(std::filesystem::path path);
  AuthorityDirectory(AuthorityDirectory&& other) noexcept
      : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}
  AuthorityDirectory& operator=(AuthorityDirectory&&) = delete;
  ~AuthorityDirectory();

  std::filesystem::path certificate() const { return path_ / "ca.crt"; }
  std::filesystem::path key() const { return path_ / "ca.key"; }
  std::filesystem::path list() const { return path_ / "ca.crl"; }
  std::filesystem::path CertificateOf(const std::string& name) const { return path_ / (name + ".crt"); }
  std::filesystem::path KeyOf(const std::string& name) const { return path_ / (name + ".key"); }

  // Records that a certificate exists. Before anybody gets it: one that nobody knows of could never be revoked.
  Status Record(X509* certificate) const;
  // All that have been recorded.
  Result<std::vector<SignedCertificate>> AllSigned() const;

 private:
  AuthorityDirectory(std::filesystem::path path, int fd) : path_(std::move(path)), fd_(fd) {}

  std::filesystem::path path_;
  int fd_;
};

Status MakeDirectory(const std::filesystem::path& directory);
// kAlreadyExists, with what to do instead, when there is something of that name.
Status CheckFree(const std::filesystem::path& path, const std::string& advice);
// The first certificate or list in a PEM file.
Result<X509Ptr> ReadCertificate(const std::filesystem::path& path);
Result<X509CrlPtr> ReadList(const std::filesystem::path& path);

// What a certificate of this CA says: of a leaf, or of an intermediate.
Result<IssuedCertificate> DescribeIssued(X509* certificate);

}  // namespace strife::security
