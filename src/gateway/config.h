// What an operator can set for the gateway. Read from gateway.toml, flags and STRIFE_* variables by the command line.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/time.h"

namespace strife::gateway {

struct GatewayConfig {
  std::string listen = "127.0.0.1:50052";  // host:port
  std::filesystem::path data_dir;          // database and token keys; created 0700
  std::filesystem::path log_dir;
  std::filesystem::path ca_file;    // PEM bundle of the CAs that are trusted
  std::filesystem::path cert_file;  // PEM, leaf first; role gateway
  std::filesystem::path key_file;   // PEM, 0600
  std::filesystem::path crl_file;   // PEM, one revocation list for each CA; empty: revocation is not checked
  std::filesystem::path users_file;
  Duration transaction_timeout = std::chrono::seconds(5);
  Duration heartbeat_interval = std::chrono::seconds(5);
  Duration access_token_lifetime = std::chrono::minutes(5);
  Duration refresh_token_lifetime = std::chrono::hours(24 * 7);
  int calls_per_second = limits::kDefaultCallsPerSecond;        // under one certificate
  int payments_per_second = limits::kDefaultPaymentsPerSecond;  // of one user
  int reserved_disk_mb = 256;  // with less free space than this, MiB, new payments and logins are refused
  // Names in certificates; absent: every operator of the trust domain.
  std::optional<std::vector<std::string>> operators;
  std::string metrics_listen;                 // IP address:port of the Prometheus endpoint; empty: none
  std::string metrics_exposure = "loopback";  // loopback, network: who may be able to connect to it
  std::string log_level = "info";             // trace, debug, info, warning, error, critical
  std::string log_format = "text";            // text, json
};

inline std::filesystem::path TokenKeyDirectory(const GatewayConfig& config) { return config.data_dir / "token_keys"; }

}  // namespace strife::gateway
