// The sending half of the outbox: what to do next, and what becomes of a call.
#include <algorithm>
#include <limits>
#include <utility>

#include "base/assert.h"
#include "protocol/outbox.h"
#include "protocol/reason.h"

namespace strife::protocol {
namespace {

constexpr Duration kAskAgainAboutUndecided = std::chrono::milliseconds(250);

bool IsCancelled(const DeliveryInput& input) {
  return input.payment_state == PaymentState::kAborted && input.reason_code == reason::kOrderCancelled;
}

}  // namespace

// ---- What becomes of a call ----

void Outbox::Apply(Batch& batch, const DeliveryInput& input) {
  STRIFE_ASSERT(in_flight_ && in_flight_->call.order.id == input.id);
  const InFlight call = *std::exchange(in_flight_, std::nullopt);
  OutboxItem* item = Find(batch, input.id);
  if (item == nullptr) return;  // the row was damaged or taken away by hand while the call was out
  if (input.result != Result::kUnclear) unclear_ = 0;
  switch (input.result) {
    case Result::kPayment:
      if (call.call.kind == OutboxCall::Kind::kCancel && IsCancelled(input)) {
        item->payment_state = input.payment_state;
        return OnCancelled(batch, *item, call.verdict);
      }
      return OnPayment(batch, *item, input);
    case Result::kRefused:
      return OnRefused(batch, *item, call, input);
    case Result::kNotFound:
      return OnNotFound(batch, *item);
    case Result::kUnclear:
      return OnUnclear(batch, *item, input);
    case Result::kUnknown:
      return Failed(batch, input, true);
    case Result::kNotSent:
      OnNoEffect(batch, *item, call);
      return Failed(batch, input, true);
    case Result::kTurnedAway:
      OnNoEffect(batch, *item, call);
      return Failed(batch, input, false);
    case Result::kNotAuthenticated:
      OnNoEffect(batch, *item, call);
      needs_login_ = true;
      last_failure_ = input.message;
      return;
  }
}

void Outbox::OnPayment(Batch& batch, OutboxItem& item, const DeliveryInput& input) {
  Succeeded();
  follows_ = item.state == OutboxState::kFollowed && !IsFinal(input.payment_state) ? follows_ + 1 : 0;
  const bool news = item.payment_state != input.payment_state || item.reason_code != input.reason_code;
  item.payment_state = input.payment_state;
  item.reason_code = input.reason_code;
  item.message = input.message;
  if (IsFinal(input.payment_state)) return Record(batch, item, OutboxState::kDone);
  if (IsDecidedCommit(input.payment_state)) {
    follow_at_ = batch.now.monotonic +
                 Backoff{kAskAgainAboutUndecided, options_.reconnect_interval}.Delay(item.order.id, follows_ + 1);
    if (news || item.state != OutboxState::kFollowed) Record(batch, item, OutboxState::kFollowed);
    return;
  }
  not_before_ = batch.now.monotonic + kAskAgainAboutUndecided;
}

void Outbox::OnRefused(Batch& batch, OutboxItem& item, const InFlight& call, const DeliveryInput& input) {
  if (call.call.kind == OutboxCall::Kind::kAsk) {
    // Refusing the question says nothing about the payment.
    return Failed(batch, input, false);
  }
  if (call.call.kind == OutboxCall::Kind::kCancel) return OnCancelled(batch, item, call.verdict);
  Succeeded();
  OutboxItem parked = item;
  parked.reason_code = input.reason_code;
  parked.message = input.message;
  parked.state = OutboxState::kParked;
  if (call.had_arrived) return Cancel(batch, std::move(parked));
  item.may_have_arrived = false;
  Park(batch, item, input.reason_code, input.message);
}

void Outbox::OnCancelled(Batch& batch, OutboxItem& item, const OutboxItem& verdict) {
  Succeeded();
  item.reason_code = verdict.reason_code;
  item.message = verdict.message;
  item.may_have_arrived = false;
  Record(batch, item, verdict.state);
}

void Outbox::OnNotFound(Batch& batch, OutboxItem& item) {
  Succeeded();
  Park(batch, item, "NOT_FOUND", "the gateway had decided to pay and no longer knows the payment; ask its operator");
}

void Outbox::OnNoEffect(Batch& batch, OutboxItem& item, const InFlight& call) {
  if (call.call.kind != OutboxCall::Kind::kSend || call.had_arrived || item.state != OutboxState::kSent) return;
  item.may_have_arrived = false;
  Record(batch, item, OutboxState::kQueued);
}

void Outbox::OnUnclear(Batch& batch, OutboxItem& item, const DeliveryInput& input) {
  unclear_ = unclear_id_ == input.id ? unclear_ + 1 : 1;
  unclear_id_ = input.id;
  Failed(batch, input, false);
  if (unclear_ < options_.max_unclear || !IsWaiting(item.state)) return;
  unclear_ = 0;
  Park(batch, item, "UNKNOWN_OUTCOME", "the gateway's answers do not tell what became of it: " + input.message);
}

void Outbox::Park(Batch& batch, OutboxItem& item, std::string reason_code, std::string message) {
  item.reason_code = std::move(reason_code);
  item.message = std::move(message);
  Record(batch, item, OutboxState::kParked);
}

void Outbox::Failed(Batch& batch, const DeliveryInput& input, bool connection) {
  ++failures_;
  last_failure_ = input.message;
  if (connection) online_ = false;
  Duration delay = Backoff{options_.retry_delay, options_.reconnect_interval}.Delay(input.id, failures_);
  if (input.pushback) {
    const bool not_soon = *input.pushback < Duration::zero();
    delay = not_soon ? options_.reconnect_interval : std::min(*input.pushback, options_.reconnect_interval);
  }
  not_before_ = batch.now.monotonic + delay;
  follow_at_ = std::max(follow_at_, not_before_);
}

void Outbox::Succeeded() {
  failures_ = 0;
  last_failure_.clear();
}

// ---- What to do next ----

void Outbox::Advance(Batch& batch) {
  if (in_flight_ || connecting_) {
    batch.effects.wants_lock = true;
    return;
  }
  if (user_.empty() || needs_login_) return;
  const MonotonicTime now = batch.now.monotonic;
  OutboxItem* send = NextToSend(batch);
  OutboxItem* ask = NextToAsk(batch);
  if (send == nullptr && ask == nullptr) return;
  const MonotonicTime due = send != nullptr ? not_before_ : std::max(not_before_, follow_at_);
  if (due > now) {
    WakeAt(due);
    if (ask != nullptr && send == nullptr) return;
    // A short wait between two sends is no reason to let others in; while the gateway is away it is.
    batch.effects.wants_lock = online_ && lock_held_;
    return;
  }
  batch.effects.wants_lock = true;
  if (!lock_held_) return;
  if (!online_) {
    connecting_ = true;
    batch.effects.connect = true;
    return;
  }
  const bool ask_first = ask != nullptr && follow_at_ <= now;
  if (ask_first || send == nullptr) {
    follow_at_ = now + options_.retry_delay;
    last_asked_ = ask->sequence;
    return Ask(batch, *ask);
  }
  const bool expired = send->expires_at && *send->expires_at <= batch.now.wall;
  if (!expired) return Send(batch, *send);
  OutboxItem verdict = *send;
  verdict.state = OutboxState::kExpired;
  verdict.message = "it was not delivered in time";
  Cancel(batch, std::move(verdict));
}

OutboxItem* Outbox::NextToSend(Batch& batch) {
  for (auto& [sequence, item] : batch.rows.items) {
    if (sequence > batch.rows.complete_to) break;
    if (!IsWaiting(item.state) || item.order.payer != user_) continue;
    if (!item.damage.empty()) {
      Park(batch, item, "MALFORMED", item.damage);
      continue;
    }
    const bool expired = item.expires_at && *item.expires_at <= batch.now.wall;
    if (expired && !item.may_have_arrived) {
      item.message = "it was not sent in time";
      Record(batch, item, OutboxState::kExpired);
      continue;
    }
    if (auto wrong = CheckOrder(item.order)) {
      Park(batch, item, "MALFORMED", *wrong);
      continue;
    }
    return &item;
  }
  // There may be more than was loaded.
  if (batch.rows.complete_to != std::numeric_limits<std::uint64_t>::max()) WakeAt(batch.now.monotonic);
  return nullptr;
}

OutboxItem* Outbox::NextToAsk(Batch& batch) {
  OutboxItem* first = nullptr;
  for (auto& [sequence, item] : batch.rows.items) {
    if (item.state != OutboxState::kFollowed || item.order.payer != user_ || !item.damage.empty()) continue;
    if (sequence > last_asked_) return &item;
    if (first == nullptr) first = &item;
  }
  return first;
}

void Outbox::Send(Batch& batch, OutboxItem& item) {
  const bool had_arrived = item.may_have_arrived;
  if (!had_arrived || item.state != OutboxState::kSent) {
    item.may_have_arrived = true;
    ++item.attempts;
    if (!item.first_sent_at) item.first_sent_at = batch.now.wall;
    item.last_sent_at = batch.now.wall;
    Record(batch, item, OutboxState::kSent);
  }
  in_flight_ = InFlight{{OutboxCall::Kind::kSend, item.order}, had_arrived};
  batch.effects.call = in_flight_->call;
}

void Outbox::Cancel(Batch& batch, OutboxItem verdict) {
  in_flight_ = InFlight{{OutboxCall::Kind::kCancel, verdict.order}, true, std::move(verdict)};
  batch.effects.call = in_flight_->call;
  batch.effects.wants_lock = true;
}

void Outbox::Ask(Batch& batch, const OutboxItem& item) {
  in_flight_ = InFlight{{OutboxCall::Kind::kAsk, item.order}, true};
  batch.effects.call = in_flight_->call;
  batch.effects.wants_lock = true;
}

void Outbox::WakeAt(MonotonicTime at) { wake_at_ = wake_at_ ? std::min(*wake_at_, at) : at; }

}  // namespace strife::protocol
