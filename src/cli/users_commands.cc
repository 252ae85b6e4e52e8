// users …
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "security/password.h"

namespace strife::cli {
namespace {

struct HashOptions {
  std::string password_file;
  OutputFormat output = OutputFormat::kTable;
};

int Hash(const HashOptions& options) {
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

}  // namespace

void AddUsersCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* users = app.add_subcommand("users", "Help with users.json");
  users->require_subcommand(1);
  auto options = std::make_shared<HashOptions>();
  CLI::App* hash =
      AddCommand(*users, invocation, "hash", "Hash a password for users.json (argon2id, PHC string)",
                 "  strife users hash\n  strife users hash < password.txt", [=] { return Hash(*options); });
  hash->add_option("--password-file", options->password_file, "File whose first line is the password");
  AddOutputFlag(*hash, &options->output);
}

}  // namespace strife::cli
