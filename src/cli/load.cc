#include "cli/load.h"

#include "cli/duration.h"
#include "cli/payment_view.h"
#include "security/random.h"

namespace strife::cli {
namespace {

using Clock = std::chrono::steady_clock;
using protocol::PaymentState;

constexpr auto kTick = std::chrono::milliseconds(200);
constexpr auto kPatience = std::chrono::minutes(1);
constexpr Duration kRenewBefore = std::chrono::seconds(60);

std::string ReasonOf(const rpc::CallError& error) {
  return error.reason_code.empty() ? DeliveryName(error.delivery) : error.reason_code;
}

// Whether to ask again with the same id: the payment has no end that is known yet, or was turned away unseen.
bool IsOpen(const rpc::CallResult<protocol::PaymentRecord>& answer) {
  if (answer) return !protocol::IsFinal(answer->state);
  const rpc::CallError& error = answer.error();
  if (error.prior) return !protocol::IsFinal(error.prior->state);
  return error.retryable || error.delivery != rpc::Delivery::kRefused ||
         error.error.code == ErrorCode::kUnauthenticated;
}

}  // namespace

ClosedLoop::ClosedLoop(std::vector<rpc::GatewayClient*> gateways, std::vector<LoadUser>* users,
                       const LoadOptions& options)
    : users_(users), options_(options) {
  for (std::size_t i = 0; i < users->size(); ++i) {
    for (const auto& account : (*users)[i].session.accounts) accounts_.emplace_back(i, account);
    tokens_.push_back(std::make_shared<const std::string>((*users)[i].session.access_token));
  }
  std::random_device seed;
  for (int i = 0; i < options.outstanding; ++i) {
    auto slot = std::make_unique<Slot>();
    slot->random.seed(seed());
    slot->gateway = gateways[static_cast<std::size_t>(i) % gateways.size()];
    slots_.push_back(std::move(slot));
  }
}

bool ClosedLoop::Measuring(Clock::time_point now) const {
  return now >= measure_from_ && now < measure_until_ && !count_reached_;
}

bool ClosedLoop::Over(Clock::time_point now) const { return now >= measure_until_ || count_reached_; }

void ClosedLoop::Next(Slot& slot) {
  auto pick = [&]() -> const auto& {
    return accounts_[std::uniform_int_distribution<std::size_t>(0, accounts_.size() - 1)(slot.random)];
  };
  const auto& [payer, from] = pick();
  const auto* payee = &pick();
  while (payee->first == payer || payee->second.bank_id == from.bank_id) payee = &pick();
  slot.user = payer;
  slot.order.id = security::NewUuidV7(WallNow());
  slot.order.from = from;
  slot.order.to = payee->second;
  slot.order.amount = {std::uniform_int_distribution<std::int64_t>(1, 100)(slot.random), options_.currency};
  slot.sent_at = Clock::now();
  ++slot.sent;
  Send(slot);
}

void ClosedLoop::Send(Slot& slot) {
  std::shared_ptr<const std::string> token;
  {
    std::lock_guard lock(mutex_);
    token = tokens_[slot.user];
  }
  slot.gateway->ProcessPaymentAsync(*token, slot.order, [this, &slot](rpc::CallResult<protocol::PaymentRecord> answer) {
    Answered(slot, std::move(answer));
  });
}

void ClosedLoop::Answered(Slot& slot, rpc::CallResult<protocol::PaymentRecord> answer) {
  if (IsOpen(answer)) {
    // Sending again at once would hammer a gateway that is down: Run does it at its next tick.
    ++slot.asked_again;
    std::lock_guard lock(mutex_);
    parked_.push_back(&slot);
    return;
  }
  const protocol::PaymentRecord* payment = answer ? &*answer : nullptr;
  if (!answer && answer.error().prior) payment = &*answer.error().prior;
  Account(slot, payment, answer ? "" : ReasonOf(answer.error()));
  if (!Over(Clock::now())) return Next(slot);
  std::lock_guard lock(mutex_);
  --running_;
  changed_.notify_all();
}

void ClosedLoop::Account(Slot& slot, const protocol::PaymentRecord* payment, const std::string& reason) {
  auto now = Clock::now();
  if (!Measuring(now)) return;
  if (payment == nullptr || payment->state != PaymentState::kCompleted) {
    ++slot.failures[payment == nullptr ? reason : payment->reason_code];
    return;
  }
  ++slot.completed;
  slot.latency.Add(std::chrono::duration_cast<Duration>(now - slot.sent_at));
  if (options_.count == 0 || ++measured_ != options_.count) return;
  std::lock_guard lock(mutex_);
  reached_at_ = now;
  count_reached_ = true;
  changed_.notify_all();
}

LoadResult ClosedLoop::Run() {
  measure_from_ = Clock::now() + options_.warm_up;
  measure_until_ = options_.count > 0 ? Clock::time_point::max() : measure_from_ + options_.duration;
  running_ = static_cast<int>(slots_.size());
  for (auto& slot : slots_) Next(*slot);
  std::optional<Clock::time_point> over_since;
  while (true) {
    std::vector<Slot*> again;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kTick, [&] { return running_ == 0; });
      auto now = Clock::now();
      if (!over_since && Over(now)) over_since = now;
      bool patience_over = over_since && now - *over_since > kPatience;
      // When patience is over, what is parked stays parked, and calls in flight run into their own deadline.
      if (running_ == 0 || (patience_over && static_cast<std::size_t>(running_) == parked_.size())) break;
      if (!patience_over) again.swap(parked_);
    }
    RefreshSessions();
    for (Slot* slot : again) Send(*slot);
  }
  return Collect();
}

void ClosedLoop::RefreshSessions() {
  for (std::size_t i = 0; i < users_->size(); ++i) {
    LoadUser& user = (*users_)[i];
    if (user.session.expires_at - kRenewBefore > WallNow()) continue;
    auto renewed = slots_.front()->gateway->RefreshSession(user.session.refresh_token);
    if (!renewed) renewed = slots_.front()->gateway->AuthenticateClient(user.username, user.password);
    if (!renewed) continue;  // the payments of this user are asked again until it works
    user.session = std::move(*renewed);
    std::lock_guard lock(mutex_);
    tokens_[i] = std::make_shared<const std::string>(user.session.access_token);
  }
}

LoadResult ClosedLoop::Collect() {
  LoadResult result;
  auto until = options_.count > 0 ? reached_at_ : measure_until_;
  result.measured = std::chrono::duration_cast<Duration>(until - measure_from_);
  result.unresolved = parked_.size();
  for (const auto& slot : slots_) {
    result.latency.Merge(slot->latency);
    result.completed += slot->completed;
    result.sent += slot->sent;
    result.asked_again += slot->asked_again;
    for (const auto& [reason, count] : slot->failures) result.failures[reason] += count;
  }
  return result;
}

}  // namespace strife::cli
