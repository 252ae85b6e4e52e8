// bench pay: how many payments a second a network carries, and proof that it carried them.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <thread>

#include "base/limits.h"
#include "cli/bench_report.h"
#include "cli/command.h"
#include "cli/configs.h"
#include "cli/csv.h"
#include "cli/duration.h"
#include "cli/load.h"
#include "cli/process_usage.h"
#include "cli/verification.h"
#include "security/secure_file.h"

namespace strife::cli {
namespace {

constexpr auto kReadyPatience = std::chrono::seconds(30);
constexpr auto kReadyInterval = std::chrono::milliseconds(200);
constexpr int kClosedLoopOutstanding = 64;
constexpr int kOpenLoopOutstanding = 1024;

struct BenchOptions {
  std::string dir;
  LoadOptions load{.outstanding = 0, .mix = {}};  // outstanding 0: as the kind of loop suggests
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
  for (const auto& bank : banks) {
    auto balance = Patiently([&] { return gateway.CheckBalance(bank.second->session.access_token, bank.first); });
    if (!balance) return std::unexpected(balance.error().error);
  }
  return {};
}

// A run whose books are wrong has no result.
int Conclude(const BenchOptions& options, const Network& network, const BenchReport& bench) {
  Json json = BenchJson(bench);
  std::string text = BenchText(bench);
  json["verified"] = !options.no_verify;
  if (!options.no_verify) {
    auto report = VerifyBooks(network.servers, false);
    if (!report) return Report(report.error());
    if (!report->ok()) {
      if (options.output == OutputFormat::kJson) PrintJson({{"verification", ReportJson(*report)}});
      PrintError(ReportVerdict(*report) + ", so this run has no result; see strife verify --dir " + options.dir);
      return kExitFailed;
    }
    json["open_payments"] = report->open;
    text += ReportVerdict(*report) + "\n";
  }
  if (options.output == OutputFormat::kJson) {
    PrintJson(json);
  } else {
    PrintText(text);
  }
  if (bench.result.unresolved > 0) {
    PrintError(std::to_string(bench.result.unresolved) + " payments had no known outcome a minute after the end");
    return kExitFailed;
  }
  if (bench.result.completed == 0) {
    PrintError("no payment was completed; the report counts the failures by reason");
    return kExitFailed;
  }
  return kExitDone;
}

// What the options say as text or leave to others.
Status Complete(BenchOptions& options) {
  auto warm_up = ParseDuration(options.warm_up);
  if (!warm_up) return Fail(ErrorCode::kInvalidInput, "--warm-up: " + warm_up.error().message);
  auto currency = Currency::Parse(options.currency);
  if (!currency) {
    return Fail(ErrorCode::kInvalidInput, "--currency: \"" + options.currency + "\" is not a currency");
  }
  LoadOptions& load = options.load;
  load.warm_up = *warm_up;
  load.duration = std::chrono::seconds(options.seconds);
  load.mix.currency = *currency;
  if (load.outstanding == 0) load.outstanding = load.rate > 0 ? kOpenLoopOutstanding : kClosedLoopOutstanding;
  if (options.channels == 0) {
    options.channels = (load.outstanding + limits::kMaxCallsPerConnection - 1) / limits::kMaxCallsPerConnection;
  }
  return {};
}

using Gateways = std::vector<std::unique_ptr<rpc::GatewayClient>>;

Result<Gateways> Connect(const Network& network, int channels) {
  client::ClientConfig config;
  if (auto loaded = ClientSettings(&config).LoadFileOnly(network.dir / "client.toml"); !loaded) {
    return std::unexpected(loaded.error());
  }
  Gateways gateways;
  for (int i = 0; i < channels; ++i) {
    auto gateway = rpc::GatewayClient::Create({.endpoints = config.Endpoints(),
                                               .files = {config.ca_file, config.cert_file, config.key_file},
                                               .timeout = config.timeout});
    if (!gateway) return std::unexpected(gateway.error());
    gateways.push_back(std::move(*gateway));
  }
  return gateways;
}

UsageMeter MeterOf(const Network& network) {
  UsageMeter meter;
  for (const NetworkServer& server : network.servers) {
    if (auto pid = FindServerProcess(network, server)) meter.Add(server.name, *pid);
  }
  meter.Add("load", ::getpid());
  return meter;
}

std::string Announcement(const LoadOptions& load) {
  const std::string outstanding = std::to_string(load.outstanding) + " calls on their way at a time";
  const std::string of = load.mix.batch == 1 ? "" : ", " + std::to_string(load.mix.batch) + " payments in each";
  if (load.rate == 0) return "paying with " + outstanding + of;
  return "paying at " + std::to_string(std::llround(load.rate)) + " a second with at most " + outstanding + of;
}

int BenchPay(BenchOptions& options) {
  if (auto complete = Complete(options); !complete) return ReportUsage(complete.error().message);
  auto network = ReadNetwork(options.dir);
  if (!network) return Report(network.error());
  auto users = ReadUsers(network->dir / "passwords.csv", options.users);
  if (!users) return Report(users.error());
  auto gateways = Connect(*network, options.channels);
  if (!gateways) return Report(gateways.error());
  PrintError("logging " + std::to_string(users->size()) + " users in");
  if (auto ready = LogIn(*gateways->front(), &*users); !ready) return Report(ready.error());
  std::vector<std::vector<protocol::AccountRef>> accounts;
  for (const LoadUser& user : *users) accounts.push_back(user.session.accounts);
  auto mix = LoadMix::Create(accounts, options.load.mix);
  if (!mix) return Report(mix.error());
  std::vector<rpc::GatewayClient*> pointers;
  for (const auto& gateway : *gateways) pointers.push_back(gateway.get());
  UsageMeter meter = MeterOf(*network);
  options.load.measuring_begins = [&meter] { meter.Begin(); };
  options.load.measuring_ended = [&meter] { meter.End(); };
  PrintError(Announcement(options.load));
  LoadResult result = Load(pointers, &*users, *mix, options.load).Run();
  return Conclude(options, *network,
                  {.options = options.load,
                   .result = std::move(result),
                   .users = users->size(),
                   .accounts = mix->account_count(),
                   .banks = mix->bank_count(),
                   .connections = pointers.size(),
                   .processes = meter.rows()});
}

void AddMixFlags(CLI::App& pay, MixOptions* mix) {
  pay.add_option("--batch", mix->batch, "Payments in a call [1]")
      ->check(CLI::Range(1, static_cast<int>(limits::kMaxPaymentsPerCall)));
  pay.add_option("--one-bank", mix->one_bank, "Share of calls that pay within one bank, 0 to 1 [0]")
      ->check(CLI::Range(0.0, 1.0));
  pay.add_option("--hot", mix->hot, "Share of payments to one and the same account, 0 to 1 [0]")
      ->check(CLI::Range(0.0, 1.0));
  pay.add_option("--reads", mix->reads, "Share of calls that only look: balance, payment, history; 0 to 0.99 [0]")
      ->check(CLI::Range(0.0, 0.99));
  pay.add_option("--banks", mix->banks, "Only accounts at so many banks [all]")->check(CLI::Range(1, 64));
  pay.add_option("--other-payees", mix->other_payees,
                 "Pay to account-0, account-1, … of each bank, so many, instead of to the users")
      ->check(CLI::Range(1, 100'000'000))
      ->group("");  // of books that were filled for a measurement
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
                             "  strife bench pay --dir net --batch 256 --outstanding 8\n"
                             "  strife bench pay --dir net --rate 2000 --reads 0.3 --hot 0.1\n"
                             "\nThe payments are real: amounts from 0.01 to 1.00 between the users of passwords.csv.\n"
                             "With --rate calls are made at times drawn beforehand, whether or not earlier ones have\n"
                             "been answered, and latency counts from the time a call was to be made.",
                             [=] { return BenchPay(*options); });
  pay->add_option("--dir", options->dir, "Directory of a running network made by strife init")->required();
  pay->add_option("--outstanding", options->load.outstanding,
                  "Calls on their way at a time [64; with --rate 1024, and at most]")
      ->check(CLI::Range(1, 10'000));
  pay->add_option("--rate", options->load.rate, "Payments and reads a second, at random times: an open loop")
      ->check(CLI::Range(0.1, 1'000'000.0));
  AddMixFlags(*pay, &options->load.mix);
  CLI::Option* seconds =
      pay->add_option("--seconds", options->seconds, "How long to measure [10]")->check(CLI::Range(1, 86'400));
  pay->add_option("--count", options->load.count, "Measure this many payments instead")
      ->check(CLI::Range(1, 1'000'000'000))
      ->excludes(seconds);
  pay->add_option("--warm-up", options->warm_up, "How long to pay before measuring [2s]");
  pay->add_option("--users", options->users, "Only this many users [all]")->check(CLI::Range(2, 1'000'000));
  pay->add_option("--channels", options->channels, "Connections to the gateway [as many as it wants for so many calls]")
      ->check(CLI::Range(1, 128));
  pay->add_option("--currency", options->currency, "Currency of the accounts [USD]");
  pay->add_flag("--no-verify", options->no_verify, "Do not prove the books afterwards");
  AddOutputFlag(*pay, &options->output);
}

}  // namespace strife::cli
