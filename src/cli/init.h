// `strife init`: writes a complete local network into a directory.
#pragma once

#include <filesystem>
#include <optional>

#include "base/result.h"
#include "base/time.h"

namespace strife::cli {

struct NetworkOptions {
  std::filesystem::path dir;
  int banks = 3;          // 1 to 64: bank1, bank2, …
  int users = 8;          // 1 to 10,000: user1, user2, …
  int port_base = 50052;  // the gateway's; bank i listens on port_base + i
  // The same for their metrics; kMetricsPortOffset above port_base when not set.
  std::optional<int> metrics_port_base{};

  static constexpr int kMetricsPortOffset = 100;
  int FirstMetricsPort() const { return metrics_port_base.value_or(port_base + kMetricsPortOffset); }
};

// Writes into `dir` (made if need be, and its parents):
//   certs/ca.crt, ca.key (0600), ca.crl; certs/<name>.crt and .key (0600) for gateway, each bank, client and operator
//   gateway.toml, bank-<id>.toml, client.toml; users.json (0600), bank_data-<id>.json, passwords.csv (0600)
//   data/, logs/ and run/ with a folder for each process where it needs one
// User k has an account, called like the user, at bank ((k-1) mod banks)+1 and at the next bank if there is another,
// with 10,000.00 USD in each. Paths in the files are relative to the directory, so it may be moved.
//
// Either all of it is there afterwards or nothing is: kAlreadyExists when `dir` already holds anything, kInvalidInput
// for numbers out of range.
Status WriteNetwork(const NetworkOptions& options, WallTime now);

}  // namespace strife::cli
