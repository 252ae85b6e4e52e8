#include "security/credentials.h"

#include <algorithm>

#include "security/openssl.h"
#include "security/secure_file.h"

namespace strife::security {
namespace {

std::unexpected<Error> Refuse(const std::filesystem::path& path, const std::string& why) {
  return Fail(ErrorCode::kInvalidInput, path.string() + " " + why);
}

Status CheckCertificate(const Certificate& certificate, const std::filesystem::path& path, Role role, WallTime now) {
  const std::string uri = certificate.identity.Uri();
  if (now < certificate.not_before) return Refuse(path, "is not valid yet; check this machine's clock");
  if (now >= certificate.not_after) return Refuse(path, "has expired; renew it with strife pki renew");
  if (certificate.identity.role != role) {
    return Refuse(
        path, "is the certificate of " + uri + ", but one of role " + std::string(RoleName(role)) + " is needed here");
  }
  if (!certificate.client_auth || certificate.server_auth != IsServer(role)) {
    return Refuse(path, "has not the extended key usages of role " + std::string(RoleName(role)) + "; issue it anew");
  }
  return {};
}

// Clocks and people disagree about seconds; whole days are what one plans with.
std::string DaysLeft(WallTime end, WallTime now) {
  const auto days = std::chrono::floor<std::chrono::days>(end - now).count();
  if (end <= now) return "has ended";
  if (days == 0) return "ends within a day";
  return "ends in " + std::to_string(days) + (days == 1 ? " day" : " days");
}

}  // namespace

Result<Credentials> LoadCredentials(const CredentialFiles& files, Role role, WallTime now) {
  auto trust = Trust::Load(files.ca_file, files.crl_file, now);
  if (!trust) return std::unexpected(trust.error());
  return LoadCredentials(files, role, *std::move(trust), now);
}

Result<Credentials> LoadCredentials(const CredentialFiles& files, Role role, std::shared_ptr<const Trust> trust,
                                    WallTime now) {
  auto certificate_pem = ReadFile(files.cert_file);
  if (!certificate_pem) return std::unexpected(certificate_pem.error());
  auto key_pem = ReadKeyFile(files.key_file);
  if (!key_pem) return std::unexpected(key_pem.error());

  ErrorQueueScope errors;
  const auto certificates = ReadCertificatesPem(*certificate_pem);
  if (certificates.empty()) return Refuse(files.cert_file, "holds no PEM certificate");
  const KeyPtr key = ReadPrivateKeyPem(*key_pem);
  if (!key) return Refuse(files.key_file, "holds no unencrypted PEM private key");

  auto certificate = ParseCertificatePem(*certificate_pem);
  if (!certificate) return Refuse(files.cert_file, "cannot be used: " + certificate.error().message);
  if (Status status = CheckCertificate(*certificate, files.cert_file, role, now); !status) {
    return std::unexpected(status.error());
  }
  if (X509_check_private_key(certificates.front().get(), key.get()) != 1) {
    return Refuse(files.key_file, "is not the key of " + files.cert_file.string());
  }
  // Peers get what the file holds, so it must vouch for itself with that.
  if (auto vouched = trust->Verify(*certificate_pem, *certificate_pem, Trust::Use::kClient, now); !vouched) {
    return Refuse(files.cert_file, "is not accepted with " + files.ca_file.string() + ": " + vouched.error().message);
  }
  return Credentials{*std::move(certificate), *std::move(certificate_pem), *std::move(key_pem), std::move(trust)};
}

Result<VerifiedPeer> AdmitClient(const Trust& trust, std::string_view leaf_pem, std::string_view others_pem,
                                 const std::string& trust_domain, WallTime now) {
  auto peer = trust.Verify(leaf_pem, others_pem, Trust::Use::kClient, now);
  if (peer && peer->certificate.identity.trust_domain != trust_domain) {
    return Fail(ErrorCode::kUnauthenticated, "The certificate of " + peer->certificate.identity.Uri() +
                                                 " is not of the trust domain " + trust_domain);
  }
  return peer;
}

Result<VerifiedPeer> AdmitServer(const Trust& trust, std::string_view leaf_pem, std::string_view others_pem,
                                 const Identity& expected, WallTime now) {
  auto peer = trust.Verify(leaf_pem, others_pem, Trust::Use::kServer, now);
  if (!peer) return peer;
  Identity named = expected;
  if (named.name.empty()) named.name = peer->certificate.identity.name;
  if (peer->certificate.identity != named) {
    return Fail(ErrorCode::kUnauthenticated,
                "expected " + expected.Uri() + " but the server is " + peer->certificate.identity.Uri());
  }
  return peer;
}

std::vector<std::string> EndingSoon(const Credentials& credentials, const CredentialFiles& files, WallTime now) {
  std::vector<std::string> sentences;
  if (credentials.certificate.not_after - now < kCertificateWarning) {
    sentences.push_back("the certificate " + files.cert_file.string() + " " +
                        DaysLeft(credentials.certificate.not_after, now) + "; renew it with strife pki renew");
  }
  for (const Dated& dated : credentials.trust->Ends()) {
    const bool list = dated.kind == Dated::Kind::kRevocationList;
    const Duration warning =
        list ? std::min(kRevocationListWarning, (dated.until - dated.from) / 4) : kAuthorityWarning;
    if (dated.until - now >= warning) continue;
    sentences.push_back(dated.what + " " + DaysLeft(dated.until, now) +
                        (list ? "; sign it anew with strife pki crl and put it in place"
                              : "; add a new CA to the bundle and reissue what it has signed"));
  }
  return sentences;
}

}  // namespace strife::security
