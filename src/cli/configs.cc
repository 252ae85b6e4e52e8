#include "cli/configs.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "base/limits.h"
#include "base/text.h"
#include "protocol/heartbeat.h"
#include "protocol/trace_context.h"

namespace strife::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxProfileBytes = 64;
const std::vector<std::string> kLogLevels = {"trace", "debug", "info", "warning", "error", "critical"};
const std::vector<std::string> kLogFormats = {"text", "json"};

// Of both servers.
template <typename Config>
void AddOperators(Settings& settings, Config& config) {
  settings.Names("operators", &config.operators, security::Role::kOperator,
                 "Names of the operators to take calls from; without it every operator of the trust domain");
}

// What both servers say about themselves, and where.
template <typename Config>
void AddObservability(Settings& settings, Config& config) {
  settings.Text("metrics_listen", &config.metrics_listen,
                "IP address:port of the Prometheus endpoint; empty or off: none");
  settings.OneOf("metrics_exposure", &config.metrics_exposure, {"loopback", "network"},
                 "Whether `metrics_listen` may be an address that others can reach");
  settings.OneOf("log_level", &config.log_level, kLogLevels, "What to log");
  settings.OneOf("log_format", &config.log_format, kLogFormats, "As lines for people or as JSON objects");
}

}  // namespace

Settings GatewaySettings(gateway::GatewayConfig* config) {
  Settings settings;
  settings.Text("listen", &config->listen, "host:port to serve on");
  settings.RequiredPath("data_dir", &config->data_dir, "Folder of the database and the token keys");
  settings.RequiredPath("log_dir", &config->log_dir, "Folder of the logs");
  settings.RequiredPath("ca_file", &config->ca_file, "Certificates of the CAs to trust, PEM");
  settings.RequiredPath("cert_file", &config->cert_file, "The gateway's certificate, PEM");
  settings.RequiredPath("key_file", &config->key_file, "Its private key, PEM, mode 0600");
  settings.Path("crl_file", &config->crl_file,
                "Revocation lists of the CAs, PEM; without it revocation is not checked");
  settings.RequiredPath("users_file", &config->users_file, "Users, JSON");
  settings.Time("transaction_timeout", &config->transaction_timeout, "How long a payment may take to be decided");
  settings.Time("heartbeat_interval", &config->heartbeat_interval, "How often banks are to report",
                protocol::kMinHeartbeatInterval, protocol::kMaxHeartbeatInterval);
  settings.Time("access_token_lifetime", &config->access_token_lifetime, "How long an access token is valid",
                Settings::kLeastTime, std::chrono::seconds(limits::kMaxAccessTokenSeconds));
  settings.Time("refresh_token_lifetime", &config->refresh_token_lifetime, "How long a login lasts unused");
  settings.WholeNumber("calls_per_second", &config->calls_per_second, 1, limits::kMaxRatePerSecond,
                       "Most calls to take under one certificate");
  settings.WholeNumber("payments_per_second", &config->payments_per_second, 1, limits::kMaxRatePerSecond,
                       "Most payments to take from one user");
  settings.WholeNumber("reserved_disk_mb", &config->reserved_disk_mb, 0, 1 << 30,
                       "MiB of free disk below which new work is refused");
  AddOperators(settings, *config);
  AddObservability(settings, *config);
  return settings;
}

Settings BankSettings(bank::BankConfig* config) {
  Settings settings;
  settings.Text("listen", &config->listen, "host:port to serve on");
  settings.Text("advertise", &config->advertise, "host:port the gateway is told to call, when it is not `listen`");
  settings.Text("gateway", &config->gateway, "host:port of the gateway");
  settings.Text("display_name", &config->display_name, "Name for people");
  settings.RequiredPath("data_dir", &config->data_dir, "Folder of the database");
  settings.RequiredPath("log_dir", &config->log_dir, "Folder of the logs");
  settings.RequiredPath("ca_file", &config->ca_file, "Certificates of the CAs to trust, PEM");
  settings.RequiredPath("cert_file", &config->cert_file, "The bank's certificate, PEM: its name is the bank's id");
  settings.RequiredPath("key_file", &config->key_file, "Its private key, PEM, mode 0600");
  settings.Path("crl_file", &config->crl_file,
                "Revocation lists of the CAs, PEM; without it revocation is not checked");
  settings.RequiredPath("accounts_file", &config->accounts_file, "Accounts and opening balances, JSON");
  settings.Time("inquiry_delay", &config->inquiry_delay, "How long to wait for a decision before asking for it");
  settings.WholeNumber("reserved_disk_mb", &config->reserved_disk_mb, 0, 1 << 30,
                       "MiB of free disk below which new work is refused");
  AddOperators(settings, *config);
  AddObservability(settings, *config);
  return settings;
}

