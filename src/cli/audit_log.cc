#include "cli/audit_log.h"

#include <utility>

#include "security/secure_file.h"
#include "security/signature.h"
#include "security/trust.h"
#include "storage/sqlite/bank_sqlite.h"
#include "storage/sqlite/gateway_sqlite.h"

namespace strife::cli {
namespace {

constexpr std::size_t kMaxHeadFileBytes = std::size_t{16} << 20;

Status Check(const audit::SignedHead& head, const std::filesystem::path& ca_file) {
  const WallTime at = head.head.at;
  if (Status good = security::CheckSignature(head.certificates_pem, audit::StatementOf(head.head), head.signature);
      !good) {
    return good;
  }
  auto trust = security::Trust::Load(ca_file, {}, at);
  if (!trust) return std::unexpected(trust.error());
  auto peer = (*trust)->Verify(head.certificates_pem, head.certificates_pem, security::Trust::Use::kServer, at);
  if (!peer) return std::unexpected(peer.error());
  if (peer->certificate.identity.Uri() == head.head.server) return {};
  return Fail(ErrorCode::kUnauthenticated, "it is signed by " + peer->certificate.identity.Uri());
}

}  // namespace

Result<ServerLog> ServerLog::Open(NetworkServer server) {
  ServerLog log(std::move(server));
  if (log.server_.role == security::Role::kGateway) {
    auto reader = OpenGatewayReader(log.server_.data_dir / "gateway.db");
    if (!reader) return std::unexpected(reader.error());
    log.gateway_ = std::move(*reader);
  } else {
    auto reader = OpenBankReader(log.server_.data_dir / "bank.db");
    if (!reader) return std::unexpected(reader.error());
    log.bank_ = std::move(*reader);
  }
  return log;
}

Result<audit::SignedHead> SignHead(ServerLog& log, WallTime now) {
  const security::CredentialFiles& files = log.server().files;
  auto pem = security::ReadFile(files.cert_file);
  if (!pem) return std::unexpected(pem.error());
  auto certificate = security::ParseCertificatePem(*pem);
  if (!certificate) return std::unexpected(certificate.error());
  auto key = security::ReadKeyFile(files.key_file);
  if (!key) return std::unexpected(key.error());
  auto snapshot = log.Read();
  if (!snapshot) return std::unexpected(snapshot.error());
  auto start = (*snapshot)->Start();
  if (!start) return std::unexpected(start.error());
  auto last = (*snapshot)->Last();
  if (!last) return std::unexpected(last.error());

  audit::SignedHead out;
  out.head.server = certificate->identity.Uri();
  out.head.log_id = start->log_id;
  out.head.sequence = *last ? (*last)->sequence : 0;
  out.head.hash = *last ? (*last)->hash : audit::Hasher().Genesis(*start);
  out.head.at = now;
  out.certificates_pem = *pem;
  const std::string statement = audit::StatementOf(out.head);
  auto signature = security::Sign(*key, statement);
  if (!signature) return std::unexpected(signature.error());
  out.signature = *std::move(signature);
  if (!security::CheckSignature(out.certificates_pem, statement, out.signature)) {
    return Fail(ErrorCode::kInvalidInput, "the key " + files.key_file.string() +
                                              " does not belong to the certificate " + files.cert_file.string());
  }
  return out;
}

Result<std::vector<audit::Head>> ReadHeads(const std::filesystem::path& file, const std::filesystem::path& ca_file) {
  auto text = security::ReadFile(file, kMaxHeadFileBytes);
  if (!text) return std::unexpected(text.error());
  auto parsed = audit::ParseHeads(*text);
  if (!parsed) return Fail(parsed.error().code, file.string() + ": " + parsed.error().message);
  std::vector<audit::Head> heads;
  for (const audit::SignedHead& head : *parsed) {
    if (Status good = Check(head, ca_file); !good) {
      return Fail(ErrorCode::kUnauthenticated, "head " + std::to_string(heads.size() + 1) + " of " + file.string() +
                                                   " is not to be believed: " + good.error().message);
    }
    heads.push_back(head.head);
  }
  return heads;
}

bool IsOf(const audit::Head& head, const NetworkServer& server) {
  const auto identity = security::Identity::FromUri(head.server);
  // A gateway's configuration does not say its name; a network has one.
  return identity && identity->role == server.role &&
         (server.role == security::Role::kGateway || identity->name == server.name);
}

}  // namespace strife::cli
