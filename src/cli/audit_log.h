// A server's audit log, opened where the server keeps it, and the heads that are signed for it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "audit/chain.h"
#include "audit/examine.h"
#include "audit/head.h"
#include "cli/network.h"
#include "env/bank_store.h"
#include "env/gateway_store.h"

namespace strife::cli {

class ServerLog {
 public:
  static Result<ServerLog> Open(NetworkServer server);

  const NetworkServer& server() const { return server_; }
  Result<std::unique_ptr<AuditSnapshot>> Read() { return gateway_ ? gateway_->Audit() : bank_->Audit(); }
  // As audit::Examine.
  Result<audit::Report> Examine(const std::vector<audit::Head>& heads, const audit::ProgressFunction& progress) {
    return gateway_ ? audit::Examine(*gateway_, heads, progress) : audit::Examine(*bank_, heads, progress);
  }

 private:
  explicit ServerLog(NetworkServer server) : server_(std::move(server)) {}

  NetworkServer server_;
  std::unique_ptr<GatewayReader> gateway_;  // one of the two
  std::unique_ptr<BankReader> bank_;
};

// How far the log has got, signed with the server's key, which must be readable.
Result<audit::SignedHead> SignHead(ServerLog& log, WallTime now);

// The heads of a file. Each is signed by the server it names, whose certificate led to a CA of `ca_file` when it was
// signed: it may have expired since. Revocation is not looked at: what counts is where a head has been kept.
Result<std::vector<audit::Head>> ReadHeads(const std::filesystem::path& file, const std::filesystem::path& ca_file);

// Whether the head is of this server.
bool IsOf(const audit::Head& head, const NetworkServer& server);

}  // namespace strife::cli
