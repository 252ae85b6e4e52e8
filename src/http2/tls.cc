#include "http2/tls.h"

#include <arpa/inet.h>
#include <nghttp2/nghttp2.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "security/certificate.h"

namespace strife::http2 {
namespace {

// Forward secrecy and authenticated encryption only; those of TLS 1.3 are all of that kind.
constexpr const char* kTls12Ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305";

// OpenSSL must not take itself apart when the process exits: the channels' thread may be using it until the very end.
// Before main, for the first use of OpenSSL decides.
const int kNoCleanupAtExit = OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;

Bio ReaderOf(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

void AppendPem(X509* certificate, std::string& to) {
  const Bio bio(BIO_new(BIO_s_mem()), BIO_free);
  if (PEM_write_bio_X509(bio.get(), certificate) != 1) return;
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  to.append(text, static_cast<std::size_t>(size));
}

X509Ptr NextCertificate(BIO* bio) { return {PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), X509_free}; }

bool UseCertificate(SSL_CTX* context, const security::Credentials& credentials) {
  const Bio certificates = ReaderOf(credentials.certificate_pem);
  const X509Ptr leaf = NextCertificate(certificates.get());
  if (leaf == nullptr || SSL_CTX_use_certificate(context, leaf.get()) != 1) return false;
  while (const X509Ptr other = NextCertificate(certificates.get())) {
    if (SSL_CTX_add1_chain_cert(context, other.get()) != 1) return false;
  }
  const Bio key_text = ReaderOf(credentials.key_pem);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  return key != nullptr && SSL_CTX_use_PrivateKey(context, key.get()) == 1 && SSL_CTX_check_private_key(context) == 1;
}

bool TrustAuthorities(SSL_CTX* context, const std::string& ca_pem) {
  const Bio authorities = ReaderOf(ca_pem);
  bool any = false;
  while (const X509Ptr authority = NextCertificate(authorities.get())) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get()) != 1) return false;
    SSL_CTX_add_client_CA(context, authority.get());  // named to clients that have several certificates
    any = true;
  }
  return any;
}

int ChooseHttp2(SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                unsigned int offered_size, void*) {
  unsigned char* found = nullptr;
  if (nghttp2_select_next_protocol(&found, chosen_size, offered, offered_size) != 1) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

int AsInt(std::size_t size) { return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max())); }

}  // namespace

TlsChannel::TlsChannel(std::unique_ptr<SSL, decltype(&SSL_free)> ssl, std::shared_ptr<const Descriptor> socket)
    : socket_(std::move(socket)), ssl_(std::move(ssl)) {}

TlsChannel::~TlsChannel() {
  if (made_ && !broken_) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }
  shutdown(socket_->get(), SHUT_RDWR);  // also when somebody else still has the socket
}

TlsChannel::Progress TlsChannel::Judge(int result) {
  const int system_error = errno;
  const int why = SSL_get_error(ssl_.get(), result);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return Progress::kWaiting;
  broken_ |= why != SSL_ERROR_ZERO_RETURN;
  error_ = ERR_peek_error();
  if (why == SSL_ERROR_SYSCALL) system_error_ = system_error;
  return Progress::kEnded;
}

std::string TlsChannel::Failure() const {
  if (const long verdict = SSL_get_verify_result(ssl_.get()); verdict != X509_V_OK) {
    return std::string("its certificate is not good: ") + X509_verify_cert_error_string(verdict);
  }
  if (const char* reason = ERR_reason_error_string(error_)) return std::string("TLS: ") + reason;
  return system_error_ != 0 ? std::strerror(system_error_) : "it has closed the connection";
}

TlsChannel::Progress TlsChannel::Handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result != 1) return Judge(result);
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &protocol, &size);
  if (size == 0) {  // it did not say; to those that ask for another the handshake has said no
    broken_ = true;
    return Progress::kEnded;
  }
  made_ = true;
  return Progress::kDone;
}

TlsChannel::Progress TlsChannel::Read(std::span<unsigned char> to, std::size_t& bytes) {
  ERR_clear_error();
  const int result = SSL_read(ssl_.get(), to.data(), AsInt(to.size()));
  bytes = static_cast<std::size_t>(std::max(result, 0));
  return result > 0 ? Progress::kDone : Judge(result);
}

