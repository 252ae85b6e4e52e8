#include "rpc/admission.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>

#include <mutex>

#include "security/credentials.h"

namespace strife::rpc {
namespace {

constexpr std::size_t kMaxRememberedCertificates = 4096;
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

std::string_view BearerToken(const grpc::CallbackServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find("authorization");
  if (found == metadata.end() || metadata.count("authorization") != 1) return {};
  const std::string_view value(found->second.data(), found->second.size());
  return value.starts_with(kBearer) ? value.substr(kBearer.size()) : std::string_view{};
}

}  // namespace

std::string PeerAddress(const grpc::ServerContextBase& context) {
  const std::string peer = context.peer();
  const auto colon = peer.find(':');
  return colon == std::string::npos ? peer : peer.substr(colon + 1);
}

ApiResult<Caller> Admission::Admit(const grpc::CallbackServerContext& context, const security::MethodPolicy* policy) {
  const auto auth = context.auth_context();
  const auto pems = auth ? auth->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME) : std::vector<grpc::string_ref>{};
  if (pems.size() != 1) return std::unexpected(NotAuthenticated("the connection has no client certificate"));
  auto certificate = ReadCertificate({pems[0].data(), pems[0].size()});
  if (!certificate) return std::unexpected(FromSecurity(certificate.error()));
  const WallTime now = clock_.Read().wall;
  if (Status admitted = security::AdmitClient(**certificate, options_.trust_domain, now); !admitted) {
    return std::unexpected(FromSecurity(admitted.error()));
  }
  if (const auto list = options_.revocations ? options_.revocations() : nullptr) {
    if (Status good = list->Check(**certificate, now); !good) return std::unexpected(FromSecurity(good.error()));
  }
  const security::Identity& identity = (*certificate)->identity;
  if (Status allowed = security::AuthorizeCertificate(policy, identity); !allowed) {
    return std::unexpected(FromSecurity(allowed.error()));
  }
  Caller caller{*std::move(certificate), PeerAddress(context), std::nullopt};
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

Result<std::shared_ptr<const security::Certificate>> Admission::ReadCertificate(std::string_view pem) {
  std::string key(pem);
  {
    std::shared_lock lock(mutex_);
    if (const auto found = certificates_.find(key); found != certificates_.end()) return found->second;
  }
  auto parsed = security::ParseCertificatePem(pem);
  if (!parsed) return std::unexpected(parsed.error());
  auto certificate = std::make_shared<const security::Certificate>(*std::move(parsed));
  std::unique_lock lock(mutex_);
  if (certificates_.size() >= kMaxRememberedCertificates) certificates_.clear();
  return certificates_.emplace(std::move(key), std::move(certificate)).first->second;
}

}  // namespace strife::rpc
