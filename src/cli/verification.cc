#include "cli/verification.h"

#include <unistd.h>

#include <algorithm>

#include "cli/admin_view.h"
#include "cli/payment_view.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "storage/sqlite/bank_sqlite.h"
#include "storage/sqlite/gateway_sqlite.h"
#include "verify/verify.h"

namespace strife::cli {
namespace {

constexpr std::size_t kShownViolations = 50;

std::string WithPlural(std::uint64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

Json TotalsJson(const std::vector<LedgerTotals>& totals) {
  Json list = Json::array();
  for (const LedgerTotals& total : totals) {
    list.push_back({{"currency", std::string(total.currency.code())},
                    {"debits", AmountJson({total.debits, total.currency})},
                    {"credits", AmountJson({total.credits, total.currency})},
                    {"clearing", AmountJson({total.clearing, total.currency})},
                    {"held", AmountJson({total.held, total.currency})},
                    {"accounts", total.accounts}});
  }
  return list;
}

Json BankJson(const verify::BankSummary& bank) {
  return {{"bank_id", bank.bank_id},   {"committed", bank.committed},
          {"aborted", bank.aborted},   {"prepared", bank.prepared},
          {"own", bank.own},           {"entries", bank.entries},
          {"accounts", bank.accounts}, {"totals", TotalsJson(bank.totals)}};
}

Json ViolationJson(const invariant::Violation& violation) {
  return {{"invariant", std::string(violation.invariant)},
          {"transaction_id", violation.transaction_id.IsNil() ? "" : violation.transaction_id.ToString()},
          {"bank_id", violation.bank_id},
          {"account_id", violation.account_id},
          {"message", violation.sentence},
          {"expected", violation.expected},
          {"found", violation.found}};
}

std::string ViolationText(const invariant::Violation& violation) {
  std::string line(violation.invariant);
  if (!violation.transaction_id.IsNil()) line += "  payment " + violation.transaction_id.ToString();
  if (!violation.bank_id.empty()) line += "  bank " + violation.bank_id;
  if (!violation.account_id.empty()) line += "  account " + violation.account_id;
  return line + "  " + violation.sentence + "\n";
}

Table BankTable(const verify::Report& report) {
  Table table({{"bank", Align::kLeft},
               {"committed", Align::kRight},
               {"aborted", Align::kRight},
               {"prepared", Align::kRight},
               {"entries", Align::kRight},
               {"accounts", Align::kRight},
               {"clearing", Align::kRight},
               {"held", Align::kRight}});
  for (const verify::BankSummary& bank : report.banks) {
    std::string clearing, held;
    for (const LedgerTotals& total : bank.totals) {
      clearing += (clearing.empty() ? "" : ", ") + AmountText({total.clearing, total.currency});
      held += (held.empty() ? "" : ", ") + AmountText({total.held, total.currency});
    }
    table.AddRow({bank.bank_id, std::to_string(bank.committed), std::to_string(bank.aborted),
                  std::to_string(bank.prepared), std::to_string(bank.entries), std::to_string(bank.accounts), clearing,
                  held});
  }
  return table;
}

}  // namespace

Result<verify::Report> VerifyBooks(const std::vector<NetworkServer>& servers, bool show_progress) {
  std::unique_ptr<GatewayReader> gateway;
  std::map<std::string, std::unique_ptr<BankReader>> banks;
  for (const NetworkServer& server : servers) {
    if (server.role == security::Role::kGateway) {
      auto reader = OpenGatewayReader(server.data_dir / "gateway.db");
      if (!reader) return std::unexpected(reader.error());
      gateway = std::move(*reader);
    } else {
      auto reader = OpenBankReader(server.data_dir / "bank.db");
      if (!reader) return std::unexpected(reader.error());
      banks[server.name] = std::move(*reader);
    }
  }
  if (gateway == nullptr) {
    return Fail(ErrorCode::kUsage, "the gateway's books are needed; name its configuration as well");
  }
  std::map<std::string, BankReader*> readers;
  for (const auto& [id, reader] : banks) readers[id] = reader.get();
  if (!show_progress || !MayDecorate(STDERR_FILENO)) return verify::Verify(*gateway, readers);
  auto count = gateway->CountPayments();
  if (!count) return std::unexpected(count.error());
  Progress progress("payments", *count);
  return verify::Verify(*gateway, readers, [&](std::uint64_t done) { progress.Update(std::min(done, *count)); });
}

Json ReportJson(const verify::Report& report) {
  Json payments = Json::object(), banks = Json::array(), by_invariant = Json::object(), violations = Json::array(),
       forced = Json::array();
  for (const auto& [state, count] : report.payments) payments[StateText(state)] = count;
  for (const auto& bank : report.banks) banks.push_back(BankJson(bank));
  for (const auto& [name, count] : report.violations_by_invariant) by_invariant[std::string(name)] = count;
  for (const auto& one : report.forced) {
    Json json = {{"bank_id", one.bank_id}};
    json.update(HeuristicJson(one.record));
    forced.push_back(std::move(json));
  }
  for (const auto& violation : report.violations) violations.push_back(ViolationJson(violation));
  return {{"ok", report.ok()},
          {"payments", payments},
          {"open", report.open},
          {"moving", report.moving},
          {"banks", banks},
          {"banks_not_checked", report.banks_not_checked},
          {"clearing_checked", report.clearing_checked},
          {"forced", forced},
          {"violation_count", report.violation_count},
          {"violations_by_invariant", by_invariant},
          {"violations", violations}};
}

std::string ReportText(const verify::Report& report) {
  std::string text = BankTable(report).Render(MayDecorate(STDOUT_FILENO)) + "\n";
  for (const auto& [state, count] : report.payments)
    text += WithPlural(count, "payment") + " " + StateText(state) + "\n";
  if (report.moving > 0)
    text += WithPlural(report.moving, "payment") + " went on while the books were read and was looked up again\n";
  for (const auto& one : report.forced) text += "forced at " + one.bank_id + ": " + HeuristicText(one.record) + "\n";
  for (const std::string& bank : report.banks_not_checked) text += "NOT CHECKED: the books of " + bank + "\n";
  if (!report.clearing_checked) {
    text += "The clearing accounts could not be summed up: the books of a bank are missing.\n";
  }
  for (std::size_t i = 0; i < report.violations.size() && i < kShownViolations; ++i) {
    text += ViolationText(report.violations[i]);
  }
  if (report.violation_count > kShownViolations) text += "… the rest is in --output json\n";
  return text + ReportVerdict(report) + "\n";
}

std::string ReportVerdict(const verify::Report& report) {
  std::uint64_t payments = 0;
  for (const auto& [state, count] : report.payments) payments += count;
  if (!report.ok()) {
    return "the books are WRONG: " + WithPlural(report.violation_count, "violation") + " in " +
           WithPlural(payments, "payment");
  }
  return "the books are right: " + WithPlural(payments, "payment") + " at " + WithPlural(report.banks.size(), "bank") +
         ", " + std::to_string(report.open) + " open, no violation";
}

}  // namespace strife::cli
