// audit …: reading and proving the servers' audit logs.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "audit/event_names.h"
#include "cli/audit_log.h"
#include "cli/audit_search.h"
#include "cli/audit_view.h"
#include "cli/command.h"
#include "cli/duration.h"
#include "cli/network.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "security/secure_file.h"

namespace strife::cli {
namespace {

struct AuditOptions {
  ServerChoice servers;
  std::string server;
  std::vector<std::string> events;
  std::string actor, subject, since, until;
  std::size_t limit = 50;
  std::vector<std::string> head_files;
  std::string out;
  OutputFormat output = OutputFormat::kTable;

  void AddFlags(CLI::App& command) {
    servers.AddFlags(command);
    command.add_option("--server", server, "Only this one: gateway, or a bank's id");
  }
};

Result<std::vector<ServerLog>> OpenLogs(const AuditOptions& options) {
  auto servers = options.servers.Read();
  if (!servers) return std::unexpected(servers.error());
  std::vector<ServerLog> logs;
  for (NetworkServer& server : *servers) {
    if (!options.server.empty() && server.name != options.server) continue;
    auto log = ServerLog::Open(std::move(server));
    if (!log) return std::unexpected(log.error());
    logs.push_back(std::move(*log));
  }
  if (logs.empty()) return Fail(ErrorCode::kNotFound, "there is no server " + options.server);
  return logs;
}

Result<AuditFilter> ReadFilter(const AuditOptions& options) {
  AuditFilter filter{.events = {}, .actor = options.actor, .subject = options.subject, .since = {}, .until = {}};
  for (const std::string& name : options.events) {
    const auto event = audit::EventNamed(name);
    if (!event) {
      std::string known;
      for (const std::string_view one : audit::EventNames()) {
        if (!known.empty()) known += ", ";
        known += one;
      }
      return Fail(ErrorCode::kInvalidInput, "\"" + name + "\" is no event; there are " + known);
    }
    filter.events.push_back(*event);
  }
  const auto read = [](const std::string& text, std::optional<WallTime>& time) -> Status {
    if (text.empty()) return {};
    auto parsed = ParseTime(text, WallNow());
    if (!parsed) return std::unexpected(parsed.error());
    time = *parsed;
    return {};
  };
  if (Status good = read(options.since, filter.since); !good) return std::unexpected(good.error());
  if (Status good = read(options.until, filter.until); !good) return std::unexpected(good.error());
  return filter;
}

// ---- show ----

int Show(const AuditOptions& options) {
  const auto filter = ReadFilter(options);
  if (!filter) return ReportUsage(filter.error().message);
  auto logs = OpenLogs(options);
  if (!logs) return Report(logs.error());
  std::vector<ShownLog> shown;
  for (ServerLog& log : *logs) {
    auto snapshot = log.Read();
    if (!snapshot) return Report(snapshot.error());
    auto start = (*snapshot)->Start();
    if (!start) return Report(start.error());
    auto entries = LastMatching(**snapshot, *filter, options.limit);
    if (!entries) return Report(entries.error());
    shown.push_back({log.server().name, *start, *std::move(entries)});
  }
  if (options.output == OutputFormat::kJson) {
    PrintJson(LogsJson(shown));
  } else {
    PrintText(LogsText(shown));
  }
  return kExitDone;
}

// ---- verify ----

Result<ExaminedLog> ExamineOne(ServerLog& log, const std::vector<audit::Head>& heads, bool show_progress) {
  ExaminedLog examined{log.server().name, {}, heads.size()};
  std::optional<Progress> progress;
  if (show_progress && MayDecorate(STDERR_FILENO)) {
    std::uint64_t total = 0;
    if (auto snapshot = log.Read()) {
      if (auto last = (*snapshot)->Last(); last && *last) total = (*last)->sequence;
    }
    progress.emplace("records of " + log.server().name, total);
  }
  auto report = log.Examine(heads, [&](std::uint64_t records) {
    if (progress) progress->Update(records);
  });
  if (!report) return std::unexpected(report.error());
  examined.report = *std::move(report);
  return examined;
}

int Verify(const AuditOptions& options) {
  auto logs = OpenLogs(options);
  if (!logs) return Report(logs.error());
  std::vector<audit::Head> heads;
  for (const std::string& file : options.head_files) {
    auto read = ReadHeads(file, logs->front().server().files.ca_file);
    if (!read) return Report(read.error());
    heads.insert(heads.end(), read->begin(), read->end());
  }
  std::vector<ExaminedLog> examined;
  std::size_t compared = 0;
  for (ServerLog& log : *logs) {
    std::vector<audit::Head> own;
    std::ranges::copy_if(heads, std::back_inserter(own),
                         [&](const audit::Head& head) { return IsOf(head, log.server()); });
    compared += own.size();
    auto one = ExamineOne(log, own, options.output == OutputFormat::kTable);
    if (!one) return Report(one.error());
    examined.push_back(*std::move(one));
  }
  if (options.output == OutputFormat::kJson) {
    PrintJson(ExaminedJson(examined));
  } else {
    PrintText(ExaminedText(examined));
  }
  if (compared < heads.size()) {
    PrintError("some heads are of servers that were not looked at; name their configurations as well");
    return kExitFailed;
  }
  const bool ok = std::ranges::all_of(examined, [](const ExaminedLog& log) { return log.report.ok(); });
  if (!ok) PrintError(ExaminedVerdict(examined));
  return ok ? kExitDone : kExitFailed;
}

// ---- export, head ----

int Export(const AuditOptions& options) {
  auto logs = OpenLogs(options);
  if (!logs) return Report(logs.error());
  if (logs->size() != 1) return ReportUsage("an export is of one log; name its server with --server");
  ServerLog& log = logs->front();
  auto snapshot = log.Read();
  if (!snapshot) return Report(snapshot.error());
  auto start = (*snapshot)->Start();
  if (!start) return Report(start.error());
  auto cursor = (*snapshot)->Entries();
  if (!cursor) return Report(cursor.error());
  PrintText(StartJson(log.server().name, *start).dump() + "\n");
  for (bool whole = true;;) {
    auto entry = (*cursor)->Next();
    if (!entry && entry.error().code == ErrorCode::kMalformed) {
      PrintError(entry.error().message);
      whole = false;
      continue;
    }
    if (!entry) return Report(entry.error());
    if (!*entry) return whole ? kExitDone : kExitFailed;
    PrintText(EntryJson(**entry).dump() + "\n");
    if (std::ferror(stdout) != 0) return Report({ErrorCode::kStorage, "the export cannot be written"});
  }
}

int Head(const AuditOptions& options) {
  auto logs = OpenLogs(options);
  if (!logs) return Report(logs.error());
  std::string text;
  for (ServerLog& log : *logs) {
    auto head = SignHead(log, WallNow());
    if (!head) return Report(head.error());
    text += audit::Format(*head);
  }
  if (options.out.empty()) {
    PrintText(text);
    return kExitDone;
  }
  Status written = security::WriteFile(options.out, text, security::kPublicMode, security::Existing::kRefuse);
  if (!written) return Report(written.error());
  PrintText("Written to " + options.out + ". Keep it where nobody who can write the server's files can change it.\n");
  return kExitDone;
}

// ---- the commands ----

constexpr auto Add = AddCommandWith<AuditOptions>;

void AddShow(CLI::App& audit, Invocation& invocation) {
  const auto [command, options] =
      Add(audit, invocation, "show", "Show the last records, oldest first",
          "  strife audit show --dir net\n"
          "  strife audit show --dir net --server gateway --event login_failed --since 24h\n"
          "  strife audit show --config gateway.toml --actor operator/olga --output json\n"
          "\nThe server may be running.",
          Show);
  command->add_option("--event", options->events, "Only this event, such as login_failed; repeat for more");
  command->add_option("--actor", options->actor, "Only what this one did: user/alice, operator/olga, bank/bank1");
  command->add_option("--subject", options->subject, "Only what is about this: a payment's id, a session, user/alice");
  command->add_option("--since", options->since, "From then on: 24h, 2026-03-01, 2026-03-01T12:30:00Z");
  command->add_option("--until", options->until, "Before then");
  command->add_option("--limit", options->limit, "At most this many of each log [50]")->check(CLI::Range(1, 1'000'000));
  AddOutputFlag(*command, &options->output);
}

void AddVerify(CLI::App& audit, Invocation& invocation) {
  const auto [command, options] =
      Add(audit, invocation, "verify", "Prove that no record was edited, deleted, reordered or cut off",
          "  strife audit verify --dir net\n"
          "  strife audit verify --config gateway.toml --head heads/monday.head --head heads/tuesday.head\n"
          "\nThe server may be running. Exit status 1 when anything is wrong.",
          Verify);
  command->add_option("--head", options->head_files,
                      "Heads to compare with, as strife audit head has written them; repeat for each file");
  AddOutputFlag(*command, &options->output);
}

void AddHead(CLI::App& audit, Invocation& invocation) {
  const auto [command, options] =
      Add(audit, invocation, "head", "Sign how far a log has got, to be kept elsewhere",
          "  strife audit head --config gateway.toml --out /mnt/elsewhere/gateway-2026-03-01.head\n"
          "  strife audit head --dir net > heads\n"
          "\nRun it as the user the server runs as: it signs with the server's key.",
          Head);
  command->add_option("--out", options->out, "Where to write it; it must not exist [standard output]");
}

}  // namespace

void AddAuditCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* audit = app.add_subcommand("audit", "Read and prove the audit logs of the servers");
  audit->require_subcommand(1);
  AddShow(*audit, invocation);
  AddVerify(*audit, invocation);
  Add(*audit, invocation, "export", "Write a whole log as JSON, one record a line",
      "  strife audit export --dir net --server gateway > gateway-audit.jsonl\n"
      "\nHow to check the hashes elsewhere is in docs/security.md.",
      Export);
  AddHead(*audit, invocation);
}

}  // namespace strife::cli
