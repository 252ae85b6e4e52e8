#include "protocol/outbox.h"

#include <utility>

#include "base/limits.h"
#include "base/text.h"

namespace strife::protocol {

std::optional<std::string> CheckOrder(const PaymentOrder& order) {
  const auto is_account = [](const AccountRef& account) {
    return IsIdentifier(account.bank_id, limits::kMaxBankIdBytes) &&
           IsIdentifier(account.account_id, limits::kMaxAccountIdBytes);
  };
  if (order.id.IsNil()) return "it has no id";
  if (!IsIdentifier(order.payer, limits::kMaxUsernameBytes)) return "its user is not a user name";
  if (!is_account(order.from)) return "the payer's account is not BANK/ACCOUNT";
  if (!is_account(order.to)) return "the payee's account is not BANK/ACCOUNT";
  if (order.from == order.to) return "payer and payee are the same account";
  if (order.amount.currency.code().empty()) return "it has no currency";
  if (order.amount.minor_units <= 0) return "its amount is not more than zero";
  if (order.amount.minor_units > limits::kMaxAmountMinorUnits) return "its amount is too large";
  if (order.memo.size() > limits::kMaxMemoBytes) {
    return "its memo is longer than " + std::to_string(limits::kMaxMemoBytes) + " bytes";
  }
  if (!IsPrintableUtf8(order.memo)) return "its memo holds control characters or is not UTF-8";
  return std::nullopt;
}

void Outbox::CollectKeys(const Input& input, Keys& keys) const {
  std::visit(
      [&](const auto& it) {
        using T = std::decay_t<decltype(it)>;
        if constexpr (std::is_same_v<T, EnqueueInput>) keys.ids.push_back(it.order.id);
        if constexpr (std::is_same_v<T, CancelInput> || std::is_same_v<T, RetryInput> ||
                      std::is_same_v<T, OutboxAcknowledgeInput> || std::is_same_v<T, DeliveryInput>) {
          keys.ids.push_back(it.id);
        }
        if constexpr (std::is_same_v<T, ToldInput>) keys.ids.insert(keys.ids.end(), it.ids.begin(), it.ids.end());
        if constexpr (std::is_same_v<T, SessionInput>) keys.user = it.user;
      },
      input);
  if (keys.user.empty()) keys.user = user_;
}

Outbox::Effects Outbox::Step(const Now& now, const std::vector<Input>& inputs, Rows rows) {
  Batch batch{now, std::move(rows), {}};
  for (const Input& input : inputs) {
    std::visit([&](const auto& it) { Apply(batch, it); }, input);
  }
  wake_at_.reset();
  Advance(batch);
  OutboxStatus& status = batch.effects.status;
  status.user = user_;
  status.waiting = user_.empty() ? 0 : batch.rows.waiting;
  for (const auto& [sequence, item] : batch.rows.items) {
    status.followed += item.state == OutboxState::kFollowed && item.order.payer == user_ ? 1 : 0;
  }
  status.online = online_;
  status.needs_login = needs_login_;
  status.in_flight = in_flight_.has_value();
  status.failures = failures_;
  status.last_failure = last_failure_;
  return std::move(batch.effects);
}

OutboxItem* Outbox::Find(Batch& batch, const Uuid& id) {
  for (auto& [sequence, item] : batch.rows.items) {
    if (item.order.id == id) return &item;
  }
  return nullptr;
}

void Outbox::Answer(Batch& batch, ReplyTo reply_to, OutboxOutcome outcome, const OutboxItem& item,
                    std::string message) {
  if (reply_to.call == 0) return;
  batch.effects.answers.push_back({reply_to, outcome, item, std::move(message)});
}

void Outbox::Record(Batch& batch, OutboxItem& item, OutboxState state) {
  const bool mine = item.order.payer == user_;
  if (mine && IsWaiting(item.state) && !IsWaiting(state)) --batch.rows.waiting;
  if (mine && !IsWaiting(item.state) && IsWaiting(state)) ++batch.rows.waiting;
  if (!IsEnded(item.state) && IsEnded(state)) --batch.rows.open;
  const bool settled = state != item.state && !IsWaiting(state);
  item.state = state;
  item.updated_at = batch.now.wall;
  std::erase_if(batch.effects.records.items, [&](const OutboxItem& it) { return it.sequence == item.sequence; });
  batch.effects.records.items.push_back(item);
  if (settled) batch.effects.notices.push_back({item});
}

void Outbox::Apply(Batch& batch, const EnqueueInput& input) {
  if (OutboxItem* known = Find(batch, input.order.id)) {
    const bool same = known->damage.empty() && known->order == input.order;
    return Answer(batch, input.reply_to, same ? OutboxOutcome::kAlreadyQueued : OutboxOutcome::kIdReused,
                  same ? *known : OutboxItem{});
  }
  if (auto wrong = CheckOrder(input.order)) {
    return Answer(batch, input.reply_to, OutboxOutcome::kInvalid, {}, *std::move(wrong));
  }
  if (batch.rows.open >= kMaxQueuedPayments) return Answer(batch, input.reply_to, OutboxOutcome::kFull);
  OutboxItem item;
  item.sequence = ++batch.rows.last_sequence;
  item.order = input.order;
  item.queued_at = batch.now.wall;
  item.updated_at = batch.now.wall;
  item.expires_at = input.expires_at;
  ++batch.rows.open;
  if (item.order.payer == user_) ++batch.rows.waiting;
  batch.effects.records.items.push_back(item);
  batch.rows.items.emplace(item.sequence, item);
  Answer(batch, input.reply_to, OutboxOutcome::kAccepted, item);
}

void Outbox::Apply(Batch& batch, const CancelInput& input) {
  OutboxItem* item = Find(batch, input.id);
  if (item == nullptr || item->order.payer != input.user) {
    return Answer(batch, input.reply_to, OutboxOutcome::kNotFound);
  }
  const bool open = IsWaiting(item->state) || item->state == OutboxState::kParked;
  if (!open || item->may_have_arrived || !item->damage.empty()) {
    return Answer(batch, input.reply_to, OutboxOutcome::kTooLate, *item);
  }
  item->told = true;  // whoever cancels it knows
  Record(batch, *item, OutboxState::kCancelled);
  Answer(batch, input.reply_to, OutboxOutcome::kAccepted, *item);
}

void Outbox::Apply(Batch& batch, const RetryInput& input) {
  OutboxItem* item = Find(batch, input.id);
  if (item == nullptr || item->order.payer != input.user) {
    return Answer(batch, input.reply_to, OutboxOutcome::kNotFound);
  }
  if (IsEnded(item->state)) return Answer(batch, input.reply_to, OutboxOutcome::kHasEnded, *item);
  if (!item->damage.empty()) return Answer(batch, input.reply_to, OutboxOutcome::kInvalid, *item, item->damage);
  if (item->state == OutboxState::kParked) {
    item->reason_code.clear();
    item->message.clear();
    item->told = false;
    Record(batch, *item, item->may_have_arrived ? OutboxState::kSent : OutboxState::kQueued);
  }
  Apply(batch, WakeInput{});
  Answer(batch, input.reply_to, OutboxOutcome::kAccepted, *item);
}

void Outbox::Apply(Batch& batch, const OutboxAcknowledgeInput& input) {
  OutboxItem* item = Find(batch, input.id);
  if (item == nullptr || item->order.payer != input.user) {
    return Answer(batch, input.reply_to, OutboxOutcome::kNotFound);
  }
  if (!IsEnded(item->state) && item->state != OutboxState::kParked) {
    return Answer(batch, input.reply_to, OutboxOutcome::kNotEnded, *item);
  }
  batch.effects.records.removed.push_back(item->sequence);
  Answer(batch, input.reply_to, OutboxOutcome::kAccepted, *item);
  batch.rows.items.erase(item->sequence);
}

void Outbox::Apply(Batch& batch, const AcknowledgeEndedInput& input) {
  batch.effects.records.remove_ended = OutboxRecords::RemoveEnded{input.user, input.before};
}

void Outbox::Apply(Batch& batch, const ToldInput& input) {
  for (const Uuid& id : input.ids) {
    OutboxItem* item = Find(batch, id);
    if (item == nullptr || item->told || IsWaiting(item->state) || item->state == OutboxState::kFollowed) continue;
    item->told = true;
    const WallTime changed = item->updated_at;
    Record(batch, *item, item->state);
    item->updated_at = changed;
    batch.effects.records.items.back().updated_at = changed;
  }
}

void Outbox::Apply(Batch& batch, const SessionInput& input) {
  needs_login_ = needs_login_ && input.user.empty();
  if (input.user != user_) {
    not_before_ = batch.now.monotonic;
    failures_ = 0;
  }
  user_ = input.user;
}

void Outbox::Apply(Batch& batch, const ConnectionInput& input) {
  const bool asked = std::exchange(connecting_, false);
  if (input.online) {
    if (!online_) not_before_ = batch.now.monotonic;
    online_ = true;
    return;
  }
  online_ = false;
  if (!asked) return;
  ++failures_;
  last_failure_ = input.message;
  not_before_ = batch.now.monotonic + options_.reconnect_interval;
}

void Outbox::Apply(Batch&, const LockInput& input) { lock_held_ = input.held; }

void Outbox::Apply(Batch& batch, const WakeInput&) {
  not_before_ = batch.now.monotonic;
  follow_at_ = batch.now.monotonic;
}

}  // namespace strife::protocol
