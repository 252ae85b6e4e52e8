#include "rpc/tls.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <utility>
#include <vector>

#include "runtime/system_clock.h"

namespace strife::rpc {
namespace {

namespace experimental = grpc::experimental;

// gRPC has checked the chain; this checks that it is the right peer, and not revoked.
class ServerVerifier final : public experimental::ExternalCertificateVerifier {
 public:
  ServerVerifier(std::shared_ptr<const security::Trust> trust, security::Identity expected)
      : trust_(std::move(trust)), expected_(std::move(expected)) {}

  bool Verify(experimental::TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* sync_status) override {
    const auto leaf = request->peer_cert();
    const auto chain = request->peer_cert_full_chain();
    const auto admitted = security::AdmitServer(*trust_, {leaf.data(), leaf.size()}, {chain.data(), chain.size()},
                                                expected_, runtime::WallNow());
    *sync_status =
        admitted ? grpc::Status::OK : grpc::Status(grpc::StatusCode::UNAUTHENTICATED, admitted.error().message);
    return true;  // decided at once, no callback
  }

  void Cancel(experimental::TlsCustomVerificationCheckRequest*) override {}

 private:
  const std::shared_ptr<const security::Trust> trust_;
  const security::Identity expected_;
};

}  // namespace

std::shared_ptr<grpc::ChannelCredentials> ChannelTls(const security::Credentials& credentials,
                                                     security::Identity expected) {
  experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(std::make_shared<experimental::StaticDataCertificateProvider>(
      credentials.trust->ca_pem(),
      std::vector<experimental::IdentityKeyCertPair>{{credentials.key_pem, credentials.certificate_pem}}));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_check_call_host(false);
  options.set_certificate_verifier(
      experimental::ExternalCertificateVerifier::Create<ServerVerifier>(credentials.trust, std::move(expected)));
  return experimental::TlsCredentials(options);
}

}  // namespace strife::rpc
