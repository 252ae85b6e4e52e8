#include "cli/init_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace strife::cli {
namespace {

using nlohmann::ordered_json;

std::string Address(int port) { return "127.0.0.1:" + std::to_string(port); }

std::string CertificateToml(const std::string& name) {
  return "ca_file = \"certs/ca.crt\"\ncert_file = \"certs/" + name + ".crt\"\nkey_file = \"certs/" + name +
         ".key\"\ncrl_file = \"certs/ca.crl\"\n";
}

// The settings every process has. `name` is that of its certificate and of its folders.
std::string CommonToml(const std::string& name) {
  return "data_dir = \"data/" + name + "\"\nlog_dir = \"logs/" + name + "\"\n" + CertificateToml(name);
}

std::string OperatorsToml() {
  std::string names;
  for (const char* name : kOperators) names += (names.empty() ? "\"" : ", \"") + std::string(name) + '"';
  return "operators = [" + names + "]\n";
}

std::string ObservabilityToml(int metrics_port) {
  return "metrics_listen = \"" + Address(metrics_port) + "\"\nlog_level = \"info\"\n";
}

}  // namespace

std::string BankId(int bank) { return "bank" + std::to_string(bank); }

std::string UserName(int user) { return "user" + std::to_string(user); }

std::vector<int> BanksOfUser(int user, int banks) {
  std::vector<int> result = {(user - 1) % banks + 1};
  if (banks > 1) result.push_back(result.front() % banks + 1);
  return result;
}

std::string GatewayToml(int port_base, int metrics_port_base) {
  return "# The gateway. Relative paths start at this file's directory.\nlisten = \"" + Address(port_base) + "\"\n" +
         CommonToml("gateway") +
         "users_file = \"users.json\"\n"
         "transaction_timeout = \"5s\"\n"
         "heartbeat_interval = \"5s\"\n"
         "access_token_lifetime = \"5m\"\n"
         "refresh_token_lifetime = \"168h\"\n" +
         OperatorsToml() + ObservabilityToml(metrics_port_base);
}

std::string BankToml(int bank, int port_base, int metrics_port_base) {
  return "# " + BankId(bank) + ". Relative paths start at this file's directory.\nlisten = \"" +
         Address(port_base + bank) + "\"\ngateway = \"" + Address(port_base) + "\"\ndisplay_name = \"Bank " +
         std::to_string(bank) + "\"\n" + CommonToml(BankId(bank)) + "accounts_file = \"bank_data-" + BankId(bank) +
         ".json\"\ninquiry_delay = \"6s\"\n" + OperatorsToml() + ObservabilityToml(metrics_port_base + bank);
}

std::string ClientToml(int port_base) {
  return "# The client. Relative paths start at this file's directory.\ngateway = \"" + Address(port_base) + "\"\n" +
         CommonToml("client") + "timeout = \"10s\"\nmax_retries = 3\nretry_delay = \"3s\"\n";
}

std::string OperatorToml(const std::string& name, int banks, int port_base) {
  std::string addresses;
  for (int bank = 1; bank <= banks; ++bank) {
    addresses += (bank == 1 ? "" : ",") + BankId(bank) + "=" + Address(port_base + bank);
  }
  return "# An operator, for strife admin. Relative paths start at this file's directory.\ngateway = \"" +
         Address(port_base) + "\"\nbanks = \"" + addresses + "\"\n" + CertificateToml(name);
}

std::string UsersJson(int banks, const std::vector<std::string>& password_hashes) {
  ordered_json users = ordered_json::array();
  for (std::size_t i = 0; i < password_hashes.size(); ++i) {
    const int user = static_cast<int>(i) + 1;
    ordered_json accounts = ordered_json::array();
    for (int bank : BanksOfUser(user, banks)) {
      accounts.push_back({{"bank_id", BankId(bank)}, {"account_id", UserName(user)}});
    }
    users.push_back({{"username", UserName(user)},
                     {"password_hash", password_hashes[i]},
                     {"role", "user"},
                     {"disabled", false},
                     {"accounts", std::move(accounts)}});
  }
  return ordered_json{{"users", std::move(users)}}.dump(2) + "\n";
}

std::string BankDataJson(int bank, int banks, int users) {
  ordered_json accounts = ordered_json::array();
  for (int user = 1; user <= users; ++user) {
    const std::vector<int> at = BanksOfUser(user, banks);
    if (std::find(at.begin(), at.end(), bank) == at.end()) continue;
    accounts.push_back({{"account_id", UserName(user)}, {"currency", "USD"}, {"balance", "10000.00"}});
  }
  return ordered_json{{"accounts", std::move(accounts)}}.dump(2) + "\n";
}

std::string PasswordsCsv(const std::vector<std::string>& passwords) {
  std::string csv = "username,password\n";
  for (std::size_t i = 0; i < passwords.size(); ++i) {
    csv += UserName(static_cast<int>(i) + 1) + ',' + passwords[i] + '\n';
  }
  return csv;
}

}  // namespace strife::cli
