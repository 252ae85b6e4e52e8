#include "cli/admin_gateway_view.h"

#include <algorithm>

#include "audit/hex.h"
#include "cli/duration.h"
#include "cli/payment_view.h"
#include "cli/table.h"

namespace strife::cli {
namespace {

constexpr std::size_t kShownDigits = 16;  // of a certificate's digest

std::string Millis(Duration duration) {
  if (duration == Duration::zero()) return "";
  const auto tenths = duration.count() / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " ms";
}

std::int64_t SecondsSince(WallTime time, WallTime now) {
  return std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(now - time).count());
}

std::string Why(const SuspensionRecord& record) {
  return "by " + record.by + " at " + FormatTime(record.at) + (record.reason.empty() ? "" : ": " + record.reason);
}

}  // namespace

Json SuspensionJson(const SuspensionRecord& record) {
  return {{"kind", record.kind == SuspendedKind::kBank ? "bank" : "user"},
          {"name", record.name},
          {"suspended", record.suspended},
          {"by", record.by},
          {"reason", record.reason},
          {"at", FormatTime(record.at)}};
}

std::string SuspensionText(const SuspensionRecord& record) {
  const bool bank = record.kind == SuspendedKind::kBank;
  const std::string who = (bank ? "bank " : "user ") + record.name;
  if (!record.suspended) return who + " is resumed";
  return who + " is suspended: " +
         (bank ? "new payments with it are declined, those under way go on"
               : "it can neither log in nor pay, and its sessions are refused");
}

Json BanksJson(const rpc::BanksOverview& overview, WallTime now) {
  Json banks = Json::array(), users = Json::array();
  for (const rpc::BankOverview& bank : overview.banks) {
    const rpc::BankHealth& health = bank.health;
    banks.push_back(
        {{"bank_id", health.bank_id},
         {"endpoint", health.endpoint},
         {"up", health.up},
         {"last_heartbeat", health.last_heartbeat ? Json(FormatTime(*health.last_heartbeat)) : Json()},
         {"heartbeat_age_seconds", health.last_heartbeat ? Json(SecondsSince(*health.last_heartbeat, now)) : Json()},
         {"latency_us", health.latency.count()},
         {"queued", health.queued},
         {"open", bank.open},
         {"ahead", health.ahead},
         {"suspension", bank.suspension ? SuspensionJson(*bank.suspension) : Json()}});
  }
  for (const SuspensionRecord& user : overview.suspended_users) users.push_back(SuspensionJson(user));
  return {{"draining", overview.draining}, {"banks", banks}, {"suspended_users", users}};
}

std::string BanksText(const rpc::BanksOverview& overview, WallTime now) {
  Table table({{"bank", Align::kLeft},
               {"state", Align::kLeft},
               {"latency", Align::kRight},
               {"heard", Align::kRight},
               {"open", Align::kRight},
               {"queued", Align::kRight, 2},
               {"endpoint", Align::kLeft, 3},
               {"suspended", Align::kLeft, 1}});
  for (const rpc::BankOverview& bank : overview.banks) {
    const rpc::BankHealth& health = bank.health;
    table.AddRow(
        {health.bank_id,
         std::string(health.up ? "up" : "DOWN") + (bank.suspension ? ", SUSPENDED" : "") +
             (health.ahead ? ", AHEAD" : ""),
         Millis(health.latency),
         health.last_heartbeat ? std::to_string(SecondsSince(*health.last_heartbeat, now)) + " s ago" : "never",
         std::to_string(bank.open), std::to_string(health.queued), health.endpoint,
         bank.suspension ? Why(*bank.suspension) : ""});
  }
  std::string text = table.empty() ? "no bank has registered\n" : table.RenderForOutput();
  for (const rpc::BankOverview& bank : overview.banks) {
    if (!bank.health.ahead) continue;
    text += bank.health.bank_id +
            " is ahead: it has seen work of this gateway that is not in its store. Its payments wait until you have "
            "compared the books (strife verify); then strife admin resume bank " +
            bank.health.bank_id + "\n";
  }
  for (const SuspensionRecord& user : overview.suspended_users) {
    text += "user " + user.name + " is suspended " + Why(user) + "\n";
  }
  if (overview.draining) text += "The gateway is drained: it takes no new payments; see strife admin undrain\n";
  return text;
}

Json TransactionsJson(const std::vector<protocol::PaymentRecord>& payments) {
  Json list = Json::array();
  for (const protocol::PaymentRecord& payment : payments) {
    Json one = PaymentJson(payment);
    one["username"] = payment.order.payer;
    list.push_back(std::move(one));
  }
  return {{"transactions", list}};
}

std::string TransactionsText(const std::vector<protocol::PaymentRecord>& payments) {
  Table table({{"transaction", Align::kLeft},
               {"time", Align::kLeft, 2},
               {"user", Align::kLeft},
               {"from", Align::kLeft},
               {"to", Align::kLeft},
               {"amount", Align::kRight},
               {"state", Align::kLeft},
               {"reason", Align::kLeft, 1}});
  for (const protocol::PaymentRecord& payment : payments) {
    const protocol::PaymentOrder& order = payment.order;
    table.AddRow({order.id.ToString(), FormatTime(payment.created_at), order.payer, AccountText(order.from),
                  AccountText(order.to), AmountText(order.amount), StateText(payment.state), payment.reason_code});
  }
  return table.empty() ? "no such transactions\n" : table.RenderForOutput();
}

Json SessionsJson(const std::vector<SessionRecord>& sessions) {
  Json list = Json::array();
  for (const SessionRecord& session : sessions) {
    list.push_back({{"session_id", session.session_id.ToString()},
                    {"username", session.username},
                    {"certificate_sha256", audit::ToHex(session.certificate_thumbprint)},
                    {"created_at", FormatTime(session.created_at)},
                    {"expires_at", FormatTime(session.expires_at)}});
  }
  return {{"sessions", list}};
}

std::string SessionsText(const std::vector<SessionRecord>& sessions) {
  Table table({{"session", Align::kLeft},
               {"user", Align::kLeft},
               {"certificate", Align::kLeft, 1},
               {"since", Align::kLeft},
               {"until", Align::kLeft}});
  for (const SessionRecord& session : sessions) {
    table.AddRow({session.session_id.ToString(), session.username,
                  audit::ToHex(session.certificate_thumbprint).substr(0, kShownDigits), FormatTime(session.created_at),
                  FormatTime(session.expires_at)});
  }
  return table.empty() ? "no live sessions\n" : table.RenderForOutput();
}

}  // namespace strife::cli
