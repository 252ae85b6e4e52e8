// bench pay: how many payments a second a network carries, and proof that it carried them.
#include <CLI/CLI.hpp>
#include <thread>

#include "base/limits.h"
#include "cli/command.h"
#include "cli/configs.h"
#include "cli/csv.h"
#include "cli/duration.h"
#include "cli/load.h"
#include "cli/table.h"
#include "cli/verification.h"
#include "security/secure_file.h"

namespace strife::cli {
namespace {

constexpr auto kReadyPatience = std::chrono::seconds(30);
constexpr auto kReadyInterval = std::chrono::milliseconds(200);

struct BenchOptions {
  std::string dir;
  LoadOptions load;
  std::string currency = "USD";
  std::string warm_up = "2s";
  int seconds = 10;
  int users = 0;     // 0: all
  int channels = 0;  // 0: as many as the payments on their way need
  bool no_verify = false;
  OutputFormat output = OutputFormat::kTable;
};

Result<std::vector<LoadUser>> ReadUsers(const std::filesystem::path& file, int limit) {
  auto text = security::ReadFile(file);
  if (!text) return std::unexpected(text.error());
  auto rows = ParseCsv(*text);
  if (!rows) return Fail(ErrorCode::kInvalidInput, file.string() + " " + rows.error().message);
  std::vector<LoadUser> users;
  for (std::size_t i = 1; i < rows->size() && (limit == 0 || users.size() < static_cast<std::size_t>(limit)); ++i) {
    const CsvRow& row = (*rows)[i];
    if (row.fields.size() != 2) {
      return Fail(ErrorCode::kInvalidInput,
                  file.string() + " line " + std::to_string(row.line) + " is not username,password");
    }
    users.push_back({.username = row.fields[0], .password = row.fields[1], .session = {}});
  }
  return users;
}

// Calls until it succeeds or fails for good; a network that has just been started needs a moment.
template <typename Call>
auto Patiently(const Call& call) {
  auto give_up = std::chrono::steady_clock::now() + kReadyPatience;
  while (true) {
    auto result = call();
    bool passing = !result && (result.error().retryable || result.error().error.code == ErrorCode::kNotFound);
    if (!passing || std::chrono::steady_clock::now() > give_up) return result;
    std::this_thread::sleep_for(kReadyInterval);
  }
}

// Logs everybody in and waits until every bank answers.
Status LogIn(rpc::GatewayClient& gateway, std::vector<LoadUser>* users) {
  std::map<std::string, const LoadUser*> banks;
  for (LoadUser& user : *users) {
    auto session = Patiently([&] { return gateway.AuthenticateClient(user.username, user.password); });
    if (!session) return std::unexpected(session.error().error);
    user.session = std::move(*session);
    for (const auto& account : user.session.accounts) banks.emplace(account.bank_id, &user);
  }
  if (users->size() < 2 || banks.size() < 2) {
    return Fail(ErrorCode::kInvalidInput,
                "payments across banks need two users and two banks at least; make a larger "
                "network with strife init");
  }
  for (const auto& [bank, user] : banks) {
    auto balance = Patiently([&] { return gateway.CheckBalance(user->session.access_token, bank); });
    if (!balance) return std::unexpected(balance.error().error);
  }
  return {};
}

double Rate(const LoadResult& result) {
  double seconds = std::chrono::duration<double>(result.measured).count();
  return seconds > 0 ? static_cast<double>(result.completed) / seconds : 0;
}

Json ResultJson(const BenchOptions& options, const LoadResult& result, std::size_t users) {
  Json failures = Json::object();
  for (const auto& [reason, count] : result.failures) failures[reason] = count;
  return {{"payments_per_second", Rate(result)},
          {"completed", result.completed},
          {"measured_us", result.measured.count()},
          {"outstanding", options.load.outstanding},
          {"users", users},
          {"latency_us",
           {{"p50", result.latency.Percentile(0.5).count()},
            {"p90", result.latency.Percentile(0.9).count()},
            {"p99", result.latency.Percentile(0.99).count()},
            {"p999", result.latency.Percentile(0.999).count()},
            {"max", result.latency.max().count()}}},
          {"failures", failures},
          {"sent", result.sent},
          {"asked_again", result.asked_again},
          {"unresolved", result.unresolved}};
}

std::string Milliseconds(Duration value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f ms", static_cast<double>(value.count()) / 1000);
  return text.data();
}

std::string ResultText(const LoadResult& result) {
  std::string failures;
  for (const auto& [reason, count] : result.failures) {
    failures += (failures.empty() ? "" : ", ") + std::to_string(count) + " × " + reason;
  }
  std::array<char, 64> rate{};
  std::snprintf(rate.data(), rate.size(), "%.0f payments/s", Rate(result));
  auto some = [](std::uint64_t count) { return count == 0 ? "" : std::to_string(count); };
  return RenderFields({{"rate", rate.data()},
                       {"completed", std::to_string(result.completed) + " in " + Milliseconds(result.measured)},
                       {"latency p50", Milliseconds(result.latency.Percentile(0.5))},
                       {"latency p90", Milliseconds(result.latency.Percentile(0.9))},
                       {"latency p99", Milliseconds(result.latency.Percentile(0.99))},
                       {"latency p99.9", Milliseconds(result.latency.Percentile(0.999))},
                       {"latency max", Milliseconds(result.latency.max())},
                       {"not completed", failures},
                       {"asked again", some(result.asked_again)},
                       {"unresolved", some(result.unresolved)}});
}

// A run whose books are wrong has no result.
int Conclude(const BenchOptions& options, const Network& network, const LoadResult& result, std::size_t users) {
  Json json = ResultJson(options, result, users);
  std::string text = ResultText(result);
  if (!options.no_verify) {
    auto report = VerifyBooks(network.servers, false);
    if (!report) return Report(report.error());
    if (!report->ok()) {
      if (options.output == OutputFormat::kJson) PrintJson({{"verification", ReportJson(*report)}});
      PrintError(ReportVerdict(*report) + ", so this run has no result; see strife verify --dir " + options.dir);
      return kExitFailed;
    }
    json["verified"] = true;
    json["open_payments"] = report->open;
    text += ReportVerdict(*report) + "\n";
  } else {
    json["verified"] = false;
  }
  if (options.output == OutputFormat::kJson) {
    PrintJson(json);
  } else {
    PrintText(text);
  }
  if (result.unresolved > 0) {
    PrintError(std::to_string(result.unresolved) + " payments had no known outcome a minute after the end");
    return kExitFailed;
  }
  return kExitDone;
}

int BenchPay(BenchOptions& options) {
  auto warm_up = ParseDuration(options.warm_up);
  if (!warm_up) return ReportUsage("--warm-up: " + warm_up.error().message);
  auto currency = Currency::Parse(options.currency);
  if (!currency) return ReportUsage("--currency: \"" + options.currency + "\" is not a currency");
  options.load.warm_up = *warm_up;
  options.load.duration = std::chrono::seconds(options.seconds);
  options.load.currency = *currency;
  auto network = ReadNetwork(options.dir);
  if (!network) return Report(network.error());
  client::ClientConfig config;
  if (auto loaded = ClientSettings(&config).LoadFileOnly(network->dir / "client.toml"); !loaded) {
    return Report(loaded.error());
  }
  auto users = ReadUsers(network->dir / "passwords.csv", options.users);
  if (!users) return Report(users.error());
  std::vector<std::unique_ptr<rpc::GatewayClient>> gateways;
  std::vector<rpc::GatewayClient*> pointers;
  const int needed = (options.load.outstanding + limits::kMaxCallsPerConnection - 1) / limits::kMaxCallsPerConnection;
  for (int i = 0; i < (options.channels == 0 ? needed : options.channels); ++i) {
    auto gateway = rpc::GatewayClient::Create({.endpoints = config.Endpoints(),
                                               .files = {config.ca_file, config.cert_file, config.key_file},
                                               .timeout = config.timeout});
    if (!gateway) return Report(gateway.error());
    gateways.push_back(std::move(*gateway));
    pointers.push_back(gateways.back().get());
  }
  PrintError("logging " + std::to_string(users->size()) + " users in");
  if (auto ready = LogIn(*gateways.front(), &*users); !ready) return Report(ready.error());
  PrintError("paying with " + std::to_string(options.load.outstanding) + " payments on their way at a time");
  LoadResult result = ClosedLoop(pointers, &*users, options.load).Run();
  return Conclude(options, *network, result, users->size());
}

}  // namespace

void AddBenchCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* bench = app.add_subcommand("bench", "Measure");
  bench->require_subcommand(1);
  auto options = std::make_shared<BenchOptions>();
  CLI::App* pay = AddCommand(*bench, invocation, "pay",
                             "Payments per second across the banks of a running network, verified afterwards",
                             "  strife bench pay --dir net\n"
                             "  strife bench pay --dir net --outstanding 1 --count 5000 --output json\n"
                             "\nThe payments are real: amounts from 0.01 to 1.00 between the users of passwords.csv.",
                             [=] { return BenchPay(*options); });
  pay->add_option("--dir", options->dir, "Directory of a running network made by strife init")->required();
  pay->add_option("--outstanding", options->load.outstanding, "Payments on their way at a time [64]")
      ->check(CLI::Range(1, 10'000));
  CLI::Option* seconds =
      pay->add_option("--seconds", options->seconds, "How long to measure [10]")->check(CLI::Range(1, 86'400));
  pay->add_option("--count", options->load.count, "Measure this many payments instead")
      ->check(CLI::Range(1, 1'000'000'000))
      ->excludes(seconds);
  pay->add_option("--warm-up", options->warm_up, "How long to pay before measuring [2s]");
  pay->add_option("--users", options->users, "Only this many users [all]")->check(CLI::Range(2, 1'000'000));
  pay->add_option("--channels", options->channels,
                  "Connections to the gateway [as many as it wants for so many payments]")
      ->check(CLI::Range(1, 128));
  pay->add_option("--currency", options->currency, "Currency of the accounts [USD]");
  pay->add_flag("--no-verify", options->no_verify, "Do not prove the books afterwards");
  AddOutputFlag(*pay, &options->output);
}

}  // namespace strife::cli
