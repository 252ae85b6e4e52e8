// init, up.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/command.h"
#include "cli/duration.h"
#include "cli/init.h"
#include "cli/network.h"
#include "cli/output.h"
#include "cli/supervisor.h"
#include "cli/table.h"

namespace strife::cli {
namespace {

constexpr Duration kStartPatience = std::chrono::seconds(60);

struct UpOptions {
  std::string dir;
  OutputFormat output = OutputFormat::kTable;
};

struct InitOptions {
  NetworkOptions network;
  std::string dir;
  OutputFormat output = OutputFormat::kTable;
};

int Init(InitOptions& options) {
  options.network.dir = options.dir;
  auto written = WriteNetwork(options.network, WallNow());
  if (!written) return Report(written.error());
  auto network = ReadNetwork(options.dir);
  if (!network) return Report(network.error());
  if (options.output == OutputFormat::kJson) {
    Json servers = Json::array();
    for (const auto& server : network->servers) {
      servers.push_back({{"name", server.name}, {"listen", server.listen}, {"config", server.config_file.string()}});
    }
    PrintJson({{"dir", network->dir.string()}, {"users", options.network.users}, {"servers", servers}});
    return kExitDone;
  }
  PrintText("A network of a gateway and " + std::to_string(options.network.banks) + " banks with " +
            std::to_string(options.network.users) + " users is in " + options.dir + "; the users' passwords are in " +
            (std::filesystem::path(options.dir) / "passwords.csv").string() + ".\nNext:\n  strife up --dir " +
            options.dir + "\n  strife login user1 --config " +
            (std::filesystem::path(options.dir) / "client.toml").string() + "\n");
  return kExitDone;
}

void PrintNetwork(const Network& network, const Supervisor& supervisor, OutputFormat output) {
  Table table(
      {{"server", Align::kLeft}, {"process", Align::kRight}, {"address", Align::kLeft}, {"logs", Align::kLeft}});
  Json servers = Json::array();
  for (std::size_t i = 0; i < network.servers.size(); ++i) {
    const NetworkServer& server = network.servers[i];
    table.AddRow({server.name, std::to_string(supervisor.pid(i)), server.listen, server.log_dir.string()});
    servers.push_back({{"name", server.name},
                       {"pid", supervisor.pid(i)},
                       {"pid_file", network.PidFile(server).string()},
                       {"listen", server.listen},
                       {"config", server.config_file.string()},
                       {"log_dir", server.log_dir.string()}});
  }
  if (output == OutputFormat::kJson) {
    PrintJson({{"dir", network.dir.string()}, {"servers", servers}});
  } else {
    PrintText(table.Render(MayDecorate(STDOUT_FILENO)));
    PrintText("The network is up. Ctrl-C stops it.\n");
  }
  std::fflush(stdout);
}

int Up(const UpOptions& options) {
  auto network = ReadNetwork(options.dir);
  if (!network) return Report(network.error());
  Supervisor supervisor(*network);
  if (auto started = supervisor.Start(); !started) return Report(started.error());
  if (auto serving = supervisor.WaitUntilServing(kStartPatience); !serving) return Report(serving.error());
  PrintNetwork(*network, supervisor, options.output);
  auto ended = supervisor.Watch();
  supervisor.Stop();
  if (!ended) return Report(ended.error());
  if (options.output == OutputFormat::kTable) PrintText("The network is down.\n");
  return kExitDone;
}

}  // namespace

void AddNetworkCommands(CLI::App& app, Invocation& invocation) {
  auto init_options = std::make_shared<InitOptions>();
  CLI::App* init =
      AddCommand(app, invocation, "init", "Write a complete local network into a directory",
                 "  strife init --dir net\n  strife init --dir net --banks 5 --users 100 --port-base 51000",
                 [=] { return Init(*init_options); });
  init->add_option("--dir", init_options->dir, "Directory to make; it must not hold anything yet")->required();
  init->add_option("--banks", init_options->network.banks, "How many banks [3]")->check(CLI::Range(1, 64));
  init->add_option("--users", init_options->network.users, "How many users [8]")->check(CLI::Range(1, 10'000));
  init->add_option("--port-base", init_options->network.port_base,
                   "Port of the gateway; bank i serves on the i-th after it [50052]")
      ->check(CLI::Range(1, 65'535));
  init->add_option("--metrics-port-base", init_options->network.metrics_port_base,
                   "The same for their metrics [100 above --port-base]")
      ->check(CLI::Range(1, 65'535));
  AddOutputFlag(*init, &init_options->output);

  auto up_options = std::make_shared<UpOptions>();
  CLI::App* up = AddCommand(app, invocation, "up", "Run the gateway and all banks of a directory until Ctrl-C",
                            "  strife up --dir net", [=] { return Up(*up_options); });
  up->add_option("--dir", up_options->dir, "Directory that strife init has written")->required();
  AddOutputFlag(*up, &up_options->output);
}

}  // namespace strife::cli
