#include "rpc/tls.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <chrono>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "runtime/system_clock.h"

namespace strife::rpc {
namespace {

namespace experimental = grpc::experimental;

// gRPC's certificate providers read files by themselves: what they read is not checked first, and key and certificate
// may be of two different renewals. Its C interface instead asks for the credentials before each handshake; C++ has no
// wrapper for that, so this is one.
class ReloadingServerCredentials final : public grpc::ServerCredentials {
 public:
  ReloadingServerCredentials(const security::LiveCredentials& credentials, Begins begins)
      : credentials_(credentials), begins_(std::move(begins)) {}

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {
    STRIFE_ASSERT(false);  // Admission looks at what a call carries; here it is only asked whether it may begin
  }

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    auto* options = grpc_ssl_server_credentials_create_options_using_config_fetcher(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY, &ReloadingServerCredentials::Fetch, this);
    grpc_server_credentials* tls = grpc_ssl_server_credentials_create_with_options(options);
    grpc_server_credentials_set_auth_metadata_processor(tls, {&ReloadingServerCredentials::Begin, nullptr, this});
    const int port = grpc_server_add_http2_port(server, address.c_str(), tls);
    grpc_server_credentials_release(tls);
    return port;
  }

  static void Begin(void* self, grpc_auth_context* peer, const grpc_metadata* metadata, std::size_t count,
                    grpc_process_auth_metadata_done_cb done, void* user_data) {
    auto names = grpc_auth_context_find_properties_by_name(peer, GRPC_PEER_SPIFFE_ID_PROPERTY_NAME);
    const grpc_auth_property* uri = grpc_auth_property_iterator_next(&names);
    const auto& credentials = *static_cast<ReloadingServerCredentials*>(self);
    const auto refused =
        credentials.begins_(uri == nullptr ? std::string_view() : std::string_view(uri->value, uri->value_length),
                            MethodOf({metadata, count}));
    done(user_data, nullptr, 0, nullptr, 0, refused ? static_cast<grpc_status_code>(refused->code) : GRPC_STATUS_OK,
         refused ? refused->why : nullptr);
  }

  static std::string_view MethodOf(std::span<const grpc_metadata> metadata) {
    const auto text = [](const grpc_slice& slice) {
      return std::string_view(reinterpret_cast<const char*>(GRPC_SLICE_START_PTR(slice)), GRPC_SLICE_LENGTH(slice));
    };
    for (const grpc_metadata& entry : metadata) {
      if (text(entry.key) == ":path") return text(entry.value);
    }
    return {};
  }

  // Before each handshake, one at a time.
  static grpc_ssl_certificate_config_reload_status Fetch(void* self, grpc_ssl_server_certificate_config** config) {
    auto& credentials = *static_cast<ReloadingServerCredentials*>(self);
    auto current = credentials.credentials_.current();
    const std::scoped_lock lock(credentials.mutex_);
    if (current == credentials.given_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const grpc_ssl_pem_key_cert_pair pair{current->key_pem.c_str(), current->certificate_pem.c_str()};
    *config = grpc_ssl_server_certificate_config_create(current->trust->ca_pem().c_str(), &pair, 1);
    credentials.given_ = std::move(current);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  const security::LiveCredentials& credentials_;
  const Begins begins_;
  std::mutex mutex_;
  std::shared_ptr<const security::Credentials> given_;  // guarded by mutex_
};

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

std::shared_ptr<grpc::ServerCredentials> ServerTls(const security::LiveCredentials& credentials, Begins begins) {
  return std::make_shared<ReloadingServerCredentials>(credentials, std::move(begins));
}

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
