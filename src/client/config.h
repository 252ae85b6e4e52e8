// What a user can set for the client. Read from client.toml, flags and STRIFE_* variables by the command line.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/time.h"

namespace strife::client {

struct ClientConfig {
  std::string gateway = "127.0.0.1:50052";  // host:port
  std::vector<std::string> gateways;        // several of one network, any of which will do; beats `gateway`
  std::filesystem::path ca_file;            // PEM bundle of the CAs that are trusted
  std::filesystem::path cert_file;          // PEM, leaf first; role client
  std::filesystem::path key_file;           // PEM, 0600
  std::filesystem::path crl_file;           // PEM, one revocation list for each CA; empty: none is checked
  std::filesystem::path data_dir;           // session and queue; created 0700
  std::filesystem::path log_dir;
  Duration timeout = std::chrono::seconds(10);     // of one attempt
  int max_retries = 3;                             // attempts after the first
  Duration retry_delay = std::chrono::seconds(3);  // before the first retry; doubles each time
  // At most this long between two tries to deliver the queue while the gateway is away.
  Duration reconnect_interval = std::chrono::seconds(30);
  std::string log_level = "info";
  std::string log_format = "text";  // text, json
  std::string traceparent;          // W3C trace context to send with each call; empty: none

  std::vector<std::string> Endpoints() const { return gateways.empty() ? std::vector{gateway} : gateways; }
};

}  // namespace strife::client
