#include "rpc/admission.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>

#include <mutex>

#include "base/limits.h"
#include "security/credentials.h"

namespace strife::rpc {
namespace {

constexpr std::size_t kMaxRememberedCertificates = 4096;
constexpr Duration kRefusalMemory = std::chrono::seconds(1);  // so that a refused peer that keeps calling costs little
constexpr std::string_view kBearer = "Bearer ";

ApiError Refuse(ApiCode code, std::string_view reason_code, std::string message) {
  return {.code = code, .reason_code = std::string(reason_code), .message = std::move(message)};
}

ApiError NotAuthenticated(std::string message) {
  return Refuse(ApiCode::kUnauthenticated, "UNAUTHENTICATED", std::move(message));
}

ApiError FromSecurity(const Error& error) {
  return error.code == ErrorCode::kUnauthenticated ? NotAuthenticated(error.message)
                                                   : Refuse(ApiCode::kPermissionDenied, "AG01", error.message);
}

// The value of a property that a connection has once; empty when it has none or several.
std::string_view OnlyProperty(const grpc::AuthContext& auth, const char* name) {
  const auto values = auth.FindPropertyValues(name);
  return values.size() == 1 ? std::string_view(values[0].data(), values[0].size()) : std::string_view{};
}

std::string_view BearerToken(const grpc::CallbackServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find("authorization");
  if (found == metadata.end() || metadata.count("authorization") != 1) return {};
  const std::string_view value(found->second.data(), found->second.size());
  return value.starts_with(kBearer) ? value.substr(kBearer.size()) : std::string_view{};
}

// As HTTP/2 counts them.
std::size_t MetadataBytes(const grpc::CallbackServerContext& context) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : context.client_metadata()) bytes += name.size() + value.size() + 32;
  return bytes;
}

}  // namespace

std::string PeerAddress(const grpc::ServerContextBase& context) {
  const std::string peer = context.peer();
  const auto colon = peer.find(':');
  return colon == std::string::npos ? peer : peer.substr(colon + 1);
}

std::string ActorOf(const Caller& caller) {
  if (caller.claims) return "user/" + caller.claims->username;
  const security::Identity& identity = caller.certificate->identity;
  return std::string(security::RoleName(identity.role)) + "/" + identity.name;
}

void Admission::NoteRefused(const grpc::CallbackServerContext& context, std::string_view method, std::string actor,
                            const ApiError& error) const {
  if (!options_.refused) return;
  const bool denied = error.code == ApiCode::kPermissionDenied || error.code == ApiCode::kUnauthenticated;
  const bool force = method.ends_with("/ForceTransaction") && error.code == ApiCode::kFailedPrecondition;
  if (!denied && !force && error.reason_code != "LOGIN_THROTTLED") return;
  // A failed login is on record with the count of it.
  if (denied && !actor.empty() && method.ends_with("/AuthenticateClient")) return;
  protocol::AuditRecord record;
  record.event = protocol::AuditEvent::kCallRefused;
  if (!actor.empty() && method.ends_with("/RefreshSession")) record.event = protocol::AuditEvent::kSessionRefused;
  if (!actor.empty() && method.ends_with("/ForceTransaction")) record.event = protocol::AuditEvent::kForceRefused;
  if (actor.empty()) {
    // Not admitted; TLS has checked that the certificate is one of ours, and it says whose.
    const auto auth = context.auth_context();
    const auto leaf = auth ? OnlyProperty(*auth, GRPC_X509_PEM_CERT_PROPERTY_NAME) : std::string_view{};
    if (const auto certificate = security::ParseCertificatePem(leaf)) {
      actor = std::string(security::RoleName(certificate->identity.role)) + "/" + certificate->identity.name;
    }
  }
  record.actor = std::move(actor);
  record.peer = PeerAddress(context);
  record.subject = method;
  record.detail = error.reason_code + ": " + error.message;
  options_.refused(std::move(record));
}

std::string CertificateOf(const grpc::ServerContextBase& context) {
  const auto auth = context.auth_context();
  if (!auth) return "none";
  const auto values = auth->FindPropertyValues(GRPC_PEER_SPIFFE_ID_PROPERTY_NAME);
  return CertificateOf(values.empty() ? std::string_view() : std::string_view(values[0].data(), values[0].size()));
}

