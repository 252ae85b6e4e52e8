#include "client/pay.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "client/courier.h"

namespace strife::client {
namespace {

using protocol::OutboxOutcome;
using protocol::OutboxState;
using SteadyClock = std::chrono::steady_clock;

// The database is looked at this often, for another program may be the one that delivers.
constexpr auto kLook = std::chrono::milliseconds(50);

// What a courier tells about one payment and about itself.
class Observer {
 public:
  explicit Observer(const Uuid& id) : id_(id) {}

  CourierEvents Events() {
    return {.settled = {},
            .attempted = [this](const auto& call, const auto& answer) { Attempted(call, answer); },
            .status = [this](const auto& status) { Change([&] { status_ = status; }); },
            .failed = [this](const Error& error) { Change([&] { failure_ = error; }); }};
  }

  struct View {
    std::optional<protocol::OutboxStatus> status;
    std::optional<Error> failure;
    std::optional<protocol::PaymentRecord> payment;
    std::string field;
    bool duplicate = false;
    SteadyClock::time_point last_attempt;
  };

  // As it is now, or after something has changed, at the latest after kLook.
  View Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kLook, [this] { return news_; });
    news_ = false;
    return {status_, failure_, payment_, field_, duplicate_, last_attempt_};
  }
  View Now() {
    const std::scoped_lock lock(mutex_);
    return {status_, failure_, payment_, field_, duplicate_, last_attempt_};
  }

 private:
  void Change(const std::function<void()>& change) {
    const std::scoped_lock lock(mutex_);
    change();
    news_ = true;
    changed_.notify_one();
  }

  void Attempted(const protocol::OutboxCall& call, const rpc::CallResult<protocol::PaymentRecord>& answer) {
    Change([&] {
      last_attempt_ = SteadyClock::now();
      if (call.order.id != id_) return;
      const bool prior = !answer && answer.error().error.code == ErrorCode::kAlreadyExists && answer.error().prior;
      if (answer) payment_ = *answer;
      if (prior) payment_ = *answer.error().prior;
      // After an attempt that may have arrived, it is our own earlier one that is there.
      if (prior && !may_have_arrived_) duplicate_ = true;
      if (!answer) field_ = answer.error().field;
      if (!answer && answer.error().delivery == rpc::Delivery::kUnknown) may_have_arrived_ = true;
    });
  }

  const Uuid id_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool news_ = false;
  std::optional<protocol::OutboxStatus> status_;
  std::optional<Error> failure_;
  std::optional<protocol::PaymentRecord> payment_;
  std::string field_;
  bool duplicate_ = false;
  bool may_have_arrived_ = false;
  SteadyClock::time_point last_attempt_ = SteadyClock::now();
};

protocol::PaymentRecord RecordOf(const OutboxItem& item, const Observer::View& view) {
  if (view.payment && view.payment->state == item.payment_state) return *view.payment;
  // Another program has delivered it.
  return {.order = item.order,
          .state = item.payment_state,
          .reason_code = item.reason_code,
          .message = item.message,
          .created_at = item.queued_at,
          .updated_at = item.updated_at};
}

// Why there is no point in waiting any longer, if there is none.
std::optional<std::string> ReasonToLeave(const ClientConfig& config, const OutboxItem& item, const Observer::View& view,
                                         const std::stop_token& stop) {
  if (view.failure) return view.failure->message;
  if (stop.stop_requested()) return "interrupted";
  if (view.status) {
    const protocol::OutboxStatus& status = *view.status;
    if (status.needs_login || status.user != item.order.payer) {
      return status.last_failure.empty() ? "nobody is logged in" : status.last_failure;
    }
    const auto retries = static_cast<std::uint32_t>(config.max_retries);
    const bool away = !status.online && status.failures > 0 && !status.in_flight;
    if (away && !item.may_have_arrived) return status.last_failure;
    if (status.failures > retries) return status.last_failure;
  }
  if (SteadyClock::now() - view.last_attempt > 2 * config.timeout) {
    return "another program is delivering the queue and has not come to it yet";
  }
  return std::nullopt;
}

Result<PayOutcome> Settled(Queue& queue, const OutboxItem& item, const Observer::View& view, bool known_before) {
  switch (item.state) {
    case OutboxState::kDone: {
      if (auto done = queue.Acknowledge(item.order.payer, item.order.id); !done) return std::unexpected(done.error());
      return Ended{RecordOf(item, view), view.duplicate || known_before};
    }
    case OutboxState::kFollowed:
      return OnItsWay{RecordOf(item, view)};
    case OutboxState::kParked:
      if (item.may_have_arrived) return UnknownOutcome{item, item.message};
      if (auto done = queue.Acknowledge(item.order.payer, item.order.id); !done) return std::unexpected(done.error());
      return Refused{item.order, item.reason_code, view.field, item.message};
    case OutboxState::kCancelled:
      return Refused{item.order, "CANCELLED", "", "it was cancelled before it was sent; pay anew, with a new id"};
    case OutboxState::kExpired:
      return Refused{item.order, "EXPIRED", "", item.message + "; pay anew, with a new id"};
    case OutboxState::kQueued:
    case OutboxState::kSent:
      break;
  }
  return Queued{item, ""};
}

Error NotTaken(const protocol::OutboxAnswer& answer, const protocol::PaymentOrder& order) {
  switch (answer.outcome) {
    case OutboxOutcome::kIdReused:
      return {ErrorCode::kAlreadyExists, "TRANSACTION_ID_REUSED another payment is queued under the id " +
                                             order.id.ToString() + "; use a new id for a new payment"};
    case OutboxOutcome::kFull:
      return {ErrorCode::kResourceExhausted, "the queue holds " + std::to_string(protocol::kMaxQueuedPayments) +
                                                 " payments, which is as many as it takes; deliver them with strife "
                                                 "queue flush first"};
    default:
      return {ErrorCode::kInvalidInput, "the payment cannot be made: " + answer.message};
  }
}

}  // namespace

Result<PayOutcome> PayDurably(const ClientConfig& config, Queue& queue, const protocol::PaymentOrder& order,
                              std::optional<WallTime> expires_at, const std::stop_token& stop) {
  Observer observer(order.id);
  // First, so that nothing is queued that this client could never send.
  auto courier = Courier::Start(config, observer.Events(), false);
  if (!courier) return std::unexpected(courier.error());
  auto queued = queue.Enqueue(order, expires_at);
  if (!queued) return std::unexpected(queued.error());
  const bool known = queued->outcome == OutboxOutcome::kAlreadyQueued;
  if (queued->outcome != OutboxOutcome::kAccepted && !known) return std::unexpected(NotTaken(*queued, order));
  OutboxItem item = std::move(queued->item);
  const bool ended_before = known && !protocol::IsWaiting(item.state);
  (*courier)->Wake();
  for (;;) {
    if (!protocol::IsWaiting(item.state)) {
      (*courier)->Stop();
      return Settled(queue, item, observer.Now(), ended_before);
    }
    const Observer::View view = observer.Wait();
    auto found = queue.Find(order.id);
    if (!found) return std::unexpected(found.error());
    if (*found) item = **found;
    if (!protocol::IsWaiting(item.state)) continue;
    if (auto why = ReasonToLeave(config, item, view, stop)) {
      (*courier)->Stop();
      if (item.may_have_arrived) return UnknownOutcome{item, *why};
      return Queued{item, *why};
    }
  }
}

}  // namespace strife::client
