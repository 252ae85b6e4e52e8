#include "cli/status_report.h"

#include <system_error>
#include <thread>

#include "base/text.h"
#include "cli/duration.h"
#include "cli/metrics_reading.h"
#include "rpc/health_client.h"
#include "security/secure_file.h"

namespace strife::cli {
namespace {

namespace fs = std::filesystem;

constexpr Duration kCertificateNotice = std::chrono::hours(24 * 30);
constexpr double kOldInDoubtSeconds = 60;

struct Readings {
  std::optional<MetricsReading> first, second;
};

void AskHealth(const NetworkServer& server, Duration timeout, ServerStatus& status) {
  auto pem = security::ReadFile(server.files.cert_file);
  auto certificate = pem ? security::ParseCertificatePem(*pem) : std::unexpected(pem.error());
  if (!certificate) {
    status.why_not = certificate.error().message;
    return;
  }
  status.certificate_ends = certificate->not_after;
  auto own = security::LoadCredentials(server.files, server.role, WallNow());
  if (!own) {
    status.why_not = own.error().message;
    return;
  }
  const auto credentials = std::make_shared<const security::Credentials>(*std::move(own));
  const auto started = std::chrono::steady_clock::now();
  const Status healthy = rpc::CheckHealth(server.listen, *credentials, certificate->identity, timeout);
  status.latency = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - started);
  status.serving = healthy.has_value();
  if (!healthy) status.why_not = healthy.error().message;
}

ServerStatus::Figures FiguresOf(const NetworkServer& server, const Readings& readings, Duration interval) {
  const bool gateway = server.role == security::Role::kGateway;
  const MetricsReading& now = *readings.second;
  const auto rate = [&](const std::string& name) {
    const double seconds = static_cast<double>(interval.count()) / 1e6;
    return seconds > 0 && readings.first ? (now.Sum(name) - readings.first->Sum(name)) / seconds : 0;
  };
  const auto aborted = [](const MetricsReading& reading) {
    double sum = 0;
    for (const std::string& reason : reading.Labels("strife_payments_total{state=\"ABORTED\"", "reason")) {
      sum += reading.Value("strife_payments_total{state=\"ABORTED\",reason=\"" + reason + "\"}");
    }
    return sum;
  };
  const std::string doubt = gateway ? "strife_payments_in_doubt" : "strife_bank_transactions_in_doubt";
  ServerStatus::Figures figures;
  figures.per_second = rate(gateway ? "strife_payments_total" : "strife_bank_transactions_total");
  if (gateway && readings.first && interval > Duration::zero()) {
    figures.aborted_per_second =
        (aborted(now) - aborted(*readings.first)) / (static_cast<double>(interval.count()) / 1e6);
  }
  figures.in_flight = now.Value(gateway ? "strife_payments_in_flight" : "strife_bank_commands_in_flight");
  figures.queued = now.Value("strife_engine_queued_inputs");
  figures.in_doubt = now.Value(doubt);
  figures.oldest_in_doubt_s = now.Value(doubt + "_oldest_age_seconds");
  figures.partial = now.Value("strife_payments_partial_commit");
  figures.log_lines_dropped = now.Value("strife_log_lines_dropped_total");
  return figures;
}

std::vector<BankStatus> BanksOf(const MetricsReading& reading) {
  std::vector<BankStatus> banks;
  const double now = static_cast<double>(WallNow().time_since_epoch().count()) / 1e6;
  for (const std::string& id : reading.Labels("strife_bank_up{", "bank")) {
    const std::string label = "{bank=\"" + id + "\"}";
    BankStatus bank{.bank_id = id,
                    .up = reading.Value("strife_bank_up" + label) == 1,
                    .suspended = reading.Value("strife_bank_suspended" + label) == 1,
                    .ahead = reading.Value("strife_bank_ahead" + label) == 1,
                    .heartbeat_age_s = {},
                    .latency_s = {},
                    .queued = reading.Value("strife_bank_queued_commands" + label)};
    const double heard = reading.Value("strife_bank_last_heartbeat_timestamp_seconds" + label);
    if (heard > 0) bank.heartbeat_age_s = std::max(now - heard, 0.0);
    const double messages = reading.Value("strife_bank_message_duration_seconds_count" + label);
    if (messages > 0) bank.latency_s = reading.Value("strife_bank_message_duration_seconds_sum" + label) / messages;
    banks.push_back(std::move(bank));
  }
  return banks;
}

void FindProblems(const NetworkServer& server, const ServerStatus& status, std::vector<std::string>& problems) {
  const auto add = [&](const std::string& what) { problems.push_back(server.name + " " + what); };
  if (!status.serving) add("is not serving: " + Sanitize(status.why_not, 200));
  if (status.serving && !server.metrics_listen.empty() && server.metrics_listen != "off" && !status.figures) {
    add("serves no metrics on " + server.metrics_listen);
  }
  if (status.certificate_ends && *status.certificate_ends - WallNow() < kCertificateNotice) {
    const bool over = *status.certificate_ends < WallNow();
    add("has a certificate that " + std::string(over ? "ended" : "ends") + " on " +
        FormatTime(*status.certificate_ends));
  }
  const std::uint64_t reserve = static_cast<std::uint64_t>(server.reserved_disk_mb) << 20;
  if (status.free_disk_bytes && *status.free_disk_bytes < reserve) {
    add("has hardly any disk left and takes no new work: " + std::to_string(*status.free_disk_bytes >> 20) + " MiB");
  }
  if (!status.figures) return;
  if (status.figures->oldest_in_doubt_s > kOldInDoubtSeconds) {
    add("has something in doubt for " + std::to_string(static_cast<int>(status.figures->oldest_in_doubt_s)) +
        " s; see strife admin in-doubt");
  }
  if (status.figures->partial > 0) {
    add("waits for a bank to confirm " + std::to_string(static_cast<int>(status.figures->partial)) +
        " decided payments");
  }
}

// One server, while others are looked at beside it.
void LookAtOne(const NetworkServer& server, Duration interval, Duration timeout, ServerStatus& status,
               Readings& readings) {
  status.name = server.name;
  status.role = server.role == security::Role::kGateway ? "gateway" : "bank";
  status.listen = server.listen;
  if (!server.pid_file.empty()) status.pid = RunningProcess(server.pid_file);
  AskHealth(server, timeout, status);
  std::error_code error;
  if (const auto space = fs::space(server.data_dir, error); !error) status.free_disk_bytes = space.available;
  if (server.metrics_listen.empty() || server.metrics_listen == "off") return;
  if (auto first = ReadMetrics(server.metrics_listen, timeout)) readings.first = *std::move(first);
  if (!readings.first) return;
  const auto started = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(interval);
  auto second = ReadMetrics(server.metrics_listen, timeout);
  const auto took = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - started);
  if (!second) return;
  readings.second = *std::move(second);
  status.figures = FiguresOf(server, readings, took);
  const auto versions = readings.second->Labels("strife_build_info", "version");
  if (!versions.empty()) status.version = versions.front();
}

