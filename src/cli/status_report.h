// How a network is, as far as it can be seen from this machine: what `strife status` prints.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "cli/network.h"
#include "cli/output.h"

namespace strife::cli {

struct ServerStatus {
  std::string name;
  std::string role;
  std::string listen;
  std::optional<int> pid;  // of `strife up`
  bool serving = false;
  std::string why_not;
  Duration latency{};  // of asking whether it serves, connecting included
  std::optional<WallTime> certificate_ends;
  std::optional<std::uint64_t> free_disk_bytes;
  std::optional<std::string> version;

  // From its metrics; absent when they cannot be read.
  struct Figures {
    double per_second = 0;  // payments that ended, transactions at a bank
    double aborted_per_second = 0;
    double in_flight = 0;
    double queued = 0;  // inputs that wait for the engine
    double in_doubt = 0;
    double oldest_in_doubt_s = 0;
    double partial = 0;
    double log_lines_dropped = 0;
  };
  std::optional<Figures> figures;
};

// A bank as the gateway sees it.
struct BankStatus {
  std::string bank_id;
  bool up = false;
  bool suspended = false;  // by operators
  bool ahead = false;      // it has seen more of the gateway's store than there is
  std::optional<double> heartbeat_age_s;
  std::optional<double> latency_s;  // mean of the messages since the gateway started
  double queued = 0;
};

struct StatusReport {
  std::vector<ServerStatus> servers;
  std::vector<BankStatus> banks;      // empty when the gateway's metrics cannot be read
  std::vector<std::string> problems;  // one sentence each
  bool draining = false;              // operators want no new payments
  int suspended_users = 0;
};

// Asks all servers at once and compares two readings of their metrics, `interval` apart.
StatusReport LookAt(const std::vector<NetworkServer>& servers, Duration interval, Duration timeout);

std::string StatusText(const StatusReport& report);
Json StatusJson(const StatusReport& report);

}  // namespace strife::cli
