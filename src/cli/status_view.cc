// A status report for people and for programs.
#include <cmath>
#include <cstdio>

#include "cli/duration.h"
#include "cli/status_report.h"
#include "cli/table.h"

namespace strife::cli {
namespace {

std::string Number(double value, int decimals = 0) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

std::string OrDash(const std::optional<double>& value, double factor, const char* unit, int decimals = 0) {
  return value ? Number(*value * factor, decimals) + unit : "-";
}

template <typename T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

double Milliseconds(Duration duration) { return static_cast<double>(duration.count()) / 1000; }

}  // namespace

std::string StatusText(const StatusReport& report) {
  Table servers({{"SERVER"},
                 {"STATE"},
                 {"PID", Align::kRight, 5},
                 {"ANSWERS", Align::kRight, 3},
                 {"PER S", Align::kRight},
                 {"IN FLIGHT", Align::kRight, 2},
                 {"IN DOUBT", Align::kRight},
                 {"OLDEST", Align::kRight, 1},
                 {"DISK FREE", Align::kRight, 4},
                 {"CERTIFICATE", Align::kLeft, 6}});
  for (const ServerStatus& server : report.servers) {
    const auto figure = [&](auto member, int decimals, const char* unit = "") {
      return server.figures ? Number((*server.figures).*member, decimals) + unit : std::string("-");
    };
    using Figures = ServerStatus::Figures;
    const bool drained = report.draining && server.role == "gateway";
    servers.AddRow({server.name,
                    server.serving ? "serving"
                    : drained      ? "drained"
                                   : "down",
                    server.pid ? std::to_string(*server.pid) : "-",
                    server.serving ? Number(Milliseconds(server.latency), 1) + " ms" : "-",
                    figure(&Figures::per_second, 1), figure(&Figures::in_flight, 0), figure(&Figures::in_doubt, 0),
                    figure(&Figures::oldest_in_doubt_s, 0, " s"),
                    server.free_disk_bytes ? std::to_string(*server.free_disk_bytes >> 20) + " MiB" : "-",
                    server.certificate_ends ? "until " + FormatTime(*server.certificate_ends).substr(0, 10) : "-"});
  }
  std::string text = servers.RenderForOutput();
  if (!report.banks.empty()) {
    Table banks({{"BANK"}, {"UP"}, {"LATENCY", Align::kRight}, {"HEARD", Align::kRight}, {"QUEUED", Align::kRight}});
    for (const BankStatus& bank : report.banks) {
      banks.AddRow(
          {bank.bank_id,
           std::string(bank.up ? "up" : "down") + (bank.suspended ? ", suspended" : "") + (bank.ahead ? ", ahead" : ""),
           OrDash(bank.latency_s, 1000, " ms", 1), OrDash(bank.heartbeat_age_s, 1, " s ago"), Number(bank.queued)});
    }
    text += "\nAs the gateway sees them:\n" + banks.RenderForOutput();
  }
  if (report.suspended_users > 0) {
    text += "\nSuspended users: " + std::to_string(report.suspended_users) + "; see strife admin banks\n";
  }
  text += report.problems.empty() ? "\nAll is well.\n" : "\n";
  for (const std::string& problem : report.problems) text += "! " + problem + "\n";
  return text;
}

Json StatusJson(const StatusReport& report) {
  Json servers = Json::array();
  for (const ServerStatus& server : report.servers) {
    Json json = {{"name", server.name},
                 {"role", server.role},
                 {"listen", server.listen},
                 {"pid", OrNull(server.pid)},
                 {"version", OrNull(server.version)},
                 {"serving", server.serving},
                 {"why_not", server.why_not},
                 {"answers_in_ms", Milliseconds(server.latency)},
                 {"certificate_ends", server.certificate_ends ? Json(FormatTime(*server.certificate_ends)) : Json()},
                 {"free_disk_bytes", OrNull(server.free_disk_bytes)}};
    if (const auto& figures = server.figures) {
      json["per_second"] = figures->per_second;
      json["aborted_per_second"] = figures->aborted_per_second;
      json["in_flight"] = figures->in_flight;
      json["queued"] = figures->queued;
      json["in_doubt"] = figures->in_doubt;
      json["oldest_in_doubt_seconds"] = figures->oldest_in_doubt_s;
      json["partial_commits"] = figures->partial;
      json["log_lines_dropped"] = figures->log_lines_dropped;
    }
    servers.push_back(std::move(json));
  }
  Json banks = Json::array();
  for (const BankStatus& bank : report.banks) {
    banks.push_back({{"bank_id", bank.bank_id},
                     {"up", bank.up},
                     {"suspended", bank.suspended},
                     {"ahead", bank.ahead},
                     {"heartbeat_age_seconds", OrNull(bank.heartbeat_age_s)},
                     {"latency_seconds", OrNull(bank.latency_s)},
                     {"queued_commands", bank.queued}});
  }
  return {{"ok", report.problems.empty()},
          {"servers", servers},
          {"banks", banks},
          {"draining", report.draining},
          {"suspended_users", report.suspended_users},
          {"problems", report.problems}};
}

}  // namespace strife::cli
