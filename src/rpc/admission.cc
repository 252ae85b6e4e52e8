#include "rpc/admission.h"

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

std::string_view BearerToken(const http2::Call& call) {
  const auto value = call.Metadata("authorization");
  return value && value->starts_with(kBearer) ? value->substr(kBearer.size()) : std::string_view{};
}

}  // namespace

std::string ActorOf(const Caller& caller) {
  if (caller.claims) return "user/" + caller.claims->username;
  const security::Identity& identity = caller.certificate->identity;
  return std::string(security::RoleName(identity.role)) + "/" + identity.name;
}

void Admission::Answered(const http2::Call& call, const security::MethodPolicy* policy,
                         const google::protobuf::MessageLite& request,
                         const google::protobuf::MessageLite& response) const {
  options_.log.Answered(call, policy, 0, &request, &response, clock_);
}

void Admission::Refused(const http2::Call& call, const security::MethodPolicy* policy, const std::string& actor,
                        const ApiError& error, const google::protobuf::MessageLite* request) const {
  NoteRefused(call, actor, error);
  options_.log.Answered(call, policy, static_cast<int>(error.code), request, nullptr, clock_);
}

void Admission::NoteRefused(const http2::Call& call, std::string actor, const ApiError& error) const {
  if (!options_.refused) return;
  const std::string_view method = call.path();
  const bool denied = error.code == ApiCode::kPermissionDenied || error.code == ApiCode::kUnauthenticated;
  const bool force = method.ends_with("/ForceTransaction") && error.code == ApiCode::kFailedPrecondition;
  if (!denied && !force && error.reason_code != "LOGIN_THROTTLED") return;
  // A failed login is on record with the count of it.
  if (denied && !actor.empty() && method.ends_with("/AuthenticateClient")) return;
  protocol::AuditRecord record;
  record.event = protocol::AuditEvent::kCallRefused;
  if (!actor.empty() && method.ends_with("/RefreshSession")) record.event = protocol::AuditEvent::kSessionRefused;
  if (!actor.empty() && method.ends_with("/ForceTransaction")) record.event = protocol::AuditEvent::kForceRefused;
  // Not admitted; TLS has checked that the certificate is one of ours, and it says whose.
  if (actor.empty() && call.peer().who != "none") actor = call.peer().who;
  record.actor = std::move(actor);
  record.peer = call.peer().name;
  record.subject = method;
  record.detail = error.reason_code + ": " + error.message;
  options_.refused(std::move(record));
}

ApiResult<Caller> Admission::Admit(const http2::Call& call, const security::MethodPolicy* policy) {
  const http2::Peer& peer = call.peer();
  if (auto refused = limits().Call(peer.who, peer.name, call.message().size())) {
    limits().Wasted(peer.who, peer.name);
    return std::unexpected(*std::move(refused));
  }
  if (call.metadata_bytes() > limits::kMaxMetadataBytes) {
    limits().Wasted(peer.who, peer.name);
    return std::unexpected(Refuse(ApiCode::kResourceExhausted, "METADATA_TOO_LARGE",
                                  "the call's metadata is larger than the server takes; nothing was recorded"));
  }
  auto certificate = Verify(peer, clock_.Read().wall);
  if (!certificate) {
    limits().Wasted(peer.who, peer.name);
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
  Caller caller{*std::move(certificate), peer.name, std::nullopt};
  if (!policy->user_role) return caller;
  const std::string_view token = BearerToken(call);
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

Result<std::shared_ptr<const security::Certificate>> Admission::Verify(const http2::Peer& peer, WallTime now) {
  const auto trust = options_.credentials->current()->trust;
  {
    std::shared_lock lock(mutex_);
    if (const auto found = verdicts_.find(peer.leaf_pem); found != verdicts_.end()) {
      const Verdict& known = found->second;
      if (known.trust == trust && now < known.until) return known.certificate;
    }
  }
  auto verified =
      security::AdmitClient(*trust, peer.leaf_pem, peer.others_pem, options_.credentials->identity().trust_domain, now);
  Verdict verdict{trust, now + kRefusalMemory, nullptr};
  if (verified) {
    verdict.until = verified->until;
    verdict.certificate = std::make_shared<const security::Certificate>(std::move(verified->certificate));
  } else {
    verdict.certificate = std::unexpected(verified.error());
  }
  auto certificate = verdict.certificate;
  std::unique_lock lock(mutex_);
  if (verdicts_.size() >= kMaxRememberedCertificates) verdicts_.clear();
  verdicts_.insert_or_assign(peer.leaf_pem, std::move(verdict));
  return certificate;
}

}  // namespace strife::rpc