// What the gateway says of the whole network.
void ReadGateway(const MetricsReading& reading, StatusReport& report) {
  report.banks = BanksOf(reading);
  report.draining = reading.Value("strife_gateway_draining") == 1;
  report.suspended_users = static_cast<int>(reading.Value("strife_suspended_users"));
  if (report.draining) {
    report.problems.push_back(
        "the gateway is drained by its operators: it takes no new payments; see strife admin undrain");
  }
  for (const BankStatus& bank : report.banks) {
    if (!bank.up) report.problems.push_back("the gateway does not reach " + bank.bank_id);
    if (bank.ahead) {
      report.problems.push_back(
          bank.bank_id +
          " has seen work of the gateway that is not in its store: its payments wait; compare the "
          "books (strife verify), then strife admin resume bank " +
          bank.bank_id);
    }
    if (!bank.suspended) continue;
    report.problems.push_back(bank.bank_id +
                              " is suspended by the operators: no new payments with it; see strife admin banks");
  }
}

}  // namespace

StatusReport LookAt(const std::vector<NetworkServer>& servers, Duration interval, Duration timeout) {
  StatusReport report;
  report.servers.resize(servers.size());
  std::vector<Readings> readings(servers.size());
  {
    std::vector<std::jthread> threads;
    threads.reserve(servers.size());
    for (std::size_t i = 0; i < servers.size(); ++i) {
      threads.emplace_back([&, i] { LookAtOne(servers[i], interval, timeout, report.servers[i], readings[i]); });
    }
  }
  for (std::size_t i = 0; i < servers.size(); ++i) {
    FindProblems(servers[i], report.servers[i], report.problems);
    if (servers[i].role == security::Role::kGateway && readings[i].second) ReadGateway(*readings[i].second, report);
  }
  return report;
}

}  // namespace strife::cli
