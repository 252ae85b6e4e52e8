#include "cli/admin_view.h"

#include <unistd.h>

#include <algorithm>

#include "cli/duration.h"
#include "cli/payment_view.h"
#include "cli/table.h"
#include "protocol/reason.h"

namespace strife::cli {
namespace {

using protocol::Decision;
using protocol::HeuristicRecord;
using protocol::HeuristicState;
using protocol::PaymentState;

std::string Name(Decision decision) { return decision == Decision::kCommit ? "commit" : "abort"; }

std::int64_t AgeSeconds(WallTime since, WallTime now) {
  return std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(now - since).count());
}

std::string AgeText(std::int64_t seconds) {
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3600) return std::to_string(seconds / 60) + "m" + std::to_string(seconds % 60) + "s";
  if (seconds < 86'400) return std::to_string(seconds / 3600) + "h" + std::to_string(seconds / 60 % 60) + "m";
  return std::to_string(seconds / 86'400) + "d" + std::to_string(seconds / 3600 % 24) + "h";
}

std::string Why(const protocol::ListOpenAnswer::Payment& payment) {
  if (payment.record.reason_code == protocol::reason::kHeuristicMixed) {
    return "a bank's operators have decided otherwise; settle and acknowledge it there";
  }
  const bool voting = payment.record.state == PaymentState::kInitiated;
  const bool aborting = payment.record.state == PaymentState::kAborted;
  std::string why;
  for (const auto& bank : payment.banks) {
    if (bank.answered) continue;
    if (!why.empty()) why += "; ";
    why += bank.bank_id;
    if (bank.unreachable) {
      why += " cannot be reached";
    } else {
      why += voting ? " has not voted" : aborting ? " has not confirmed the abort" : " has not confirmed the commit";
    }
  }
  return why;
}

std::string Who(const HeuristicRecord& record) { return record.proposed_by + " and " + record.confirmed_by; }

std::string Why(const protocol::InDoubtTransaction& in_doubt) {
  const auto& heuristic = in_doubt.heuristic;
  if (heuristic && protocol::WasForced(heuristic->state)) {
    return "forced to " + Name(heuristic->decision) + " by " + Who(*heuristic) +
           "; the gateway's decision is not known";
  }
  std::string why = in_doubt.inquiries == 0 ? "the decision is not late yet"
                                            : "the gateway was asked " + std::to_string(in_doubt.inquiries) +
                                                  " times and has not decided or not answered";
  if (heuristic) why += "; " + heuristic->proposed_by + " proposes to " + Name(heuristic->decision) + " it";
  return why;
}

Json TimeJson(WallTime time) { return time == WallTime() ? Json() : Json(FormatTime(time)); }

Json PaymentsJson(const GatewayInDoubt& gateway, WallTime now) {
  Json list = Json::array();
  for (const auto& payment : gateway.answer.payments) {
    Json banks = Json::array();
    for (const auto& bank : payment.banks) {
      banks.push_back({{"bank_id", bank.bank_id},
                       {"answered", bank.answered},
                       {"unreachable", bank.unreachable},
                       {"attempts", bank.attempts}});
    }
    Json one = PaymentJson(payment.record);
    one["age_seconds"] = AgeSeconds(payment.record.created_at, now);
    one["banks"] = banks;
    one["why"] = Why(payment);
    list.push_back(std::move(one));
  }
  return list;
}

Json BankJson(const BankInDoubt& bank, WallTime now) {
  Json transactions = Json::array(), mixed = Json::array();
  for (const auto& in_doubt : bank.answer.transactions) {
    const auto& transaction = in_doubt.transaction;
    transactions.push_back({{"transaction_id", transaction.id.ToString()},
                            {"state", std::string(StateName(transaction.state))},
                            {"age_seconds", AgeSeconds(transaction.created_at, now)},
                            {"debit_account", transaction.debit_account},
                            {"credit_account", transaction.credit_account},
                            {"amount", AmountJson(transaction.amount)},
                            {"inquiries", in_doubt.inquiries},
                            {"heuristic", in_doubt.heuristic ? HeuristicJson(*in_doubt.heuristic) : Json()},
                            {"why", Why(in_doubt)}});
  }
  for (const HeuristicRecord& record : bank.answer.mixed) mixed.push_back(HeuristicJson(record));
  return {{"bank_id", bank.bank_id},
          {"error", bank.error ? Json(bank.error->message) : Json()},
          {"total", bank.answer.total},
          {"transactions", transactions},
          {"mixed", mixed}};
}

void AddRows(Table& table, const GatewayInDoubt& gateway, WallTime now) {
  for (const auto& payment : gateway.answer.payments) {
    const protocol::PaymentOrder& order = payment.record.order;
    table.AddRow({"gateway", order.id.ToString(), AgeText(AgeSeconds(payment.record.created_at, now)),
                  StateText(payment.record.state), AccountText(order.from) + " to " + AccountText(order.to),
                  AmountText(order.amount), Why(payment)});
  }
}

void AddRows(Table& table, const BankInDoubt& bank, WallTime now) {
  for (const auto& in_doubt : bank.answer.transactions) {
    const auto& transaction = in_doubt.transaction;
    std::string accounts;
    if (!transaction.debit_account.empty()) accounts = "from " + transaction.debit_account;
    if (!transaction.credit_account.empty()) {
      accounts += (accounts.empty() ? "to " : " to ") + transaction.credit_account;
    }
    table.AddRow({bank.bank_id, transaction.id.ToString(), AgeText(AgeSeconds(transaction.created_at, now)),
                  std::string(StateName(transaction.state)), accounts, AmountText(transaction.amount), Why(in_doubt)});
  }
  for (const HeuristicRecord& record : bank.answer.mixed) {
    table.AddRow({bank.bank_id, record.transaction_id.ToString(), AgeText(AgeSeconds(record.forced_at, now)), "MIXED",
                  "", "",
                  "forced to " + Name(record.decision) + " by " + Who(record) +
                      " against the gateway's decision; settle it and acknowledge"});
  }
}

}  // namespace

Json HeuristicJson(const HeuristicRecord& record) {
  return {{"transaction_id", record.transaction_id.ToString()},
          {"state", std::string(StateName(record.state))},
          {"decision", Name(record.decision)},
          {"proposed_by", record.proposed_by},
          {"proposed_at", TimeJson(record.proposed_at)},
          {"confirmed_by", record.confirmed_by},
          {"forced_at", TimeJson(record.forced_at)},
          {"decided_at", TimeJson(record.decided_at)},
          {"acknowledged_by", record.acknowledged_by},
          {"acknowledged_at", TimeJson(record.acknowledged_at)}};
}

std::string HeuristicText(const HeuristicRecord& record) {
  const std::string id = record.transaction_id.ToString(), deed = Name(record.decision);
  switch (record.state) {
    case HeuristicState::kProposed:
      return "proposed to " + deed + " " + id +
             "; nothing has been done: another operator must give the same command "
             "within 15 minutes";
    case HeuristicState::kForced:
      return "forced " + id + " to " + deed +
             "; the gateway's decision will be compared with it, see strife admin "
             "in-doubt";
    case HeuristicState::kAgreed:
      return id + " was forced to " + deed + ", as the gateway has decided";
    case HeuristicState::kMixed:
      return id + " was forced to " + deed + " against the gateway's decision; settle the difference by hand";
    case HeuristicState::kAcknowledged:
      return "acknowledged: what forcing " + id + " to " + deed + " has left is settled";
  }
  return {};
}

Json InDoubtJson(const GatewayInDoubt& gateway, const std::vector<BankInDoubt>& banks, WallTime now) {
  Json list = Json::array();
  for (const BankInDoubt& bank : banks) list.push_back(BankJson(bank, now));
  return {{"gateway",
           {{"error", gateway.error ? Json(gateway.error->message) : Json()},
            {"total", gateway.answer.total},
            {"payments", PaymentsJson(gateway, now)}}},
          {"banks", list}};
}

std::string InDoubtText(const GatewayInDoubt& gateway, const std::vector<BankInDoubt>& banks, WallTime now) {
  Table table({{"where", Align::kLeft},
               {"transaction", Align::kLeft},
               {"age", Align::kRight},
               {"state", Align::kLeft},
               {"accounts", Align::kLeft},
               {"amount", Align::kRight},
               {"why", Align::kLeft}});
  AddRows(table, gateway, now);
  for (const BankInDoubt& bank : banks) AddRows(table, bank, now);
  if (table.empty()) {
    std::string silent = gateway.error ? "the gateway" : "";
    for (const BankInDoubt& bank : banks) {
      if (bank.error) silent += (silent.empty() ? "" : ", ") + bank.bank_id;
    }
    return silent.empty() ? "nothing is in doubt\n"
                          : "nothing is in doubt where it could be asked; not asked: " + silent + "\n";
  }
  return table.Render(MayDecorate(STDOUT_FILENO));
}

}  // namespace strife::cli
