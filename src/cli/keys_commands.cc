// keys …: the keys that access tokens are signed with.
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/configs.h"
#include "cli/duration.h"
#include "cli/output.h"
#include "cli/table.h"
#include "security/token_keys.h"

namespace strife::cli {
namespace {

namespace fs = std::filesystem;
using security::TokenKeys;

struct KeysOptions {
  std::string config_file;
  std::string kid;
  OutputFormat output = OutputFormat::kTable;
};

// Where the gateway of this configuration has its token keys.
Result<fs::path> DirectoryOf(const KeysOptions& options) {
  gateway::GatewayConfig config;
  if (auto loaded = GatewaySettings(&config).LoadFileOnly(options.config_file); !loaded) {
    return std::unexpected(loaded.error());
  }
  return gateway::TokenKeyDirectory(config);
}

// The kids there are. Never makes a key: only the gateway, at its first start, and `rotate` do.
Result<std::vector<std::string>> KidsOf(const fs::path& directory) {
  auto kids = TokenKeys::List(directory);
  if (kids && kids->empty()) return Fail(ErrorCode::kNotFound, "There are no token keys in " + directory.string());
  return kids;
}

int Rotate(const KeysOptions& options) {
  auto directory = DirectoryOf(options);
  if (!directory) return Report(directory.error());
  auto kid = TokenKeys::Add(*directory, WallNow());
  if (!kid) return Report(kid.error());
  if (options.output == OutputFormat::kJson) {
    PrintJson({{"kid", *kid}});
  } else {
    PrintText(
        "Token key " + *kid +
        " is there. A running gateway signs with it within 10 seconds (at once on SIGHUP); the keys before it go on "
        "verifying until the last tokens they signed have expired, and are then deleted.\n");
  }
  return kExitDone;
}

int List(const KeysOptions& options) {
  auto directory = DirectoryOf(options);
  if (!directory) return Report(directory.error());
  auto kids = KidsOf(*directory);
  if (!kids) return Report(kids.error());
  Table table({{"kid", Align::kLeft}, {"use", Align::kLeft}, {"made", Align::kLeft}});
  Json list = Json::array();
  for (auto kid = kids->rbegin(); kid != kids->rend(); ++kid) {
    const std::string use = kid == kids->rbegin() ? "signs" : "verifies";
    const std::string made = FormatTime(TokenKeys::CreatedAt(*kid));
    table.AddRow({*kid, use, made});
    list.push_back({{"kid", *kid}, {"use", use}, {"created_at", made}});
  }
  if (options.output == OutputFormat::kJson) {
    PrintJson({{"keys", list}});
  } else {
    PrintText(table.Render(MayDecorate(STDOUT_FILENO)));
  }
  return kExitDone;
}

int Jwks(const KeysOptions& options) {
  auto directory = DirectoryOf(options);
  if (!directory) return Report(directory.error());
  if (auto kids = KidsOf(*directory); !kids) return Report(kids.error());
  auto keys = TokenKeys::LoadOrCreate(*directory, WallNow());
  if (!keys) return Report(keys.error());
  PrintText((*keys)->Jwks() + "\n");
  return kExitDone;
}

int Retire(const KeysOptions& options) {
  auto directory = DirectoryOf(options);
  if (!directory) return Report(directory.error());
  auto kids = KidsOf(*directory);
  if (!kids) return Report(kids.error());
  if (options.kid == kids->back()) {
    return Report({ErrorCode::kInvalidInput,
                   "Token key " + options.kid + " is the one that signs; make another first with strife keys rotate"});
  }
  if (Status removed = TokenKeys::Remove(*directory, options.kid); !removed) return Report(removed.error());
  if (options.output == OutputFormat::kJson) {
    PrintJson({{"retired", options.kid}});
  } else {
    PrintText(
        "Token key " + options.kid +
        " is deleted. A running gateway refuses its tokens within 10 seconds (at once on SIGHUP); clients get new "
        "ones by themselves.\n");
  }
  return kExitDone;
}

}  // namespace

void AddKeysCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* keys = app.add_subcommand("keys", "Rotate and list the keys that access tokens are signed with");
  keys->require_subcommand(1);
  auto options = std::make_shared<KeysOptions>();
  auto add = [&](const std::string& name, const std::string& description, const std::string& more,
                 int (*action)(const KeysOptions&)) {
    CLI::App* command = AddCommand(*keys, invocation, name, description,
                                   "  strife keys " + name + more +
                                       " --config net/gateway.toml\n"
                                       "\nRun it as the user the gateway runs as. The gateway may be running.",
                                   [=] { return action(*options); });
    command->add_option("--config", options->config_file, "Configuration of the gateway")->required();
    return command;
  };
  AddOutputFlag(*add("rotate", "Make a new key, which signs from now on", "", Rotate), &options->output);
  AddOutputFlag(*add("list", "List the keys, newest first", "", List), &options->output);
  add("jwks", "Print the public keys as a JSON Web Key Set", "", Jwks);
  CLI::App* retire = add("retire", "Delete a key that may have been stolen, whatever it has signed",
                         " 0190163d-8694-739b-aea5-966c26f8ad91", Retire);
  retire->add_option("KID", options->kid, "Which key; not the one that signs")->required();
  AddOutputFlag(*retire, &options->output);
}

}  // namespace strife::cli