Settings ClientSettings(client::ClientConfig* config) {
  Settings settings;
  settings.Text("gateway", &config->gateway, "host:port of the gateway");
  settings.List("gateways", &config->gateways, "host:port of each of several gateways of one network");
  settings.RequiredPath("ca_file", &config->ca_file, "Certificates of the CAs to trust, PEM");
  settings.RequiredPath("cert_file", &config->cert_file, "The client's certificate, PEM");
  settings.RequiredPath("key_file", &config->key_file, "Its private key, PEM, mode 0600");
  settings.Path("crl_file", &config->crl_file,
                "Revocation lists of the CAs, PEM; without it revocation is not checked");
  settings.RequiredPath("data_dir", &config->data_dir, "Folder of the session and the queue");
  settings.RequiredPath("log_dir", &config->log_dir, "Folder of client.log");
  settings.Time("timeout", &config->timeout, "How long one attempt may take");
  settings.WholeNumber("max_retries", &config->max_retries, 0, 100, "How often to try again");
  settings.Time("retry_delay", &config->retry_delay, "How long to wait before the first retry; doubles each time");
  settings.Time("reconnect_interval", &config->reconnect_interval, "How often to try to deliver queued payments");
  settings.OneOf("log_level", &config->log_level, kLogLevels, "What to log");
  settings.OneOf("log_format", &config->log_format, kLogFormats, "As lines for people or as JSON objects");
  return settings;
}

Settings OperatorSettings(OperatorConfig* config) {
  Settings settings;
  settings.Text("gateway", &config->gateway, "host:port of the gateway");
  settings.Text("banks", &config->banks, "The banks and where they are: bank1=host:port,bank2=host:port");
  settings.RequiredPath("ca_file", &config->ca_file, "Certificates of the CAs to trust, PEM");
  settings.RequiredPath("cert_file", &config->cert_file, "The operator's certificate, PEM");
  settings.RequiredPath("key_file", &config->key_file, "Its private key, PEM, mode 0600");
  settings.Path("crl_file", &config->crl_file,
                "Revocation lists of the CAs, PEM; without it revocation is not checked");
  settings.Time("timeout", &config->timeout, "How long one server may take to answer");
  return settings;
}

std::optional<fs::path> FindClientConfig(const std::string& config_flag) {
  if (!config_flag.empty()) return config_flag;
  if (const char* named = std::getenv("STRIFE_CONFIG"); named != nullptr && *named != '\0') return named;
  std::error_code ignored;
  if (fs::exists("client.toml", ignored)) return "client.toml";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    fs::path file = fs::path(home) / ".config/strife/client.toml";
    if (fs::exists(file, ignored)) return file;
  }
  return std::nullopt;
}

namespace {

Result<client::ClientConfig> WithProfile(client::ClientConfig config, std::string profile) {
  const char* named = std::getenv("STRIFE_PROFILE");
  if (profile.empty() && named != nullptr) profile = named;
  if (profile.empty()) return config;
  if (!IsIdentifier(profile, kMaxProfileBytes)) {
    return Fail(ErrorCode::kInvalidInput,
                "\"" + Sanitize(profile, 80) + "\" is not a profile; write letters, digits, '.', '_' and '-' only");
  }
  config.data_dir = config.data_dir / "profiles" / profile;
  config.log_dir = config.log_dir / "profiles" / profile;
  return config;
}

}  // namespace

ClientOptions::ClientOptions(CLI::App& command) : settings_(ClientSettings(&config_)) {
  command
      .add_option("--config", config_flag_,
                  "Client configuration [STRIFE_CONFIG, else ./client.toml, else ~/.config/strife/client.toml]")
      ->group("Settings");
  command
      .add_option("--profile", profile_, "Use another session and queue, kept apart under this name [STRIFE_PROFILE]")
      ->group("Settings");
  settings_.AddFlags(command);
}

std::vector<std::string> ClientOptions::GivenFlags() const {
  std::vector<std::string> words = settings_.GivenFlags();
  if (!config_flag_.empty()) words.insert(words.end(), {"--config", config_flag_});
  if (!profile_.empty()) words.insert(words.end(), {"--profile", profile_});
  return words;
}

Result<client::ClientConfig> ClientOptions::Load() {
  auto file = FindClientConfig(config_flag_);
  auto loaded = settings_.Load(file);
  // The convention for what is started by a program that is traced. What is no context is as none.
  const char* traced = std::getenv("TRACEPARENT");
  if (traced != nullptr && protocol::ParseTraceparent(traced)) config_.traceparent = traced;
  if (loaded) return WithProfile(config_, profile_);
  if (file || loaded.error().code == ErrorCode::kUsage) return std::unexpected(loaded.error());
  return Fail(ErrorCode::kNotFound, loaded.error().message +
                                        "; no client.toml was found: use --config, STRIFE_CONFIG, ./client.toml or "
                                        "~/.config/strife/client.toml");
}

void ClientCommandOptions::AddFlags(CLI::App& command) {
  client.emplace(command);
  AddOutputFlag(command, &output);
}

}  // namespace strife::cli
