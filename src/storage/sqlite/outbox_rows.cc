#include "storage/sqlite/outbox_rows.h"

#include <array>
#include <limits>
#include <string>
#include <utility>

#include "storage/sqlite/row.h"

namespace strife::sqlite {
namespace {

constexpr int kStateColumn = 10;
constexpr std::array kColumnNames = {
    "place",    "id",   "user",   "payer's bank", "payer's account", "payee's bank",   "payee's account", "amount",
    "currency", "memo", "state",  "sent mark",    "attempts",        "payment state",  "reason",          "message",
    "time",     "time", "expiry", "told mark",    "time of sending", "time of sending"};

}  // namespace

Result<protocol::OutboxItem> ReadOutboxItem(const Statement& statement) {
  using protocol::OutboxState;
  using protocol::PaymentState;
  Row row(statement, "queue");
  protocol::OutboxItem item;
  item.sequence = row.Unsigned(0);
  item.order.id = row.Id(1);
  item.order.payer = row.Text(2);
  item.order.from = {row.Text(3), row.Text(4)};
  item.order.to = {row.Text(5), row.Text(6)};
  item.order.amount = {row.IntegerBetween(7, 1, std::numeric_limits<std::int64_t>::max()), row.CurrencyCode(8)};
  item.order.memo = row.Text(9);
  item.state = row.Enumerated(kStateColumn, OutboxState::kQueued, OutboxState::kExpired);
  item.may_have_arrived = row.IntegerBetween(11, 0, 1) != 0;
  item.attempts = static_cast<std::uint32_t>(row.IntegerBetween(12, 0, std::numeric_limits<std::uint32_t>::max()));
  item.payment_state = row.Enumerated(13, PaymentState::kInitiated, PaymentState::kPartialCommit);
  item.reason_code = row.Text(14);
  item.message = row.Text(15);
  item.queued_at = row.Time(16);
  item.updated_at = row.Time(17);
  item.expires_at = row.OptionalTime(18);
  item.told = row.IntegerBetween(19, 0, 1) != 0;
  item.first_sent_at = row.OptionalTime(20);
  item.last_sent_at = row.OptionalTime(21);
  if (const auto column = row.malformed_column()) {
    item.damage = std::string("its ") + kColumnNames.at(static_cast<std::size_t>(*column)) + " cannot be read";
    const auto state = statement.Integer(kStateColumn);
    if (!state || *state != static_cast<std::int64_t>(item.state)) item.state = OutboxState::kParked;
  }
  return item;
}

}  // namespace strife::sqlite
