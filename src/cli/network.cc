#include "cli/network.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <memory>

#include "base/host_port.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/configs.h"
#include "security/secure_file.h"

namespace strife::cli {
namespace {

namespace fs = std::filesystem;

// The bank's id when the file is called bank-<id>.toml; empty otherwise.
std::string BankIdOf(const fs::path& file) {
  std::string name = file.filename().string();
  if (!name.starts_with("bank-") || !name.ends_with(".toml")) return "";
  std::string id = name.substr(5, name.size() - 10);
  return IsIdentifier(id, limits::kMaxBankIdBytes) ? id : "";
}

template <typename Config>
NetworkServer ServerOf(const std::string& name, security::Role role, const fs::path& file, const Config& config) {
  return {.name = name,
          .role = role,
          .config_file = file,
          .listen = config.listen,
          .data_dir = config.data_dir,
          .log_dir = config.log_dir,
          .files = {config.ca_file, config.cert_file, config.key_file, config.crl_file},
          .metrics_listen = config.metrics_listen,
          .reserved_disk_mb = config.reserved_disk_mb,
          .pid_file = {}};
}

Result<NetworkServer> ReadServer(const std::string& name, security::Role role, const fs::path& file) {
  if (role == security::Role::kGateway) {
    gateway::GatewayConfig config;
    if (auto loaded = GatewaySettings(&config).LoadFileOnly(file); !loaded) return std::unexpected(loaded.error());
    return ServerOf(name, role, file, config);
  }
  bank::BankConfig config;
  if (auto loaded = BankSettings(&config).LoadFileOnly(file); !loaded) return std::unexpected(loaded.error());
  return ServerOf(name, role, file, config);
}

// Of either role.
Result<NetworkServer> ReadServer(const fs::path& file) {
  if (auto gateway = ReadServer("gateway", security::Role::kGateway, file)) return gateway;
  auto bank = ReadServer("bank", security::Role::kBank, file);
  if (!bank) return bank;
  auto pem = security::ReadFile(bank->files.cert_file);
  if (!pem) return std::unexpected(pem.error());
  auto certificate = security::ParseCertificatePem(*pem);
  if (!certificate) return std::unexpected(certificate.error());
  bank->name = certificate->identity.name;
  return bank;
}

// "bank2" before "bank10".
bool NaturalLess(const std::string& a, const std::string& b) { return std::pair(a.size(), a) < std::pair(b.size(), b); }

}  // namespace

Result<Network> ReadNetwork(const fs::path& dir) {
  Network network{.dir = fs::absolute(dir).lexically_normal(), .servers = {}, .operator_files = {}};
  fs::path gateway_file = network.dir / "gateway.toml";
  std::error_code error;
  if (!fs::exists(gateway_file, error)) {
    return Fail(ErrorCode::kNotFound, "there is no network in " + dir.string() +
                                          ": it has no gateway.toml; make one with strife init --dir " + dir.string());
  }
  std::vector<std::string> banks;
  for (const auto& entry : fs::directory_iterator(network.dir, error)) {
    if (std::string id = BankIdOf(entry.path()); !id.empty()) banks.push_back(id);
  }
  std::sort(banks.begin(), banks.end(), NaturalLess);
  auto gateway = ReadServer("gateway", security::Role::kGateway, gateway_file);
  if (!gateway) return std::unexpected(gateway.error());
  network.servers.push_back(std::move(*gateway));
  for (const std::string& id : banks) {
    auto bank = ReadServer(id, security::Role::kBank, network.dir / ("bank-" + id + ".toml"));
    if (!bank) return std::unexpected(bank.error());
    network.servers.push_back(std::move(*bank));
  }
  fs::path certificates = network.dir / "certs";
  network.operator_files = {certificates / "ca.crt", certificates / "operator.crt", certificates / "operator.key",
                            certificates / "ca.crl"};
  return network;
}

void ServerChoice::AddFlags(CLI::App& command) {
  CLI::Option* whole = command.add_option("--dir", dir, "Directory of a network made by strife init");
  command.add_option("--config", configs, "Configuration of the gateway or of a bank; repeat for each")
      ->excludes(whole);
}

Result<std::vector<NetworkServer>> ServerChoice::Read() const {
  if (dir.empty() && configs.empty()) return Fail(ErrorCode::kUsage, "--dir or --config is missing; see --help");
  if (!dir.empty()) {
    auto network = ReadNetwork(dir);
    if (!network) return std::unexpected(network.error());
    for (NetworkServer& server : network->servers) server.pid_file = network->PidFile(server);
    return network->servers;
  }
  std::vector<NetworkServer> servers;
  for (const std::string& file : configs) {
    auto server = ReadServer(file);
    if (!server) return std::unexpected(server.error());
    servers.push_back(std::move(*server));
  }
  return servers;
}

Status CheckListenAddress(const NetworkServer& server) {
  const auto target = ParseHostPort(server.listen);
  std::string where = "listen = \"" + server.listen + "\" in " + server.config_file.string();
  if (!target) {
    return Fail(ErrorCode::kInvalidInput, where + " is not host:port, the port from 0 to 65535");
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (int error = ::getaddrinfo(target->host.c_str(), std::to_string(target->port).c_str(), &hints, &found);
      error != 0) {
    return Fail(ErrorCode::kInvalidInput, where + " is not an address: " + ::gai_strerror(error));
  }
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> guard(found, &::freeaddrinfo);
  int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);  // as servers do: only a listener is in the way
  int bound = ::bind(fd, found->ai_addr, found->ai_addrlen);
  int error = errno;
  ::close(fd);
  if (bound == 0) return {};
  if (error == EADDRINUSE) {
    return Fail(ErrorCode::kUnavailable,
                "port " + std::to_string(target->port) + ", which " + server.name +
                    " is to serve on, is in use by another program; stop that one, or change " + where);
  }
  return Fail(ErrorCode::kUnavailable, server.name + " cannot serve on " + where + ": " + std::strerror(error));
}

std::optional<int> RunningProcess(const fs::path& pid_file) {
  int pid = 0;
  if (!(std::ifstream(pid_file) >> pid) || pid <= 0 || ::kill(pid, 0) != 0) return std::nullopt;
  std::ifstream command("/proc/" + std::to_string(pid) + "/comm");
  std::string name;
  if (std::getline(command, name) && name != "strife" && name != "exe") return std::nullopt;  // the number was reused
  return pid;
}

}  // namespace strife::cli
