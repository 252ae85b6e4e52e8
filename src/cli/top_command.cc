// top: how a network is doing, live.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <thread>

#include "cli/command.h"
#include "cli/duration.h"
#include "cli/interrupt.h"
#include "cli/network.h"
#include "cli/operator_targets.h"
#include "cli/output.h"
#include "cli/screen.h"
#include "cli/table.h"
#include "cli/top_figures.h"

namespace strife::cli {
namespace {

constexpr Duration kWindow = std::chrono::seconds(5);       // rates and latencies are of the last so many
constexpr Duration kLook = std::chrono::milliseconds(100);  // at keys and the size of the terminal
constexpr Duration kTimeout = std::chrono::seconds(2);
constexpr int kRecent = 20;  // payments

struct TopOptions {
  ServerChoice servers;
  std::string interval = "1s";
  std::string operator_config;

  void AddFlags(CLI::App& command) {
    servers.AddFlags(command);
    command.add_option("--interval", interval, "How often to look [1s]");
    command.add_option("--operator", operator_config,
                       "An operator's configuration, to show the latest payments [operator.toml of --dir]");
  }
};

struct Reading {
  std::chrono::steady_clock::time_point at;
  MetricsReading values;
};

// Reads the servers' metrics and remembers enough of them.
class Watch {
 public:
  // `gateway`: where to ask for the latest payments, as an operator; none: they are not shown.
  Watch(std::vector<NetworkServer> servers, std::optional<rpc::AdminTarget> gateway)
      : servers_(std::move(servers)), gateway_(std::move(gateway)) {}

  TopView Look() {
    TopView view{.now = WallNow(), .network = {}, .figures = {}, .problems = {}, .recent = {}};
    std::vector<std::optional<MetricsReading>> readings(servers_.size());
    std::vector<std::string> problems(servers_.size());
    {
      std::vector<std::jthread> threads;
      threads.reserve(servers_.size());
      for (std::size_t i = 0; i < servers_.size(); ++i) {
        threads.emplace_back([this, i, &readings, &problems] { Read(servers_[i], readings[i], problems[i]); });
      }
    }
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      if (!problems[i].empty()) view.problems.push_back(problems[i]);
      if (servers_[i].role == security::Role::kGateway) Take(std::move(readings[i]), view);
    }
    if (view.figures) TakeBanks(readings, *view.figures);
    if (view.figures && gateway_) TakeRecent(view);
    return view;
  }

 private:
  static void Read(const NetworkServer& server, std::optional<MetricsReading>& reading, std::string& problem) {
    if (server.metrics_listen.empty() || server.metrics_listen == "off") {
      problem = server.name + " has no metrics endpoint; set metrics_listen in its configuration";
      return;
    }
    if (auto read = ReadMetrics(server.metrics_listen, kTimeout)) {
      reading = *std::move(read);
    } else {
      problem = server.name + ": " + read.error().message;
    }
  }

  void Take(std::optional<MetricsReading> reading, TopView& view) {
    if (!reading) return history_.clear();
    const auto now = std::chrono::steady_clock::now();
    // One that was started again counts from the beginning.
    const std::string started = "process_start_time_seconds";
    if (!history_.empty() && history_.back().values.Value(started) != reading->Value(started)) history_.clear();
    history_.push_back({now, *std::move(reading)});
    while (history_.size() > 2 && now - history_[1].at >= kWindow) history_.pop_front();
    if (history_.size() < 2) return;
    const auto apart = std::chrono::duration_cast<Duration>(now - history_.front().at);
    view.figures = FiguresBetween(history_.front().values, history_.back().values, apart);
  }

  void TakeBanks(const std::vector<std::optional<MetricsReading>>& readings, TopFigures& figures) const {
    for (TopBank& bank : figures.banks) {
      for (std::size_t i = 0; i < servers_.size(); ++i) {
        if (servers_[i].role != security::Role::kBank || servers_[i].name != bank.bank_id || !readings[i]) continue;
        bank.in_doubt = readings[i]->Value("strife_bank_transactions_in_doubt");
      }
    }
  }

  void TakeRecent(TopView& view) const {
    rpc::TransactionsRequest request;
    request.page_size = kRecent;
    auto page = rpc::ListTransactions(*gateway_, request);
    if (page) {
      view.recent = std::move(page->payments);
    } else {
      view.problems.push_back("the latest payments cannot be shown: " + page.error().message);
    }
  }

  const std::vector<NetworkServer> servers_;
  const std::optional<rpc::AdminTarget> gateway_;
  std::deque<Reading> history_;  // of the gateway
};

// The gateway as an operator asks it, if this command may: with a configuration, or the one of the network's directory.
Result<std::optional<rpc::AdminTarget>> AsOperator(const TopOptions& options) {
  OperatorOptions as;
  as.config_file = options.operator_config;
  if (as.config_file.empty() && !options.servers.dir.empty()) {
    const auto own = std::filesystem::path(options.servers.dir) / "operator.toml";
    std::error_code ignored;
    if (std::filesystem::exists(own, ignored)) as.config_file = own;
  }
  if (as.config_file.empty()) return std::nullopt;
  auto targets = as.ReadTargets();
  if (!targets) return std::unexpected(targets.error());
  targets->gateway.timeout = kTimeout;
  return std::move(targets->gateway);
}

// Until somebody has had enough.
void Draw(Watch& watch, Screen& screen, const Interrupt& interrupt, const std::string& network, Duration interval) {
  TopView view = watch.Look();
  auto next = std::chrono::steady_clock::now() + interval;
  Screen::Size drawn{0, 0};
  bool changed = true;
  while (!interrupt.requested()) {
    if (changed || screen.size() != drawn) {
      drawn = screen.size();
      view.network = network;
      screen.Show(TopLines(view, drawn.columns, drawn.rows, MayDecorate(STDOUT_FILENO)));
      changed = false;
    }
    const char key = screen.Key(kLook);
    if (key == 'q' || key == 'Q') return;
    if (std::chrono::steady_clock::now() < next) continue;
    next = std::chrono::steady_clock::now() + interval;
    view = watch.Look();
    changed = true;
  }
}

int Top(const TopOptions& options) {
  const auto interval = ParseDuration(options.interval);
  if (!interval || *interval < kLook) return ReportUsage("--interval must be a duration of at least 100ms, such as 1s");
  auto servers = options.servers.Read();
  if (!servers) return Report(servers.error());
  const bool has_gateway =
      std::ranges::find(*servers, security::Role::kGateway, &NetworkServer::role) != servers->end();
  if (!has_gateway) return ReportUsage("name the gateway's configuration: what is shown is seen from there");
  auto gateway = AsOperator(options);
  if (!gateway) return Report(gateway.error());
  const Interrupt interrupt;
  auto screen = Screen::Open();
  if (!screen) return Report(screen.error());
  Watch watch(*std::move(servers), *std::move(gateway));
  Draw(watch, *screen, interrupt, options.servers.dir.empty() ? options.servers.configs.front() : options.servers.dir,
       *interval);
  return kExitDone;
}

}  // namespace

void AddTopCommand(CLI::App& app, Invocation& invocation) {
  AddCommandWith<TopOptions>(
      app, invocation, "top", "Watch a network live: rates, latencies, banks, backlog, in doubt, latest payments",
      "  strife top --dir net\n"
      "  strife top --config /etc/strife/gateway.toml --config /etc/strife/bank-bank1.toml --interval 2s\n"
      "\nRates and latencies are those of the last five seconds. q or Ctrl-C ends it.",
      Top);
}

}  // namespace strife::cli
