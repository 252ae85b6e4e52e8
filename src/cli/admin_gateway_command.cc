// admin …: what operators see at the gateway, and do to it.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/limits.h"
#include "base/money.h"
#include "cli/admin_gateway_view.h"
#include "cli/command.h"
#include "cli/duration.h"
#include "cli/operator_targets.h"
#include "cli/payment_view.h"

namespace strife::cli {
namespace {

struct GatewayAdminOptions : OperatorOptions {
  std::string state, bank, user, since, until;
  std::string min_amount, max_amount, currency = "USD";
  std::size_t limit = 50;
  std::string kind, name, reason, session;
};

int Show(const GatewayAdminOptions& options, const Json& json, const std::string& text) {
  if (options.output == OutputFormat::kJson) {
    PrintJson(json);
  } else {
    PrintText(text);
  }
  return kExitDone;
}

int Banks(GatewayAdminOptions& options) {
  auto targets = options.ReadTargets();
  if (!targets) return Report(targets.error());
  auto overview = rpc::ListBanks(targets->gateway);
  if (!overview) return Report(overview.error());
  return Show(options, BanksJson(*overview, WallNow()), BanksText(*overview, WallNow()));
}

// ---- transactions ----

Status ReadAmount(const std::string& text, const std::string& currency, std::int64_t& minor_units) {
  if (text.empty()) return {};
  const auto known = Currency::Parse(currency);
  if (!known) return Fail(ErrorCode::kInvalidInput, "\"" + currency + "\" is no currency");
  auto amount = ParseAmount(text, *known);
  if (!amount) return std::unexpected(amount.error());
  minor_units = amount->minor_units;
  return {};
}

Status ReadTimeOption(const std::string& text, std::optional<WallTime>& time) {
  if (text.empty()) return {};
  auto parsed = ParseTime(text, WallNow());
  if (!parsed) return std::unexpected(parsed.error());
  time = *parsed;
  return {};
}

Result<rpc::TransactionsRequest> ReadRequest(const GatewayAdminOptions& options) {
  rpc::TransactionsRequest request;
  if (!options.state.empty()) {
    request.state = ParseStateName(options.state);
    if (!request.state) return Fail(ErrorCode::kInvalidInput, "\"" + options.state + "\" is no state");
  }
  request.bank_id = options.bank;
  request.username = options.user;
  for (const Status& read : {ReadTimeOption(options.since, request.since), ReadTimeOption(options.until, request.until),
                             ReadAmount(options.min_amount, options.currency, request.min_minor_units),
                             ReadAmount(options.max_amount, options.currency, request.max_minor_units)}) {
    if (!read) return std::unexpected(read.error());
  }
  if (!options.max_amount.empty() && request.max_minor_units <= 0) {
    return Fail(ErrorCode::kInvalidInput, "--max-amount must be more than zero");
  }
  if (request.max_minor_units > 0 && request.min_minor_units > request.max_minor_units) {
    return Fail(ErrorCode::kInvalidInput, "--min-amount is more than --max-amount, so nothing can be found");
  }
  return request;
}

int Transactions(GatewayAdminOptions& options) {
  auto request = ReadRequest(options);
  if (!request) return ReportUsage(request.error().message);
  auto targets = options.ReadTargets();
  if (!targets) return Report(targets.error());
  std::vector<protocol::PaymentRecord> found;
  do {
    const std::size_t left = options.limit - found.size();
    request->page_size = static_cast<int>(std::min<std::size_t>(left, limits::kMaxHistoryPageRows));
    auto page = rpc::ListTransactions(targets->gateway, *request);
    if (!page) return Report(page.error());
    found.insert(found.end(), page->payments.begin(), page->payments.end());
    request->page_token = page->next_page_token;
  } while (found.size() < options.limit && !request->page_token.empty());
  return Show(options, TransactionsJson(found), TransactionsText(found));
}

// ---- sessions ----

int ListSessions(GatewayAdminOptions& options) {
  auto targets = options.ReadTargets();
  if (!targets) return Report(targets.error());
  std::vector<SessionRecord> found;
  std::string token;
  do {
    const std::size_t left = options.limit - found.size();
    const int size = static_cast<int>(std::min<std::size_t>(left, limits::kMaxHistoryPageRows));
    auto page = rpc::ListSessions(targets->gateway, options.user, size, token);
    if (!page) return Report(page.error());
    found.insert(found.end(), page->sessions.begin(), page->sessions.end());
    token = page->next_page_token;
  } while (found.size() < options.limit && !token.empty());
  return Show(options, SessionsJson(found), SessionsText(found));
}

int EndSessions(GatewayAdminOptions& options) {
  if (options.session.empty() == options.user.empty()) {
    return ReportUsage("name a session, as strife admin sessions list shows it, or --user");
  }
  auto targets = options.ReadTargets();
  if (!targets) return Report(targets.error());
  auto ended = rpc::EndSessions(targets->gateway, options.session, options.user);
  if (!ended) return Report(ended.error());
  return Show(options, {{"ended", *ended}},
              std::to_string(*ended) + (*ended == 1 ? " session has ended\n" : " sessions have ended\n"));
}

// ---- suspend, resume, drain ----

int SetSuspension(GatewayAdminOptions& options, bool suspended) {
  if (options.kind != "bank" && options.kind != "user") {
    return ReportUsage("\"" + options.kind + "\" cannot be suspended; write bank or user");
  }
  auto targets = options.ReadTargets();
  if (!targets) return Report(targets.error());
  SuspensionRecord record;
  record.kind = options.kind == "bank" ? SuspendedKind::kBank : SuspendedKind::kUser;
  record.name = options.name;
  record.suspended = suspended;
  record.reason = options.reason;
  auto done = rpc::SetSuspension(targets->gateway, record);
  if (!done) return Report(done.error());
  return Show(options, SuspensionJson(*done), SuspensionText(*done) + "\n");
}

int Suspend(GatewayAdminOptions& options) { return SetSuspension(options, true); }
int Resume(GatewayAdminOptions& options) { return SetSuspension(options, false); }

int SetDraining(GatewayAdminOptions& options, bool draining) {
  auto targets = options.ReadTargets();
  if (!targets) return Report(targets.error());
  auto state = rpc::SetDraining(targets->gateway, draining);
  if (!state) return Report(state.error());
  return Show(options, {{"draining", state->draining}, {"open", state->open}},
              state->draining ? "the gateway takes no new payments; " + std::to_string(state->open) +
                                    " under way end by themselves\n"
                              : "the gateway takes new payments again\n");
}

int Drain(GatewayAdminOptions& options) { return SetDraining(options, true); }
int Undrain(GatewayAdminOptions& options) { return SetDraining(options, false); }

// ---- the commands ----

constexpr auto Add = AddCommandWith<GatewayAdminOptions>;

void AddTransactions(CLI::App& admin, Invocation& invocation) {
  const auto [command, options] =
      Add(admin, invocation, "transactions", "List payments of everybody, newest first",
          "  strife admin transactions --bank bank2 --since 1h --config net/operator.toml\n"
          "  strife admin transactions --user user1 --state ABORTED --min-amount 1000 --output json",
          Transactions);
  command->add_option("--state", options->state, "Only those in this state, such as ABORTED");
  command->add_option("--bank", options->bank, "Only those from or to this bank");
  command->add_option("--user", options->user, "Only those of this user");
  command->add_option("--since", options->since, "Begun then or later: 1h, 2026-03-01, 2026-03-01T12:30:00Z");
  command->add_option("--until", options->until, "Begun before then");
  command->add_option("--min-amount", options->min_amount, "Of at least this amount, whatever the currency");
  command->add_option("--max-amount", options->max_amount, "Of at most this amount");
  command->add_option("--currency", options->currency, "Whose decimals the amounts have [USD]");
  command->add_option("--limit", options->limit, "At most this many [50]")->check(CLI::Range(1, 100'000));
}

void AddSessions(CLI::App& admin, Invocation& invocation) {
  CLI::App* sessions = admin.add_subcommand("sessions", "List users' sessions, or end them");
  sessions->require_subcommand(1);
  const auto [list, listed] = Add(*sessions, invocation, "list", "List the sessions that have not ended",
                                  "  strife admin sessions list --user user1 --config net/operator.toml", ListSessions);
  list->add_option("--user", listed->user, "Only those of this user");
  list->add_option("--limit", listed->limit, "At most this many [50]")->check(CLI::Range(1, 100'000));
  const auto [end, ended] = Add(*sessions, invocation, "end", "End a session, or all of a user, at once",
                                "  strife admin sessions end 0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b\n"
                                "  strife admin sessions end --user user1 --config net/operator.toml",
                                EndSessions);
  end->add_option("SESSION", ended->session, "The session");
  end->add_option("--user", ended->user, "All sessions of this user");
}

void AddSuspensions(CLI::App& admin, Invocation& invocation) {
  const auto suspend =
      Add(admin, invocation, "suspend", "Suspend a bank or a user, until it is resumed; survives restarts",
          "  strife admin suspend bank bank2 --reason 'books under review' --config net/operator.toml\n"
          "  strife admin suspend user user1 --config net/operator.toml",
          Suspend);
  const auto resume =
      Add(admin, invocation, "resume", "End a suspension, or that a bank is ahead of the gateway's store",
          "  strife admin resume bank bank2 --config net/operator.toml", Resume);
  for (const auto& [command, options] : {suspend, resume}) {
    command->add_option("KIND", options->kind, "bank or user")->required();
    command->add_option("NAME", options->name, "Its id or name")->required();
    command->add_option("--reason", options->reason, "Why, for the audit log and other operators");
  }
}

}  // namespace

void AddGatewayAdminCommands(CLI::App& admin, Invocation& invocation) {
  Add(admin, invocation, "banks", "List the banks: state, latency, last heartbeat, open payments, suspended or not",
      "  strife admin banks --config net/operator.toml", Banks);
  AddTransactions(admin, invocation);
  AddSessions(admin, invocation);
  AddSuspensions(admin, invocation);
  Add(admin, invocation, "drain", "Take no new payments at the gateway, finish those under way, and stay up",
      "  strife admin drain --config net/operator.toml\n\nA restart of the gateway ends it.", Drain);
  Add(admin, invocation, "undrain", "Take new payments again", "  strife admin undrain --config net/operator.toml",
      Undrain);
}

}  // namespace strife::cli
