#include "sim/outbox_process.h"

#include <utility>

#include "protocol/reason.h"
#include "sim/gateway_process.h"
#include "sim/gateways.h"
#include "sim/story.h"

namespace strife::sim {

using protocol::DeliveryInput;
using protocol::OutboxCall;
using protocol::OutboxItem;
using protocol::OutboxState;
using protocol::SubmitAnswer;
using protocol::SubmitOutcome;

namespace {

constexpr Duration kEnterAgain = seconds(1);
constexpr Duration kRetryParked = seconds(2);
constexpr Duration kConnectTimeout = seconds(2);
constexpr Duration kCallTimeout = seconds(10);
constexpr std::string_view kUnknownBankReason = "to.bank_id";

// A payment to a bank that has not registered yet is refused like one to a bank that does not exist.
bool MayBeRetried(const OutboxItem& item) {
  return item.state == OutboxState::kParked && item.reason_code == kUnknownBankReason &&
         item.order.to.bank_id != kUnknownBank;
}

bool HasEnded(const OutboxItem& item) {
  return IsEnded(item.state) || (item.state == OutboxState::kParked && !MayBeRetried(item));
}

// As src/client/delivery.cc makes it of the gateway's answer.
DeliveryInput ToDelivery(const Uuid& id, const SubmitAnswer& answer) {
  DeliveryInput input;
  input.id = id;
  switch (answer.outcome) {
    case SubmitOutcome::kEnded:
    case SubmitOutcome::kDuplicate:
      input.result = DeliveryInput::Result::kPayment;
      input.payment_state = answer.payment.state;
      input.reason_code = answer.payment.reason_code;
      return input;
    case SubmitOutcome::kReused:
      input.result = DeliveryInput::Result::kRefused;
      input.reason_code = protocol::reason::kTransactionIdReused;
      return input;
    case SubmitOutcome::kUnknownPayerBank:
    case SubmitOutcome::kUnknownPayeeBank:
    case SubmitOutcome::kCurrencyNotKept:  // which no bank here says
      input.result = DeliveryInput::Result::kRefused;
      input.reason_code = kUnknownBankReason;
      return input;
    case SubmitOutcome::kOverloaded:
    case SubmitOutcome::kStorageFull:
    case SubmitOutcome::kDraining:
    case SubmitOutcome::kNeedsReconciliation:
      input.result = DeliveryInput::Result::kTurnedAway;
      return input;
  }
  return input;
}

// What the user hears of an item, as the auditor takes it.
SubmitAnswer WhatItSays(const OutboxItem& item) {
  SubmitAnswer answer;
  // Never sent: another device may pay it yet. One that was sent has been cancelled, which is told as its outcome.
  const bool unsent = item.state == OutboxState::kExpired && item.payment_state == protocol::PaymentState::kInitiated;
  if (unsent) {
    answer.outcome = SubmitOutcome::kDraining;
    return answer;
  }
  if (item.state == OutboxState::kParked) {
    const bool reused = item.reason_code == protocol::reason::kTransactionIdReused;
    answer.outcome = reused ? SubmitOutcome::kReused : SubmitOutcome::kUnknownPayeeBank;
    return answer;
  }
  answer.outcome = SubmitOutcome::kEnded;
  answer.payment.order = item.order;
  answer.payment.state = item.payment_state;
  answer.payment.reason_code = item.reason_code;
  return answer;
}

}  // namespace

Result<OutboxProcess::Effects> OutboxProcess::Boot() {
  store_ =
      OnDisk(OpenMemoryOutboxStore(memory_), disk_, *this, [this](const OutboxRecords& records) { Durable(records); });
  machine_.emplace(protocol::OutboxOptions{});
  Push(protocol::SessionInput{user_});
  Push(protocol::LockInput{true});
  // What ended while nobody was there to hear it.
  memory_->Access([this](MemoryOutboxContents& contents) {
    for (const auto& [sequence, item] : contents.items) {
      const bool settled = HasEnded(item) && !item.told;
      if (settled || MayBeRetried(item)) After(Duration(0), [this, item] { Settle(item); });
    }
  });
  return Effects{};
}

// ---- The user ----

void OutboxProcess::Enter(const PlannedPayment& planned) {
  planned_.insert_or_assign(planned.order.id, planned);
  unfinished_.insert(planned.order.id);
  TryToEnter(planned);
}

void OutboxProcess::TryToEnter(const PlannedPayment& planned) {
  if (kept_.contains(planned.order.id)) return;
  if (up() && !paused()) {
    auto expires_at = planned.expires_after.transform([this](Duration after) { return now().wall + after; });
    Push(protocol::EnqueueInput{{1, 0}, planned.order, expires_at});
  }
  parts_.world.After(kEnterAgain, [this, planned] { TryToEnter(planned); });
}

void OutboxProcess::Durable(const OutboxRecords& records) {
  for (const OutboxItem& item : records.items) {
    const Uuid& id = item.order.id;
    Tell(id, [&] { return "records " + std::string(StateName(item.state)) + (item.told ? ", told" : ""); });
    if (kept_.insert(id).second) {
      parts_.auditor.Asked(planned_.at(id));
      Tell(id, [&] { return "keeps what its user enters: " + Describe(item.order); });
    }
    if (item.told && HasEnded(item)) unfinished_.erase(id);
  }
}

void OutboxProcess::Settle(const OutboxItem& item) {
  if (MayBeRetried(item)) {
    After(kRetryParked, [this, id = item.order.id] { Push(protocol::RetryInput{{1, 0}, user_, id}); });
    return;
  }
  const SubmitAnswer answer = WhatItSays(item);
  Tell(item.order.id, [&] { return "tells its user: " + Describe(answer); });
  parts_.auditor.Told(item.order, answer);
  if (HasEnded(item)) Push(protocol::ToldInput{{item.order.id}});
}

// ---- The courier ----

OutboxProcess::Sending OutboxProcess::Sends(Effects effects) {
  Sending sends;
  for (const protocol::OutboxAnswer& answer : effects.answers) {
    using Outcome = protocol::OutboxOutcome;
    if (answer.outcome == Outcome::kAccepted || answer.outcome == Outcome::kAlreadyQueued) continue;
    if (answer.outcome == Outcome::kHasEnded) continue;  // retried twice
    parts_.checkers.Report(kProtocol, answer.item.order.id, {}, name() + " refuses what its user enters");
  }
  for (const protocol::OutboxNotice& notice : effects.notices) {
    sends.push_back([this, item = notice.item] { Settle(item); });
  }
  if (effects.connect) sends.push_back([this] { Connect(); });
  if (effects.call) sends.push_back([this, call = *effects.call] { Carry(call); });
  return sends;
}

void OutboxProcess::Connect() {
  GatewayProcess* gateway = PickGateway(parts_);
  const auto open = std::make_shared<bool>(true);
  const auto ended = [this, open](bool online) {
    if (std::exchange(*open, false)) Push(protocol::ConnectionInput{online, online ? "" : "no answer"});
  };
  After(kConnectTimeout, [ended] { ended(false); });
  auto answered = InThisRun([this, ended] { Arrive([ended] { ended(true); }); });
  SendTo(*gateway, [this, gateway, answered = std::move(answered)] { gateway->Greet(*this, answered); });
}

void OutboxProcess::Carry(const OutboxCall& call) {
  GatewayProcess* gateway = PickGateway(parts_);
  const auto open = std::make_shared<bool>(true);
  const auto ended = [this, call, open](const DeliveryInput& delivery) {
    if (std::exchange(*open, false)) Delivered(call, delivery);
  };
  DeliveryInput none;
  none.id = call.order.id;
  // A process that is down refuses the connection; one that cannot be reached or has stopped says nothing.
  none.result = gateway->up() ? DeliveryInput::Result::kUnknown : DeliveryInput::Result::kNotSent;
  After(gateway->up() ? kCallTimeout : milliseconds(1), [ended, none] { ended(none); });
  if (!gateway->up()) return;
  SendResult sent{};
  if (call.kind != OutboxCall::Kind::kAsk) {
    auto answered = InThisRun([this, ended, id = call.order.id](const SubmitAnswer& answer) {
      Arrive([ended, delivery = ToDelivery(id, answer)] { ended(delivery); });
    });
    const bool cancel = call.kind == OutboxCall::Kind::kCancel;
    sent = SendTo(*gateway, [this, gateway, order = call.order, cancel, answered = std::move(answered)] {
      gateway->Submit(*this, order, cancel, answered);
    });
  } else {
    auto answered = InThisRun([this, ended, order = call.order](const std::optional<protocol::PaymentRecord>& payment) {
      DeliveryInput delivery;
      // Another payment under this id says nothing about this one.
      if (payment && payment->order == order) {
        delivery = ToDelivery(order.id, {{}, SubmitOutcome::kDuplicate, *payment});
      } else {
        delivery.id = order.id;
        delivery.result = DeliveryInput::Result::kNotFound;
      }
      Arrive([ended, delivery] { ended(delivery); });
    });
    sent = SendTo(*gateway, [this, gateway, id = call.order.id, answered = std::move(answered)] {
      gateway->Find(*this, user_, id, answered);
    });
  }
  Tell(call.order.id, [&] {
    const std::string_view does = call.kind == OutboxCall::Kind::kSend     ? "sends it to "
                                  : call.kind == OutboxCall::Kind::kCancel ? "cancels it at "
                                                                           : "asks ";
    return std::string(does) + gateway->name() + Describe(sent);
  });
}

void OutboxProcess::Delivered(const OutboxCall& call, const DeliveryInput& delivery) {
  Tell(call.order.id, [&] {
    using Result = DeliveryInput::Result;
    return delivery.result == Result::kPayment    ? "hears: " + std::string(StateName(delivery.payment_state))
           : delivery.result == Result::kNotFound ? "hears: no such payment"
           : delivery.result == Result::kRefused  ? "hears: refused, " + delivery.reason_code
                                                  : std::string("hears nothing of use");
  });
  Push(delivery);
}

}  // namespace strife::sim
