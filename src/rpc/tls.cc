#include "rpc/tls.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <utility>

namespace strife::rpc {
namespace {

namespace experimental = grpc::experimental;

constexpr unsigned kCertificateReloadSeconds = 5;

std::shared_ptr<experimental::CertificateProviderInterface> WatchFiles(const security::CredentialFiles& files) {
  return std::make_shared<experimental::FileWatcherCertificateProvider>(
      files.key_file.string(), files.cert_file.string(), files.ca_file.string(), kCertificateReloadSeconds);
}

// gRPC has checked the chain; this checks that it is the right peer.
class IdentityVerifier final : public experimental::ExternalCertificateVerifier {
 public:
  explicit IdentityVerifier(security::Identity expected) : expected_(std::move(expected)) {}

  bool Verify(experimental::TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* sync_status) override {
    *sync_status = Check(request->peer_cert());
    return true;  // decided at once, no callback
  }

  void Cancel(experimental::TlsCustomVerificationCheckRequest*) override {}

 private:
  grpc::Status Check(grpc::string_ref pem) const {
    const auto peer = security::ParseCertificatePem({pem.data(), pem.size()});
    if (!peer) return {grpc::StatusCode::UNAUTHENTICATED, peer.error().message};
    const security::Identity& identity = peer->identity;
    const bool same = identity.trust_domain == expected_.trust_domain && identity.role == expected_.role &&
                      (expected_.name.empty() || identity.name == expected_.name);
    if (same && peer->server_auth) return grpc::Status::OK;
    return {grpc::StatusCode::UNAUTHENTICATED, "expected " + expected_.Uri() + " but the server is " + identity.Uri()};
  }

  const security::Identity expected_;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> ServerTls(const security::CredentialFiles& files) {
  experimental::TlsServerCredentialsOptions options(WatchFiles(files));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return experimental::TlsServerCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> ChannelTls(const security::CredentialFiles& files,
                                                     security::Identity expected) {
  experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(WatchFiles(files));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_check_call_host(false);
  options.set_certificate_verifier(
      experimental::ExternalCertificateVerifier::Create<IdentityVerifier>(std::move(expected)));
  return experimental::TlsCredentials(options);
}

}  // namespace strife::rpc
