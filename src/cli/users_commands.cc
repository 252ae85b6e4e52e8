// users …: help with users.json.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/payment_view.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "security/password.h"
#include "security/secure_file.h"
#include "security/users.h"

namespace strife::cli {
namespace {

using security::PasswordCost;
using security::User;
using security::UserDirectory;

struct UsersOptions {
  std::string password_file;
  std::string users_file = "users.json";
  OutputFormat output = OutputFormat::kTable;
};

int Hash(const UsersOptions& options) {
  auto password = ReadPassword(options.password_file, "Password: ", true);
  if (!password) return Report(password.error());
  auto hash = security::HashPassword(*password);
  if (!hash) return Report(hash.error());
  if (options.output == OutputFormat::kJson) {
    PrintJson({{"password_hash", *hash}});
  } else {
    PrintText(*hash + "\n");
  }
  return kExitDone;
}

PasswordCost CostOf(const User& user) { return security::ReadPasswordCost(user.password_hash).value(); }

std::string CostText(const PasswordCost& cost) {
  return std::to_string(cost.memory_kib) + " KiB x " + std::to_string(cost.iterations);
}

// What the gateway would take, but its operator should know.
std::vector<std::string> Remarks(const UserDirectory& directory, const std::string& file) {
  std::vector<std::string> remarks;
  if (Status is_private = security::CheckKeyFile(file); !is_private) remarks.push_back(is_private.error().message);
  std::vector<PasswordCost> costs;
  for (const User& user : directory.users()) {
    const PasswordCost cost = CostOf(user);
    if (std::ranges::find(costs, cost) == costs.end()) costs.push_back(cost);
    if (cost.memory_kib < security::kDefaultPasswordCost.memory_kib) {
      remarks.push_back(
          "user \"" + user.username + "\" has a cheap hash (" + CostText(cost) +
          "), which is right for a generated password and for no other; strife users hash makes a new one");
    }
    if (user.accounts.empty()) remarks.push_back("user \"" + user.username + "\" has no account, and can do nothing");
  }
  if (costs.size() > 1) {
    remarks.push_back("the hashes have " + std::to_string(costs.size()) +
                      " different costs; each login pays for all of them, so that no one can tell which a user has");
  }
  return remarks;
}

int Check(const UsersOptions& options) {
  auto directory = UserDirectory::Load(options.users_file);
  if (!directory) return Report(directory.error());
  const std::vector<User>& users = directory->users();
  const auto disabled = std::ranges::count_if(users, &User::disabled);
  const std::vector<std::string> remarks = Remarks(*directory, options.users_file);
  if (options.output == OutputFormat::kJson) {
    PrintJson({{"file", options.users_file}, {"users", users.size()}, {"disabled", disabled}, {"remarks", remarks}});
    return kExitDone;
  }
  std::string text = options.users_file + " is good: " + std::to_string(users.size()) + " users, " +
                     std::to_string(disabled) + " of them disabled\n";
  for (const std::string& remark : remarks) text += "note: " + remark + "\n";
  PrintText(text);
  return kExitDone;
}

int List(const UsersOptions& options) {
  auto directory = UserDirectory::Load(options.users_file);
  if (!directory) return Report(directory.error());
  Table table({{"user", Align::kLeft},
               {"role", Align::kLeft},
               {"state", Align::kLeft},
               {"accounts", Align::kLeft},
               {"hash", Align::kRight}});
  Json list = Json::array();
  for (const User& user : directory->users()) {
    std::string accounts;
    for (const auto& account : user.accounts) accounts += (accounts.empty() ? "" : ", ") + AccountText(account);
    const std::string role(security::UserRoleName(user.role));
    table.AddRow({user.username, role, user.disabled ? "disabled" : "enabled", accounts, CostText(CostOf(user))});
    list.push_back({{"username", user.username},
                    {"role", role},
                    {"disabled", user.disabled},
                    {"accounts", AccountsJson(user.accounts)},
                    {"hash_memory_kib", CostOf(user).memory_kib},
                    {"hash_iterations", CostOf(user).iterations}});
  }
  if (options.output == OutputFormat::kJson) {
    PrintJson({{"users", list}});
  } else {
    PrintText(table.Render(MayDecorate(STDOUT_FILENO)));
  }
  return kExitDone;
}

}  // namespace

void AddUsersCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* users = app.add_subcommand("users", "Help with users.json");
  users->require_subcommand(1);
  auto options = std::make_shared<UsersOptions>();
  CLI::App* hash =
      AddCommand(*users, invocation, "hash", "Hash a password for users.json (argon2id, PHC string)",
                 "  strife users hash\n  strife users hash < password.txt", [=] { return Hash(*options); });
  hash->add_option("--password-file", options->password_file, "File whose first line is the password");
  AddOutputFlag(*hash, &options->output);

  CLI::App* check = AddCommand(*users, invocation, "check", "Say whether the gateway would take a users.json",
                               "  strife users check net/users.json && kill -HUP $(cat net/run/gateway.pid)",
                               [=] { return Check(*options); });
  CLI::App* list = AddCommand(*users, invocation, "list", "List the users of a users.json",
                              "  strife users list net/users.json\n  strife users list net/users.json --output json",
                              [=] { return List(*options); });
  for (CLI::App* command : {check, list}) {
    command->add_option("FILE", options->users_file, "The file [users.json]");
    AddOutputFlag(*command, &options->output);
  }
}

}  // namespace strife::cli
