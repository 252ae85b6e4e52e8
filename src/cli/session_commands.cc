// login, logout, whoami.
#include <CLI/CLI.hpp>

#include "base/limits.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/configs.h"
#include "cli/duration.h"
#include "cli/open_client.h"
#include "cli/payment_view.h"
#include "cli/queue_view.h"
#include "cli/terminal.h"
#include "client/client.h"

namespace strife::cli {
namespace {

struct SessionOptions : ClientCommandOptions {
  std::string username;
  std::string password_file;
};

std::string Payments(std::size_t count) { return std::to_string(count) + (count == 1 ? " payment" : " payments"); }

void PrintSession(const client::Session& session, std::size_t queued, OutputFormat output) {
  if (output == OutputFormat::kJson) {
    return PrintJson({{"username", session.username},
                      {"gateway", session.gateway},
                      {"accounts", AccountsJson(session.accounts)},
                      {"access_expires_at", FormatTime(session.access_expires_at)},
                      {"session_expires_at", FormatTime(session.refresh_expires_at)},
                      {"queued", queued}});
  }
  std::string accounts;
  for (const auto& account : session.accounts) accounts += (accounts.empty() ? "" : ", ") + AccountText(account);
  PrintText(RenderFields({{"user", session.username},
                          {"gateway", session.gateway},
                          {"accounts", accounts},
                          {"session until", FormatTime(session.refresh_expires_at)},
                          {"queued", queued == 0 ? "" : Payments(queued)}}));
}

int Login(SessionOptions& options) {
  if (!IsIdentifier(options.username, limits::kMaxUsernameBytes)) {
    return ReportUsage("\"" + options.username +
                       "\" is not a user name; it has letters, digits, '.', '_' and '-' only");
  }
  // Before the client: Ctrl-C at the prompt is to end the prompt.
  auto password = ReadPassword(options.password_file, "Password for " + options.username + ": ", false);
  if (!password) return Report(password.error());
  auto client = OpenClient(*options.client);
  if (!client) return Report(client.error());
  auto session = (*client)->Login(options.username, *password);
  if (!session) return Report(session.error().error);
  const std::size_t queued = CountWaiting((*client)->config().data_dir, session->username);
  PrintSession(*session, queued, options.output);
  if (queued > 0) PrintError(Payments(queued) + " still queued; send with strife queue flush");
  return kExitDone;
}

int Logout(SessionOptions& options) {
  auto client = OpenClient(*options.client);
  if (!client) return Report(client.error());
  auto session = (*client)->CurrentSession();
  if (!session) return Report(session.error());
  auto ended = (*client)->Logout();
  if (!ended) return Report(ended.error().error);
  if (options.output == OutputFormat::kJson) {
    PrintJson({{"username", session->username}, {"logged_out", true}});
  } else {
    PrintText(session->username + " is logged out\n");
  }
  const std::size_t queued = CountWaiting((*client)->config().data_dir, session->username);
  if (queued > 0) PrintError(Payments(queued) + " stay queued until " + session->username + " logs in again");
  return kExitDone;
}

int WhoAmI(SessionOptions& options) {
  auto client = OpenClient(*options.client);
  if (!client) return Report(client.error());
  auto session = (*client)->CurrentSession();
  if (!session) return Report(session.error());
  PrintSession(*session, CountWaiting((*client)->config().data_dir, session->username), options.output);
  return kExitDone;
}

}  // namespace

void AddSessionCommands(CLI::App& app, Invocation& invocation) {
  auto add = [&](const std::string& name, const std::string& description, const std::string& examples,
                 int (*action)(SessionOptions&)) {
    return AddCommandWith<SessionOptions>(app, invocation, name, description, examples, action);
  };
  auto [login, options] = add("login", "Log in; the session is kept for the commands that follow",
                              "  strife login user1\n  strife login user1 --password-file secret.txt", Login);
  login->add_option("USER", options->username, "User name")->required();
  login->add_option("--password-file", options->password_file, "File whose first line is the password");
  add("logout", "End the session, here and at the gateway", "  strife logout", Logout);
  add("whoami", "Show who is logged in, and their accounts", "  strife whoami --output json", WhoAmI);
}

}  // namespace strife::cli
