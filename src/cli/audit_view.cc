#include "cli/audit_view.h"

#include <algorithm>

#include "audit/event_names.h"
#include "audit/hex.h"
#include "cli/duration.h"
#include "cli/table.h"

namespace strife::cli {
namespace {

constexpr std::size_t kShownFindings = 50;

std::string WithPlural(std::uint64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::uint64_t Sum(const std::vector<ExaminedLog>& logs, std::uint64_t audit::Report::* what) {
  std::uint64_t sum = 0;
  for (const ExaminedLog& log : logs) sum += log.report.*what;
  return sum;
}

}  // namespace

Json EntryJson(const AuditEntry& entry) {
  const protocol::AuditRecord& record = entry.record;
  return {{"sequence", entry.sequence},
          {"at", FormatTime(record.at)},
          {"at_us", record.at.time_since_epoch().count()},
          {"event", std::string(audit::EventName(record.event))},
          {"event_number", static_cast<int>(record.event)},
          {"count", record.count},
          {"actor", record.actor},
          {"peer", record.peer},
          {"subject", record.subject},
          {"detail", record.detail},
          {"hash", audit::ToHex(entry.hash)}};
}

Json StartJson(const std::string& server, const AuditStart& start) {
  return {{"format", "strife audit log 1"},
          {"server", server},
          {"log_id", start.log_id.ToString()},
          {"decided_before", start.decided_before}};
}

Json LogsJson(const std::vector<ShownLog>& logs) {
  Json list = Json::array();
  for (const ShownLog& log : logs) {
    Json entries = Json::array();
    for (const AuditEntry& entry : log.entries) entries.push_back(EntryJson(entry));
    list.push_back({{"server", log.server}, {"log_id", log.start.log_id.ToString()}, {"entries", entries}});
  }
  return {{"logs", list}};
}

std::string LogsText(const std::vector<ShownLog>& logs) {
  struct Line {
    const std::string* server;
    const AuditEntry* entry;
  };
  std::vector<Line> lines;
  for (const ShownLog& log : logs) {
    for (const AuditEntry& entry : log.entries) lines.push_back({&log.server, &entry});
  }
  std::ranges::stable_sort(lines, {}, [](const Line& line) { return line.entry->record.at; });
  Table table({{"time", Align::kLeft},
               {"server", Align::kLeft},
               {"number", Align::kRight, 3},
               {"event", Align::kLeft},
               {"actor", Align::kLeft},
               {"subject", Align::kLeft},
               {"times", Align::kRight, 2},
               {"peer", Align::kLeft, 4},
               {"detail", Align::kLeft, 1}});
  for (const auto& [server, entry] : lines) {
    const protocol::AuditRecord& record = entry->record;
    table.AddRow({FormatTime(record.at), *server, std::to_string(entry->sequence),
                  std::string(audit::EventName(record.event)), record.actor, record.subject,
                  record.count == 1 ? "" : std::to_string(record.count), record.peer, record.detail});
  }
  return table.empty() ? "no such records\n" : table.RenderForOutput();
}

Json ExaminedJson(const std::vector<ExaminedLog>& logs) {
  Json list = Json::array();
  for (const auto& [server, report, heads] : logs) {
    Json findings = Json::array();
    for (const audit::Finding& finding : report.findings) {
      findings.push_back({{"sequence", finding.sequence}, {"message", finding.what}});
    }
    list.push_back({{"server", server},
                    {"ok", report.ok()},
                    {"log_id", report.start.log_id.ToString()},
                    {"records", report.records},
                    {"last_sequence", report.last_sequence},
                    {"last_hash", audit::ToHex(report.last_hash)},
                    {"decided", report.decided},
                    {"unrecorded", report.unrecorded},
                    {"decided_before", report.start.decided_before},
                    {"heads", heads},
                    {"finding_count", report.finding_count},
                    {"findings", findings}});
  }
  return {{"ok", Sum(logs, &audit::Report::finding_count) == 0}, {"logs", list}};
}

std::string ExaminedText(const std::vector<ExaminedLog>& logs) {
  Table table({{"server", Align::kLeft},
               {"records", Align::kRight},
               {"decided", Align::kRight},
               {"older than the log", Align::kRight},
               {"heads", Align::kRight},
               {"wrong", Align::kRight}});
  for (const auto& [server, report, heads] : logs) {
    table.AddRow({server, std::to_string(report.records), std::to_string(report.decided),
                  std::to_string(std::min(report.unrecorded, report.start.decided_before)), std::to_string(heads),
                  std::to_string(report.finding_count)});
  }
  std::string text = table.RenderForOutput() + "\n";
  for (const ExaminedLog& log : logs) {
    const auto& findings = log.report.findings;
    for (std::size_t i = 0; i < findings.size() && i < kShownFindings; ++i) {
      text += log.server + "  " + findings[i].what + "\n";
    }
    if (log.report.finding_count > kShownFindings) text += log.server + "  … more of them in --output json\n";
  }
  return text + ExaminedVerdict(logs) + "\n";
}

std::string ExaminedVerdict(const std::vector<ExaminedLog>& logs) {
  const std::uint64_t wrong = Sum(logs, &audit::Report::finding_count);
  const std::string where =
      " in " + WithPlural(Sum(logs, &audit::Report::records), "record") + " of " + WithPlural(logs.size(), "audit log");
  if (wrong > 0) return "the audit log has been TAMPERED with: " + WithPlural(wrong, "finding") + where;
  std::size_t heads = 0;
  for (const ExaminedLog& log : logs) heads += log.heads;
  return "nothing is wrong" + where +
         (heads == 0 ? "; without a head (--head) an end that was cut off may not be noticed" : "");
}

}  // namespace strife::cli