std::string CertificateOf(std::string_view uri) {  // spiffe://domain/role/name
  if (uri.empty()) return "none";
  const auto role = uri.find('/', std::string_view("spiffe://").size());
  return role == std::string_view::npos ? std::string(uri) : std::string(uri.substr(role + 1));
}

ApiResult<Caller> Admission::Admit(const grpc::CallbackServerContext& context, const security::MethodPolicy* policy,
                                   std::size_t bytes) {
  const std::string who = CertificateOf(context), peer = PeerAddress(context);
  if (auto refused = limits().Call(who, peer, bytes)) {
    limits().Wasted(who, peer);
    return std::unexpected(*std::move(refused));
  }
  // gRPC's own limit holds only for clients that have acknowledged it.
  if (MetadataBytes(context) > limits::kMaxMetadataBytes) {
    limits().Wasted(who, peer);
    return std::unexpected(Refuse(ApiCode::kResourceExhausted, "METADATA_TOO_LARGE",
                                  "the call's metadata is larger than the server takes; nothing was recorded"));
  }
  const auto auth = context.auth_context();
  if (!auth) return std::unexpected(NotAuthenticated("the connection has no client certificate"));
  auto certificate = Verify(*auth, clock_.Read().wall);
  if (!certificate) {
    limits().Wasted(who, peer);
    return std::unexpected(FromSecurity(certificate.error()));
  }
  const security::Identity& identity = (*certificate)->identity;
  if (Status allowed = security::AuthorizeCertificate(policy, identity); !allowed) {
    return std::unexpected(FromSecurity(allowed.error()));
  }
  const security::Identity& self = options_.credentials->identity();
  if (Status allowed = security::AuthorizeOperator(options_.operators, identity, self); !allowed) {
    return std::unexpected(FromSecurity(allowed.error()));
  }
  Caller caller{*std::move(certificate), peer, std::nullopt};
  if (!policy->user_role) return caller;
  const std::string_view token = BearerToken(context);
  if (token.empty()) {
    return std::unexpected(NotAuthenticated("no access token: log in and send it as \"authorization: Bearer …\""));
  }
  if (!options_.check_token)
    return std::unexpected(Refuse(ApiCode::kPermissionDenied, "AG01", "tokens do not count here"));
  auto claims = options_.check_token(token, *caller.certificate);
  if (!claims) return std::unexpected(claims.error());
  if (Status allowed = security::AuthorizeCall(policy, identity, &*claims); !allowed) {
    return std::unexpected(FromSecurity(allowed.error()));
  }
  caller.claims = *std::move(claims);
  return caller;
}

Result<std::shared_ptr<const security::Certificate>> Admission::Verify(const grpc::AuthContext& auth, WallTime now) {
  const auto leaf = OnlyProperty(auth, GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (leaf.empty()) return Fail(ErrorCode::kUnauthenticated, "the connection has no client certificate");
  std::string key(leaf);
  std::string others(OnlyProperty(auth, GRPC_X509_PEM_CERT_CHAIN_PROPERTY_NAME));
  const auto trust = options_.credentials->current()->trust;
  {
    std::shared_lock lock(mutex_);
    if (const auto found = verdicts_.find(key); found != verdicts_.end()) {
      const Verdict& known = found->second;
      if (known.trust == trust && now < known.until) return known.peer;
      if (others.empty()) others = known.others_pem;
    }
  }
  auto verified = security::AdmitClient(*trust, leaf, others, options_.credentials->identity().trust_domain, now);
  Verdict verdict{trust, now + kRefusalMemory, std::move(others), nullptr};
  if (verified) {
    verdict.until = verified->until;
    verdict.peer = std::make_shared<const security::Certificate>(std::move(verified->certificate));
  } else {
    verdict.peer = std::unexpected(verified.error());
  }
  auto peer = verdict.peer;
  std::unique_lock lock(mutex_);
  if (verdicts_.size() >= kMaxRememberedCertificates) verdicts_.clear();
  verdicts_.insert_or_assign(std::move(key), std::move(verdict));
  return peer;
}

}  // namespace strife::rpc
