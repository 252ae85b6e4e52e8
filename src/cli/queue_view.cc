#include "cli/queue_view.h"

#include <algorithm>

#include "cli/duration.h"
#include "cli/payment_view.h"

namespace strife::cli {
namespace {

using protocol::OutboxState;
using protocol::PaymentState;

std::string ReasonText(const OutboxItem& item) {
  if (!item.damage.empty() && item.reason_code.empty()) return item.damage;
  return item.reason_code + (item.reason_code.empty() || item.message.empty() ? "" : " ") + item.message;
}

}  // namespace

std::string StandingText(const OutboxItem& item) {
  switch (item.state) {
    case OutboxState::kSent:
      return "UNKNOWN";
    case OutboxState::kFollowed:
    case OutboxState::kDone:
      return StateText(item.payment_state);
    default:
      return std::string(protocol::StateName(item.state));
  }
}

Json QueueItemJson(const OutboxItem& item) {
  const auto& order = item.order;
  Json json = {{"transaction_id", order.id.ToString()},
               {"place", item.sequence},
               {"state", StandingText(item)},
               {"queue_state", std::string(protocol::StateName(item.state))},
               {"may_have_been_sent", item.may_have_arrived},
               {"from", AccountJson(order.from)},
               {"to", AccountJson(order.to)}};
  json.update(AmountJson(order.amount));
  json.update({{"memo", order.memo},
               {"reason_code", item.reason_code},
               {"message", item.message.empty() ? item.damage : item.message},
               {"queued_at", FormatTime(item.queued_at)},
               {"updated_at", FormatTime(item.updated_at)},
               {"expires_at", item.expires_at ? Json(FormatTime(*item.expires_at)) : Json()}});
  return json;
}

Table QueueTable(const std::vector<OutboxItem>& items) {
  Table table({{"place", Align::kRight},
               {"payment", Align::kLeft, 1},  // the place names it as well
               {"to", Align::kLeft},
               {"amount", Align::kRight},
               {"state", Align::kLeft},
               {"reason", Align::kLeft}});
  for (const OutboxItem& item : items) {
    table.AddRow({std::to_string(item.sequence), item.order.id.ToString(), AccountText(item.order.to),
                  AmountText(item.order.amount), StandingText(item),
                  item.reason_code.empty() ? item.damage : item.reason_code});
  }
  return table;
}

std::string QueueItemText(const OutboxItem& item) {
  return RenderFields({{"payment", item.order.id.ToString()},
                       {"place", std::to_string(item.sequence)},
                       {"state", StandingText(item)},
                       {"reason", ReasonText(item)},
                       {"amount", AmountText(item.order.amount)},
                       {"from", AccountText(item.order.from)},
                       {"to", AccountText(item.order.to)},
                       {"memo", item.order.memo},
                       {"queued", FormatTime(item.queued_at)},
                       {"updated", FormatTime(item.updated_at)},
                       {"expires", item.expires_at ? FormatTime(*item.expires_at) : ""}});
}

std::string OutcomeSentence(const OutboxItem& item) {
  std::string text = "queued payment of " + AmountText(item.order.amount) + " to " + AccountText(item.order.to) + " (" +
                     item.order.id.ToString() + "): ";
  const std::string reason = ReasonText(item);
  switch (item.state) {
    case OutboxState::kDone:
      if (item.payment_state == PaymentState::kCompleted) return text + "completed";
      return text + "declined, no money has moved" + (reason.empty() ? "" : ": " + reason);
    case OutboxState::kParked:
      if (item.may_have_arrived) return text + "set aside, its outcome is not known: " + reason;
      return text + "refused and set aside: " + reason;
    case OutboxState::kFollowed:
      return text + "on its way, a bank is late";
    case OutboxState::kCancelled:
      return text + "cancelled";
    case OutboxState::kExpired:
      return text + "expired, " + item.message;
    default:
      return text + "waiting";
  }
}

std::string LoginAdvice(std::size_t waiting, const std::string& user) {
  return "log in to send " + std::to_string(waiting) + " queued payment" + (waiting == 1 ? "" : "s") +
         ": strife login " + user;
}

std::size_t CountWaiting(const std::filesystem::path& data_dir, const std::string& user) {
  std::error_code ignored;
  if (!std::filesystem::exists(data_dir / "outbox.db", ignored)) return 0;
  auto queue = client::Queue::Open(data_dir);
  if (!queue) return 0;
  auto items = (*queue)->List(user);
  if (!items) return 0;
  return static_cast<std::size_t>(
      std::ranges::count_if(*items, [](const OutboxItem& item) { return protocol::IsWaiting(item.state); }));
}

std::optional<OutboxItem> FindQueued(const std::filesystem::path& data_dir, const std::string& user, const Uuid& id) {
  std::error_code ignored;
  if (!std::filesystem::exists(data_dir / "outbox.db", ignored)) return std::nullopt;
  auto queue = client::Queue::Open(data_dir);
  if (!queue) return std::nullopt;
  auto item = (*queue)->Find(id);
  if (!item || !*item || (*item)->order.payer != user) return std::nullopt;
  return std::move(*item);
}

void TellOutcomes(client::Queue& queue, const std::string& user) {
  auto untold = queue.TakeUntold(user);
  if (!untold) return PrintError(untold.error().message);
  for (const OutboxItem& item : *untold) PrintError(OutcomeSentence(item));
}

}  // namespace strife::cli
