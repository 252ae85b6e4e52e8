#include "cli/payment_view.h"

#include <array>

#include "base/limits.h"
#include "base/text.h"
#include "cli/duration.h"

namespace strife::cli {
namespace {

using protocol::PaymentState;

constexpr std::array kStates = {PaymentState::kInitiated, PaymentState::kCommitting, PaymentState::kCompleted,
                                PaymentState::kAborted, PaymentState::kPartialCommit};

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (upper(a[i]) != upper(b[i])) return false;
  }
  return true;
}

std::string Reason(const protocol::PaymentRecord& payment) {
  if (payment.reason_code.empty() || payment.message.empty()) return payment.reason_code + payment.message;
  return payment.reason_code + " " + payment.message;
}

}  // namespace

std::string StateText(PaymentState state) { return std::string(protocol::StateName(state)); }

std::optional<PaymentState> ParseStateName(std::string_view name) {
  for (PaymentState state : kStates) {
    if (EqualIgnoringCase(protocol::StateName(state), name)) return state;
  }
  return std::nullopt;
}

std::string AccountText(const protocol::AccountRef& account) { return account.bank_id + "/" + account.account_id; }

Result<protocol::AccountRef> ParseAccount(std::string_view text) {
  std::size_t slash = text.find('/');
  std::string_view bank = text.substr(0, slash);
  std::string_view account = slash == std::string_view::npos ? "" : text.substr(slash + 1);
  if (IsIdentifier(bank, limits::kMaxBankIdBytes) && IsIdentifier(account, limits::kMaxAccountIdBytes)) {
    return protocol::AccountRef{std::string(bank), std::string(account)};
  }
  return Fail(ErrorCode::kInvalidInput,
              "\"" + Sanitize(text, 80) + "\" is not an account; write BANK/ACCOUNT, such as bank2/user1");
}

Json AccountJson(const protocol::AccountRef& account) {
  return {{"bank_id", account.bank_id}, {"account_id", account.account_id}};
}

Json AccountsJson(const std::vector<protocol::AccountRef>& accounts) {
  Json json = Json::array();
  for (const auto& account : accounts) json.push_back(AccountJson(account));
  return json;
}

Json PaymentJson(const protocol::PaymentRecord& payment) {
  Json json = {{"transaction_id", payment.order.id.ToString()},
               {"state", StateText(payment.state)},
               {"from", AccountJson(payment.order.from)},
               {"to", AccountJson(payment.order.to)}};
  json.update(AmountJson(payment.order.amount));
  json.update({{"memo", payment.order.memo},
               {"reason_code", payment.reason_code},
               {"message", payment.message},
               {"created_at", FormatTime(payment.created_at)},
               {"updated_at", FormatTime(payment.updated_at)}});
  return json;
}

std::string PaymentText(const protocol::PaymentRecord& payment) {
  return RenderFields({{"payment", payment.order.id.ToString()},
                       {"state", StateText(payment.state)},
                       {"reason", Reason(payment)},
                       {"amount", AmountText(payment.order.amount)},
                       {"from", AccountText(payment.order.from)},
                       {"to", AccountText(payment.order.to)},
                       {"memo", payment.order.memo},
                       {"created", FormatTime(payment.created_at)},
                       {"updated", FormatTime(payment.updated_at)}});
}

Table PaymentTable(const std::vector<protocol::PaymentRecord>& payments) {
  Table table({{"created", Align::kLeft, 1},
               {"payment", Align::kLeft},
               {"from", Align::kLeft, 3},
               {"to", Align::kLeft},
               {"amount", Align::kRight},
               {"state", Align::kLeft},
               {"reason", Align::kLeft, 2},
               {"memo", Align::kLeft, 4}});
  for (const auto& payment : payments) {
    table.AddRow({FormatTime(payment.created_at), payment.order.id.ToString(), AccountText(payment.order.from),
                  AccountText(payment.order.to), AmountText(payment.order.amount), StateText(payment.state),
                  payment.reason_code, payment.order.memo});
  }
  return table;
}

int ExitFor(PaymentState state) {
  if (state == PaymentState::kCompleted) return kExitDone;
  return state == PaymentState::kAborted ? kExitFailed : kExitUnknownOutcome;
}

std::string DeliveryName(rpc::Delivery delivery) {
  switch (delivery) {
    case rpc::Delivery::kNotSent:
      return "NOT_SENT";
    case rpc::Delivery::kUnknown:
      return "UNKNOWN";
    case rpc::Delivery::kRefused:
      return "REFUSED";
  }
  return "UNKNOWN";
}

}  // namespace strife::cli
