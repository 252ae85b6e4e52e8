// Configuration files: TOML into the configuration of a gateway, bank, client or operator, by the first byte.
#include "cli/configs.h"
#include "cli/settings.h"
#include "fuzz.h"
#include "protocol/heartbeat.h"
#include "scratch.h"

namespace strife::cli {
namespace {

void CheckPath(const std::filesystem::path& path) {
  STRIFE_ASSERT(path.is_absolute());
  STRIFE_ASSERT(path.native().find('\0') == std::string::npos);  // the system would open another file
}

template <typename Config>
void CheckIdentityFiles(const Config& config) {
  for (const auto* path : {&config.ca_file, &config.cert_file, &config.key_file}) CheckPath(*path);
}

template <typename Config>
void CheckServer(const Config& config) {
  CheckIdentityFiles(config);
  CheckPath(config.data_dir);
  CheckPath(config.log_dir);
  STRIFE_ASSERT(config.reserved_disk_mb >= 0);
  if (!config.operators) return;
  for (const std::string& name : *config.operators) {
    STRIFE_ASSERT(security::IsIdentityName(security::Role::kOperator, name));
  }
}

FUZZ_TARGET(settings) {
  static const fuzz::Scratch scratch;
  fuzz::Input in(input);
  const std::size_t kind = in.Index(4);
  const auto file = scratch.Write("config.toml", in.Rest());
  gateway::GatewayConfig gateway;
  bank::BankConfig bank;
  client::ClientConfig client;
  OperatorConfig as_operator;
  Settings settings = kind == 0   ? GatewaySettings(&gateway)
                      : kind == 1 ? BankSettings(&bank)
                      : kind == 2 ? ClientSettings(&client)
                                  : OperatorSettings(&as_operator);
  if (const Status loaded = settings.LoadFileOnly(file); !loaded) return fuzz::CheckMessage(loaded.error().message);
  if (kind == 0) {
    CheckServer(gateway);
    CheckPath(gateway.users_file);
    STRIFE_ASSERT(gateway.transaction_timeout > Duration::zero());
    STRIFE_ASSERT(gateway.heartbeat_interval >= protocol::kMinHeartbeatInterval);
    STRIFE_ASSERT(gateway.heartbeat_interval <= protocol::kMaxHeartbeatInterval);
    STRIFE_ASSERT(gateway.access_token_lifetime > Duration::zero());
    STRIFE_ASSERT(gateway.refresh_token_lifetime > Duration::zero());
  } else if (kind == 1) {
    CheckServer(bank);
    CheckPath(bank.accounts_file);
    STRIFE_ASSERT(bank.inquiry_delay > Duration::zero());
  } else if (kind == 2) {
    CheckIdentityFiles(client);
    STRIFE_ASSERT(client.timeout > Duration::zero() && client.reconnect_interval > Duration::zero());
    STRIFE_ASSERT(client.retry_delay >= Duration::zero() && client.max_retries >= 0 && client.max_retries <= 100);
    for (const std::string& endpoint : client.Endpoints()) STRIFE_ASSERT(!endpoint.empty());
  } else {
    CheckIdentityFiles(as_operator);
    STRIFE_ASSERT(as_operator.timeout > Duration::zero());
  }
}

}  // namespace
}  // namespace strife::cli
