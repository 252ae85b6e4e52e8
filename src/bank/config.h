// What an operator can set for a bank. The bank's id is not among it: it is the name in the certificate.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace strife::bank {

struct BankConfig {
  std::string listen = "127.0.0.1:50053";   // host:port
  std::string advertise;                    // host:port the gateway is told to call; empty: the same as `listen`
  std::string gateway = "127.0.0.1:50052";  // host:port
  std::string display_name;
  std::filesystem::path data_dir;
  std::filesystem::path log_dir;
  std::filesystem::path ca_file;
  std::filesystem::path cert_file;
  std::filesystem::path key_file;
  std::filesystem::path crl_file;       // PEM, one revocation list for each CA; empty: revocation is not checked
  std::filesystem::path accounts_file;  // bank_data.json: opening balances, applied once per account
  // How long a prepared transaction waits for its decision before the bank starts asking the gateway.
  Duration inquiry_delay = std::chrono::seconds(6);
  int reserved_disk_mb = 256;  // with less free space than this, MiB, no new payment is prepared
  // Names in certificates; absent: every operator of the trust domain.
  std::optional<std::vector<std::string>> operators;
  std::string metrics_listen;                 // IP address:port of the Prometheus endpoint; empty: none
  std::string metrics_exposure = "loopback";  // loopback, network: who may be able to connect to it
  std::string log_level = "info";
  std::string log_format = "text";  // text, json
};

}  // namespace strife::bank
