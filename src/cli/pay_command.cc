// pay: one payment. For --file see pay_file.cc.
#include <CLI/CLI.hpp>

#include "base/limits.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/duration.h"
#include "cli/open_client.h"
#include "cli/pay_file.h"
#include "cli/pay_one.h"
#include "cli/payment_view.h"
#include "security/random.h"

namespace strife::cli {
namespace {

struct PayOptions : ClientCommandOptions {
  std::string to;
  std::string from;
  std::string amount;
  std::string currency;
  std::string memo;
  std::string id;
  std::string file;
  std::string expires;
};

// The order but for the payer's account, which only the session knows.
Result<protocol::PaymentOrder> ReadOrder(const PayOptions& options) {
  protocol::PaymentOrder order;
  auto to = ParseAccount(options.to);
  if (!to) return Fail(ErrorCode::kInvalidInput, "--to: " + to.error().message);
  auto currency = Currency::Parse(options.currency);
  if (!currency) {
    return Fail(ErrorCode::kInvalidInput,
                "--currency: \"" + Sanitize(options.currency, 20) + "\" is not a currency; write an ISO 4217 code");
  }
  auto amount = ParseAmount(options.amount, *currency);
  if (!amount) return Fail(ErrorCode::kInvalidInput, "--amount: " + amount.error().message);
  if (options.memo.size() > limits::kMaxMemoBytes || !IsPrintableUtf8(options.memo)) {
    return Fail(ErrorCode::kInvalidInput, "--memo: it is longer than " + std::to_string(limits::kMaxMemoBytes) +
                                              " bytes or holds control characters; write one short line");
  }
  order.id = security::NewUuidV7(WallNow());
  if (!options.id.empty()) {
    auto id = Uuid::Parse(options.id);
    if (!id) return Fail(ErrorCode::kInvalidInput, "--id: \"" + Sanitize(options.id, 40) + "\" is not a UUID");
    order.id = *id;
  }
  order.to = *to;
  order.amount = *amount;
  order.memo = options.memo;
  return order;
}

int Pay(PayOptions& options, const Invocation& invocation) {
  if (options.file.empty()) {
    for (const auto& [flag, value] :
         {std::pair("--to", &options.to), std::pair("--from", &options.from), std::pair("--amount", &options.amount),
          std::pair("--currency", &options.currency)}) {
      if (value->empty()) return ReportUsage(std::string(flag) + " is missing; see strife pay --help");
    }
    auto order = ReadOrder(options);
    if (!order) return ReportUsage(order.error().message);
    std::optional<Duration> expires_after;
    if (!options.expires.empty()) {
      auto parsed = ParseDuration(options.expires);
      if (!parsed) return ReportUsage("--expires: " + parsed.error().message);
      expires_after = *parsed;
    }
    auto config = options.client->Load();
    if (!config) return Report(config.error());
    return PayOne(*config, std::move(*order), options.from, expires_after, options.output, invocation.confirm);
  }
  auto client = OpenClient(*options.client);
  if (!client) return Report(client.error());
  return PayFile(**client, options.file, options.output, invocation.confirm, client->token());
}

constexpr const char* kExamples =
    "  strife pay --to bank2/user2 --from bank1 --amount 12.50 --currency USD --memo rent\n"
    "  strife pay --file payroll.csv\n"
    "\nA payments file is CSV (RFC 4180). Its first line names the columns, in any order:\n"
    "  to           BANK/ACCOUNT; or two columns, to_bank and to_account\n"
    "  from_bank    bank of your account that pays\n"
    "  amount       such as 12.50\n"
    "  currency     ISO 4217 code\n"
    "  memo, id     may be missing or empty\n"
    "All of it is checked before anything is sent. payroll.csv.result.csv then fixes an id for each line and tells "
    "what\n"
    "became of it. Run the same file again to go on after an interruption: it never pays a line twice. A line that "
    "was\n"
    "ABORTED has ended; to try such a payment again put it into a new file.\n"
    "\nOne payment is put into the queue, on disk, before it is sent. When the gateway is away it stays there; see\n"
    "strife queue --help.\n"
    "\nExit status: 0 paid, 1 declined or refused, 2 wrong usage, 3 queued, or outcome not known yet.";

}  // namespace

void AddPayCommand(CLI::App& app, Invocation& invocation) {
  auto [pay, options] =
      AddCommandWith<PayOptions>(app, invocation, "pay", "Pay: one payment, or a file of them", kExamples,
                                 [&invocation](PayOptions& given) { return Pay(given, invocation); });
  CLI::Option* file = pay->add_option("--file", options->file, "Payments to make, CSV");
  auto add = [command = pay, file](const std::string& flag, std::string* value, const std::string& help) {
    command->add_option(flag, *value, help)->excludes(file);
  };
  add("--to", &options->to, "Payee, BANK/ACCOUNT");
  add("--from", &options->from, "Bank of your account that pays");
  add("--amount", &options->amount, "Amount, such as 12.50");
  add("--currency", &options->currency, "ISO 4217 code");
  add("--memo", &options->memo, "Text for the payee, at most 140 bytes");
  add("--id", &options->id, "UUID of the payment; the same id never pays twice [a new one]");
  add("--expires", &options->expires, "Give up when it could not be sent for this long, such as 24h [never]");
}

}  // namespace strife::cli
