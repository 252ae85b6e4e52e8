// payment, history, balance.
#include <CLI/CLI.hpp>

#include "base/limits.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/configs.h"
#include "cli/duration.h"
#include "cli/open_client.h"
#include "cli/payment_view.h"
#include "cli/queue_view.h"

namespace strife::cli {
namespace {

struct LookupOptions : ClientCommandOptions {
  std::string id;
  std::string bank;
  std::string since;
  std::string until;
  std::string state;
  int limit = limits::kDefaultHistoryPageRows;
  bool wait = false;
};

// Much longer than any payment takes once its banks are up.
constexpr Duration kWaitPatience = std::chrono::hours(24);

// A payment the gateway does not tell about, as it stands in the queue if it waits there.
std::optional<int> ShowQueued(const client::Client& client, const Uuid& id, OutputFormat output) {
  auto session = client.CurrentSession();
  auto item = session ? FindQueued(client.config().data_dir, session->username, id) : std::nullopt;
  if (!item || protocol::IsEnded(item->state)) return std::nullopt;
  if (output == OutputFormat::kJson) {
    PrintJson(QueueItemJson(*item));
  } else {
    PrintText(QueueItemText(*item));
  }
  const bool waits = protocol::IsWaiting(item->state);
  PrintError(waits ? "the payment is in the queue; it is sent by an open strife shell, strife queue flush or the next "
                     "strife pay once the gateway is back"
                   : "this is how it stands in the queue; the gateway tells nothing about it");
  return kExitUnknownOutcome;
}

int ShowPayment(LookupOptions& options) {
  auto id = Uuid::Parse(options.id);
  if (!id) return ReportUsage("\"" + options.id + "\" is not a payment id; it is a UUID as strife pay prints it");
  auto client = OpenClient(*options.client);
  if (!client) return Report(client.error());
  auto payment = options.wait ? (*client)->WaitForEnd(*id, kWaitPatience) : (*client)->GetPayment(*id);
  if (!payment) {
    const auto queued = ShowQueued(**client, *id, options.output);
    return queued ? *queued : Report(payment.error().error);
  }
  if (options.output == OutputFormat::kJson) {
    PrintJson(PaymentJson(*payment));
  } else {
    PrintText(PaymentText(*payment));
  }
  return options.wait ? ExitFor(payment->state) : kExitDone;
}

Result<rpc::HistoryRequest> ReadHistoryRequest(const LookupOptions& options) {
  rpc::HistoryRequest request;
  WallTime now = WallNow();
  if (!options.since.empty()) {
    auto since = ParseTime(options.since, now);
    if (!since) return std::unexpected(since.error());
    request.since = *since;
  }
  if (!options.until.empty()) {
    auto until = ParseTime(options.until, now);
    if (!until) return std::unexpected(until.error());
    request.until = *until;
  }
  if (!options.state.empty()) {
    request.state = ParseStateName(options.state);
    if (!request.state) {
      return Fail(ErrorCode::kInvalidInput, "\"" + options.state +
                                                "\" is not a state; write INITIATED, COMMITTING, COMPLETED, ABORTED or "
                                                "PARTIAL_COMMIT_RECOVERY_NEEDED");
    }
  }
  return request;
}

int ShowHistory(LookupOptions& options) {
  auto request = ReadHistoryRequest(options);
  if (!request) return ReportUsage(request.error().message);
  auto client = OpenClient(*options.client);
  if (!client) return Report(client.error());
  std::vector<protocol::PaymentRecord> payments;
  auto wanted = static_cast<std::size_t>(options.limit);
  while (payments.size() < wanted) {
    request->page_size = static_cast<int>(std::min<std::size_t>(wanted - payments.size(), limits::kMaxHistoryPageRows));
    auto page = (*client)->History(*request);
    if (!page) return Report(page.error().error);
    std::move(page->payments.begin(), page->payments.end(), std::back_inserter(payments));
    if (page->next_page_token.empty()) break;
    request->page_token = page->next_page_token;
  }
  if (options.output == OutputFormat::kJson) {
    Json list = Json::array();
    for (const auto& payment : payments) list.push_back(PaymentJson(payment));
    PrintJson({{"payments", list}});
  } else if (payments.empty()) {
    PrintText("no payments\n");
  } else {
    PrintText(PaymentTable(payments).RenderForOutput());
  }
  return kExitDone;
}

// The banks asked about: the one named, or all where the caller has an account.
Result<std::vector<protocol::AccountRef>> BanksAskedAbout(const client::Client& client, const std::string& bank) {
  auto session = client.CurrentSession();
  if (!session) return std::unexpected(session.error());
  if (bank.empty()) return session->accounts;
  for (const auto& account : session->accounts) {
    if (account.bank_id == bank) return std::vector{account};
  }
  return std::vector{protocol::AccountRef{bank, ""}};  // for the gateway to refuse
}

int ShowBalance(LookupOptions& options) {
  auto client = OpenClient(*options.client);
  if (!client) return Report(client.error());
  auto accounts = BanksAskedAbout(**client, options.bank);
  if (!accounts) return Report(accounts.error());
  Table table({{"bank", Align::kLeft},
               {"account", Align::kLeft},
               {"available", Align::kRight},
               {"posted", Align::kRight},
               {"held", Align::kRight},
               {"currency", Align::kLeft}});
  Json list = Json::array();
  int exit = kExitDone;
  for (const auto& account : *accounts) {
    auto balance = (*client)->CheckBalance(account.bank_id);
    if (!balance) {
      exit = Report(balance.error().error);
      bool hopeless = balance.error().delivery == rpc::Delivery::kNotSent ||
                      balance.error().error.code == ErrorCode::kUnauthenticated;
      if (hopeless) break;
      continue;
    }
    table.AddRow({account.bank_id, account.account_id, FormatAmount(balance->available), FormatAmount(balance->posted),
                  FormatAmount(balance->held), std::string(balance->posted.currency.code())});
    list.push_back({{"bank_id", account.bank_id},
                    {"account_id", account.account_id},
                    {"posted", AmountJson(balance->posted)},
                    {"held", AmountJson(balance->held)},
                    {"available", AmountJson(balance->available)},
                    {"as_of", FormatTime(balance->as_of)}});
  }
  if (options.output == OutputFormat::kJson) {
    PrintJson({{"balances", list}});
  } else if (!table.empty()) {
    PrintText(table.RenderForOutput());
  }
  return exit;
}

}  // namespace

void AddLookupCommands(CLI::App& app, Invocation& invocation) {
  auto add = [&](const std::string& name, const std::string& description, const std::string& examples,
                 int (*action)(LookupOptions&)) {
    return AddCommandWith<LookupOptions>(app, invocation, name, description, examples, action);
  };
  auto [payment, payment_options] = add("payment", "Show one of your payments as it now stands",
                                        "  strife payment 0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b\n"
                                        "  strife payment --wait 0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b\n"
                                        "\nWith --wait the exit status is 0 completed, 1 declined, 3 not ended yet.",
                                        ShowPayment);
  payment->add_option("ID", payment_options->id, "The payment's id")->required();
  payment->add_flag("--wait", payment_options->wait, "Until it has ended");

  auto [history, history_options] =
      add("history", "List your payments, newest first",
          "  strife history\n  strife history --since 24h --state aborted\n"
          "  strife history --since 2026-03-01 --until 2026-04-01 --limit 1000 --output json",
          ShowHistory);
  history->add_option("--since", history_options->since, "Created at or after: a UTC time, or how long ago (24h)");
  history->add_option("--until", history_options->until, "Created before: a UTC time, or how long ago");
  history->add_option("--state", history_options->state, "Only payments in this state");
  history->add_option("--limit", history_options->limit, "At most this many [50]")->check(CLI::Range(1, 1'000'000));

  auto [balance, balance_options] = add("balance", "Show the balance of your account at one bank, or at all of them",
                                        "  strife balance\n  strife balance bank2 --output json", ShowBalance);
  balance->add_option("BANK", balance_options->bank, "The bank's id");
}

}  // namespace strife::cli
