#include "security/credentials.h"

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

// Empty when the first of `certificates` chains to one of `authorities` with the help of the others, else why not.
std::string ChainProblem(const std::vector<X509Ptr>& certificates, const std::vector<X509Ptr>& authorities,
                         WallTime now) {
  const X509StorePtr store(X509_STORE_new());
  const X509StoreContextPtr context(X509_STORE_CTX_new());
  using StackPtr = std::unique_ptr<STACK_OF(X509), decltype([](STACK_OF(X509) * stack) { sk_X509_free(stack); })>;
  const StackPtr others(sk_X509_new_null());
  for (const X509Ptr& authority : authorities) X509_STORE_add_cert(store.get(), authority.get());
  for (std::size_t i = 1; i < certificates.size(); ++i) sk_X509_push(others.get(), certificates[i].get());
  if (X509_STORE_CTX_init(context.get(), store.get(), certificates.front().get(), others.get()) != 1) {
    return "the check could not be set up";
  }
  X509_STORE_CTX_set_time(context.get(), 0, ToUnixSeconds(now));
  X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_CLIENT);
  if (X509_verify_cert(context.get()) == 1) return {};
  return X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
}

std::unexpected<Error> RefusePeer(const Certificate& peer, const std::string& why) {
  return Fail(ErrorCode::kUnauthenticated, "The certificate of " + peer.identity.Uri() + " " + why);
}

Status CheckPeerTimes(const Certificate& peer, WallTime now) {
  if (now < peer.not_before) return RefusePeer(peer, "is not valid yet");
  if (now >= peer.not_after) return RefusePeer(peer, "has expired");
  return {};
}

}  // namespace

Result<Credentials> LoadCredentials(const CredentialFiles& files, Role role, WallTime now) {
  const auto ca_pem = ReadFile(files.ca_file);
  if (!ca_pem) return std::unexpected(ca_pem.error());
  const auto certificate_pem = ReadFile(files.cert_file);
  if (!certificate_pem) return std::unexpected(certificate_pem.error());
  const auto key_pem = ReadKeyFile(files.key_file);
  if (!key_pem) return std::unexpected(key_pem.error());

  ErrorQueueScope errors;
  const auto authorities = ReadCertificatesPem(*ca_pem);
  if (authorities.empty()) return Refuse(files.ca_file, "holds no PEM certificate");
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
  if (const std::string problem = ChainProblem(certificates, authorities, now); !problem.empty()) {
    return Refuse(files.cert_file, "is not vouched for by a CA of " + files.ca_file.string() + ": " + problem);
  }
  return Credentials{*std::move(certificate), *ca_pem, *certificate_pem, *key_pem};
}

Status AdmitClient(const Certificate& peer, const std::string& trust_domain, WallTime now) {
  if (Status status = CheckPeerTimes(peer, now); !status) return status;
  if (peer.identity.trust_domain != trust_domain) {
    return RefusePeer(peer, "is not of the trust domain " + trust_domain);
  }
  if (!peer.client_auth) return RefusePeer(peer, "may not be used by a client");
  return {};
}

Status AdmitServer(const Certificate& peer, const Identity& expected, WallTime now) {
  if (Status status = CheckPeerTimes(peer, now); !status) return status;
  if (peer.identity != expected) return RefusePeer(peer, "is not that of " + expected.Uri());
  if (!peer.server_auth) return RefusePeer(peer, "may not be used by a server");
  return {};
}

}  // namespace strife::security
