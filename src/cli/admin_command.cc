// admin …: what operators see and decide.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/admin_view.h"
#include "cli/command.h"
#include "cli/duration.h"
#include "cli/operator_targets.h"
#include "rpc/admin_client.h"

namespace strife::cli {
namespace {

struct AdminOptions : OperatorOptions {
  std::string min_age = "5s";
  int limit = 100;
  std::string id;
  std::string decision;
  std::string bank;
};

int InDoubt(AdminOptions& options) {
  const auto min_age = ParseDuration(options.min_age);
  if (!min_age) return ReportUsage(min_age.error().message);
  auto targets = options.ReadTargets();
  if (!targets) return Report(targets.error());
  GatewayInDoubt gateway;
  if (auto answer = rpc::ListInDoubtPayments(targets->gateway, *min_age, options.limit)) {
    gateway.answer = *std::move(answer);
  } else {
    gateway.error = answer.error();
  }
  const WallTime now = WallNow();
  std::vector<BankInDoubt> banks;
  for (const rpc::AdminTarget& target : targets->banks) {
    BankInDoubt& bank = banks.emplace_back();
    bank.bank_id = target.expected.name;
    if (auto answer = rpc::ListInDoubtTransactions(target, options.limit)) {
      bank.answer = *std::move(answer);
      std::erase_if(bank.answer.transactions,
                    [&](const auto& in_doubt) { return now - in_doubt.transaction.created_at < *min_age; });
    } else {
      bank.error = answer.error();
    }
  }
  if (options.output == OutputFormat::kJson) {
    PrintJson(InDoubtJson(gateway, banks, now));
  } else {
    PrintText(InDoubtText(gateway, banks, now));
  }
  // What could not be asked is missing in the list: that is no success.
  int exit = gateway.error ? Report(*gateway.error) : static_cast<int>(kExitDone);
  for (const BankInDoubt& bank : banks) {
    if (bank.error) exit = Report(*bank.error);
  }
  return exit;
}

// The transaction and the bank a command is about.
struct Addressed {
  Uuid id;
  rpc::AdminTarget bank;
};

Result<Addressed> ReadAddressed(AdminOptions& options) {
  const auto id = Uuid::Parse(options.id);
  if (!id) {
    return Fail(ErrorCode::kUsage,
                "\"" + options.id + "\" is not a transaction id; it is a UUID as strife admin in-doubt prints it");
  }
  auto targets = options.ReadTargets();
  if (!targets) return std::unexpected(targets.error());
  const auto bank = std::ranges::find(targets->banks, options.bank,
                                      [](const rpc::AdminTarget& target) { return target.expected.name; });
  if (bank == targets->banks.end()) {
    return Fail(ErrorCode::kNotFound, "no bank " + options.bank + " is known; add " + options.bank +
                                          "=host:port to `banks` in the operator's configuration");
  }
  return Addressed{*id, *bank};
}

int Show(const AdminOptions& options, const Result<protocol::HeuristicRecord>& record) {
  if (!record) return Report(record.error());
  if (options.output == OutputFormat::kJson) {
    PrintJson(HeuristicJson(*record));
  } else {
    PrintText(HeuristicText(*record) + "\n");
  }
  return kExitDone;
}

int Force(AdminOptions& options) {
  if (options.decision != "commit" && options.decision != "abort") {
    return ReportUsage("\"" + options.decision + "\" is no decision; write commit or abort");
  }
  auto addressed = ReadAddressed(options);
  if (!addressed) return Report(addressed.error());
  const auto decision = options.decision == "commit" ? protocol::Decision::kCommit : protocol::Decision::kAbort;
  return Show(options, rpc::ForceTransaction(addressed->bank, addressed->id, decision));
}

int Acknowledge(AdminOptions& options) {
  auto addressed = ReadAddressed(options);
  if (!addressed) return Report(addressed.error());
  return Show(options, rpc::AcknowledgeTransaction(addressed->bank, addressed->id));
}

}  // namespace

void AddAdminCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* admin = app.add_subcommand("admin", "Operators' commands: what is in doubt, and deciding it");
  admin->require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& description, const std::string& examples,
                       int (*action)(AdminOptions&)) {
    return AddCommandWith<AdminOptions>(*admin, invocation, name, description, examples, action);
  };
  const auto about_one = [](CLI::App* command, AdminOptions& options) {
    command->add_option("ID", options.id, "The transaction's id")->required();
    command->add_option("--bank", options.bank, "The bank at which to do it")->required();
  };

  auto [in_doubt, in_doubt_options] =
      add("in-doubt", "List what has not ended: at the gateway and at every bank, with age, amount and why",
          "  strife admin in-doubt --config net/operator.toml\n"
          "  strife admin in-doubt --config net/operator.toml --min-age 1h --output json\n"
          "\nExit status 1 when a server could not be asked.",
          InDoubt);
  in_doubt->add_option("--min-age", in_doubt_options->min_age, "Only what is at least this old [5s]");
  in_doubt->add_option("--limit", in_doubt_options->limit, "At most this many of each server [100]")
      ->check(CLI::Range(1, 1000));

  auto [force, force_options] =
      add("force", "Decide a prepared transaction of a bank in the gateway's place; takes two operators",
          "  strife admin force 0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b abort --bank bank2 --config net/operator.toml\n"
          "  strife admin force 0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b abort --bank bank2 --config net/operator2.toml\n"
          "\nThe first call proposes, the second one, by another operator, does it.",
          Force);
  about_one(force, *force_options);
  force->add_option("DECISION", force_options->decision, "commit or abort")->required();

  auto [acknowledge, acknowledge_options] =
      add("acknowledge", "Say that what a forced transaction has left is settled by hand",
          "  strife admin acknowledge 0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b --bank bank2 --config net/operator.toml",
          Acknowledge);
  about_one(acknowledge, *acknowledge_options);

  AddGatewayAdminCommands(*admin, invocation);
}

}  // namespace strife::cli