TlsChannel::Progress TlsChannel::Write(std::span<const unsigned char> from, std::size_t& bytes) {
  ERR_clear_error();
  const int result = SSL_write(ssl_.get(), from.data(), AsInt(from.size()));
  bytes = static_cast<std::size_t>(std::max(result, 0));
  return result > 0 ? Progress::kDone : Judge(result);
}

Peer TlsChannel::Describe() const {
  Peer peer;
  if (X509* leaf = SSL_get0_peer_certificate(ssl_.get())) AppendPem(leaf, peer.leaf_pem);
  STACK_OF(X509)* others = SSL_get_peer_cert_chain(ssl_.get());
  for (int i = 0; i < sk_X509_num(others); ++i) AppendPem(sk_X509_value(others, i), peer.others_pem);
  const auto certificate = security::ParseCertificatePem(peer.leaf_pem);
  peer.who = certificate
                 ? std::string(security::RoleName(certificate->identity.role)) + "/" + certificate->identity.name
                 : "none";
  return peer;
}

namespace {

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

// What both sides have in common; null when OpenSSL does not take the credentials.
Context MakeContext(const SSL_METHOD* method, const security::Credentials& credentials) {
  Context context(SSL_CTX_new(method), SSL_CTX_free);
  if (context == nullptr) return context;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context.get(), kTls12Ciphers);
  // Every connection proves who it is: none goes on from an earlier one.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  // Idle connections keep no buffers; busy ones read several records at a time.
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_default_read_buffer_len(context.get(), std::size_t{64} << 10);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  ERR_clear_error();
  const bool taken =
      UseCertificate(context.get(), credentials) && TrustAuthorities(context.get(), credentials.trust->ca_pem());
  ERR_clear_error();
  if (!taken) context.reset();
  return context;
}

std::unique_ptr<SSL, decltype(&SSL_free)> MakeSsl(SSL_CTX* context, const Descriptor& socket) {
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context), SSL_free);
  if (ssl != nullptr && SSL_set_fd(ssl.get(), socket.get()) != 1) ssl.reset();
  return ssl;
}

bool IsAddress(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 || inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

std::unexpected<Error> CannotMake(const std::string& what) {
  return Fail(ErrorCode::kInternal, "OpenSSL does not take " + what);
}

}  // namespace

Result<std::unique_ptr<TlsChannel>> TlsAcceptor::Accept(std::shared_ptr<const Descriptor> socket) {
  if (Status renewed = Renew(); !renewed) return std::unexpected(renewed.error());
  auto ssl = MakeSsl(context_.get(), *socket);
  if (ssl == nullptr) return CannotMake("the connection");
  SSL_set_accept_state(ssl.get());
  return std::make_unique<TlsChannel>(std::move(ssl), std::move(socket));
}

Status TlsAcceptor::Renew() {
  auto current = credentials_.current();
  if (current == used_) return {};
  Context context = MakeContext(TLS_server_method(), *current);
  if (context == nullptr) return CannotMake("the server's certificate, key or CAs");
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_options(context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_alpn_select_cb(context.get(), ChooseHttp2, nullptr);
  context_ = std::move(context);
  used_ = std::move(current);
  return {};
}

Result<std::unique_ptr<TlsChannel>> TlsDialer::Dial(std::shared_ptr<const Descriptor> socket, const std::string& host) {
  if (context_ == nullptr) {
    context_ = MakeContext(TLS_client_method(), *credentials_);
    if (context_ == nullptr) return CannotMake("the certificate, key or CAs");
    static constexpr unsigned char kHttp2[] = {2, 'h', '2'};
    SSL_CTX_set_alpn_protos(context_.get(), kHttp2, sizeof kHttp2);
  }
  auto ssl = MakeSsl(context_.get(), *socket);
  if (ssl == nullptr) return CannotMake("the connection");
  SSL_set_connect_state(ssl.get());
  if (!IsAddress(host)) SSL_set_tlsext_host_name(ssl.get(), host.c_str());
  return std::make_unique<TlsChannel>(std::move(ssl), std::move(socket));
}

Status TlsDialer::Verify(const TlsChannel& channel, WallTime now) const {
  const Peer peer = channel.Describe();
  const auto admitted = security::AdmitServer(*credentials_->trust, peer.leaf_pem, peer.others_pem, expected_, now);
  if (!admitted) return std::unexpected(admitted.error());
  return {};
}

}  // namespace strife::http2
