// A local network as `strife init` lays it out in a directory.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "security/certificate.h"
#include "security/credentials.h"

namespace CLI {
class App;
}

namespace strife::cli {

struct NetworkServer {
  std::string name;  // "gateway" or the bank's id
  security::Role role = security::Role::kBank;
  std::filesystem::path config_file;
  std::string listen;  // host:port
  std::filesystem::path data_dir;
  std::filesystem::path log_dir;
  security::CredentialFiles files{};
  std::string metrics_listen{};  // as configured
  int reserved_disk_mb = 0;
  std::filesystem::path pid_file{};  // of `strife up`; empty: not known
};

struct Network {
  std::filesystem::path dir;           // absolute
  std::vector<NetworkServer> servers;  // the gateway first, then the banks by id
  security::CredentialFiles operator_files;

  std::filesystem::path PidFile(const NetworkServer& server) const { return dir / "run" / (server.name + ".pid"); }
};

// Reads gateway.toml and every bank-<id>.toml of `dir`, and nothing of the environment: the directory alone says what
// the network is. kNotFound when there is no network in it.
Result<Network> ReadNetwork(const std::filesystem::path& dir);

// Which servers a command is about.
struct ServerChoice {
  std::string dir;
  std::vector<std::string> configs;

  // Adds --dir and --config. Must outlive the parsing of the command line.
  void AddFlags(CLI::App& command);
  // The servers of `dir` unless it is empty, else those of the configuration files; a bank's id is then the name in its
  // certificate. kUsage when neither was given.
  Result<std::vector<NetworkServer>> Read() const;
};

// An error when another program listens at host:port already, or the address is none of this machine's.
Status CheckListenAddress(const NetworkServer& server);

// The process named by the pid file if it is a running strife; nullopt when there is no file or it is a leftover.
std::optional<int> RunningProcess(const std::filesystem::path& pid_file);

}  // namespace strife::cli
