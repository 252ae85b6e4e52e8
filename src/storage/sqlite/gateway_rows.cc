#include "storage/sqlite/gateway_rows.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "storage/sqlite/row.h"

namespace strife::sqlite {

using protocol::PaymentState;

Result<protocol::PaymentRecord> ReadPayment(const Statement& statement) {
  Row row(statement, "payments");
  protocol::PaymentRecord payment;
  payment.order.id = row.Id(0);
  payment.order.payer = row.Text(1);
  payment.order.from = {row.Text(2), row.Text(3)};
  payment.order.to = {row.Text(4), row.Text(5)};
  payment.order.amount.minor_units = static_cast<std::int64_t>(row.Unsigned(6));
  payment.order.amount.currency = row.OptionalCurrencyCode(7);
  payment.order.memo = row.Text(8);
  payment.state = row.Enumerated(9, PaymentState::kInitiated, PaymentState::kPartialCommit);
  payment.reason_code = row.Text(10);
  payment.message = row.Text(11);
  payment.epoch = row.Unsigned(12);
  payment.created_at = row.Time(13);
  payment.updated_at = row.Time(14);
  return row.Finish(std::move(payment));
}

Result<protocol::BankRecord> ReadBank(const Statement& statement) {
  Row row(statement, "banks");
  protocol::BankRecord bank;
  bank.bank_id = row.Text(0);
  bank.display_name = row.Text(1);
  bank.endpoint = row.Text(2);
  bank.currencies = SplitNames(row.Text(3));
  bank.capabilities = SplitNames(row.Text(4));
  bank.registered_at = row.Time(5);
  bank.ahead = row.Unsigned(6);
  // As a registration is checked: the gateway will dial it.
  const auto are_names = [](const std::vector<std::string>& names, std::size_t most) {
    return names.size() <= most && std::ranges::all_of(names, [](const std::string& name) {
             return IsIdentifier(name, limits::kMaxBankIdBytes);
           });
  };
  row.Require(IsIdentifier(bank.bank_id, limits::kMaxBankIdBytes), 0);
  row.Require(bank.display_name.size() <= limits::kMaxDisplayNameBytes, 1);
  row.Require(bank.endpoint.size() <= limits::kMaxEndpointBytes, 2);
  row.Require(are_names(bank.currencies, limits::kMaxCurrenciesPerBank), 3);
  row.Require(are_names(bank.capabilities, limits::kMaxCapabilitiesPerBank), 4);
  return row.Finish(std::move(bank));
}

Result<SessionRecord> ReadSession(const Statement& statement) {
  Row row(statement, "sessions");
  SessionRecord session;
  session.session_id = row.Id(0);
  session.username = row.Text(1);
  session.certificate_thumbprint = row.Bytes<32>(2);
  session.created_at = row.Time(3);
  session.expires_at = row.Time(4);
  session.revoked_at = row.OptionalTime(5);
  session.credential = row.Bytes<32>(6);
  session.generation = row.IntegerBetween(7, 0, limits::kMaxRefreshGeneration);
  return row.Finish(std::move(session));
}

Result<RefreshTokenRecord> ReadRefreshToken(const Statement& statement) {
  Row row(statement, "refresh_tokens");
  RefreshTokenRecord token;
  token.token_hash = row.Bytes<32>(0);
  token.session_id = row.Id(1);
  token.expires_at = row.Time(2);
  token.used_at = row.OptionalTime(3);
  token.generation = row.IntegerBetween(4, 0, limits::kMaxRefreshGeneration);
  return row.Finish(token);
}

Result<LoginCounterRecord> ReadLoginCounter(const Statement& statement) {
  Row row(statement, "login_counters");
  LoginCounterRecord counter;
  counter.key.scope = row.Enumerated(0, LoginScope::kDevice, LoginScope::kAddress);
  counter.key.subject = row.Text(1);
  counter.failures = row.IntegerBetween(2, 0, limits::kMaxCountedLoginFailures);
  counter.counted_at = row.Time(3);
  counter.blocked_until = row.OptionalTime(4);
  counter.succeeded_at = row.OptionalTime(5);
  counter.forget_at = row.Time(6);
  return row.Finish(std::move(counter));
}

Result<SuspensionRecord> ReadSuspension(const Statement& statement) {
  Row row(statement, "suspensions");
  SuspensionRecord suspension;
  suspension.kind = row.Enumerated(0, SuspendedKind::kBank, SuspendedKind::kUser);
  suspension.name = row.Text(1);
  suspension.by = row.Text(2);
  suspension.reason = row.Text(3);
  suspension.at = row.Time(4);
  return row.Finish(std::move(suspension));
}

std::string JoinNames(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ',';
    text += name;
  }
  return text;
}

std::vector<std::string> SplitNames(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) names.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return names;
}

}  // namespace strife::sqlite
