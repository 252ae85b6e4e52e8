#include "cli/load.h"

#include <algorithm>
#include <thread>

#include "cli/duration.h"
#include "cli/payment_view.h"

namespace strife::cli {
namespace {

using Clock = std::chrono::steady_clock;
using protocol::PaymentState;

constexpr auto kTick = std::chrono::milliseconds(200);
constexpr auto kPatience = std::chrono::minutes(1);
constexpr auto kLate = std::chrono::milliseconds(1);
constexpr Duration kRenewBefore = std::chrono::seconds(60);
constexpr std::int32_t kHistoryRows = 10;

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

Load::Load(std::vector<rpc::GatewayClient*> gateways, std::vector<LoadUser>* users, const LoadMix& mix,
           const LoadOptions& options)
    : gateways_(std::move(gateways)), users_(users), mix_(mix), options_(options) {
  for (const LoadUser& user : *users) {
    tokens_.push_back(std::make_shared<const std::string>(user.session.access_token));
  }
  std::random_device seed;
  for (int i = 0; i < options.outstanding; ++i) {
    auto slot = std::make_unique<Slot>();
    std::seed_seq seeds{seed(), seed(), seed(), seed()};
    slot->random.seed(seeds);
    slot->gateway = gateways_[static_cast<std::size_t>(i) % gateways_.size()];
    slots_.push_back(std::move(slot));
  }
  if (options.rate > 0) arrivals_.emplace(options.rate / options.mix.batch, seed());
}

bool Load::Measuring(TimePoint now) const { return now >= measure_from_ && now < measure_until_ && !count_reached_; }

std::shared_ptr<const std::string> Load::TokenOf(std::size_t user) {
  const std::scoped_lock lock(token_mutex_);
  return tokens_[user];
}

void Load::Next(Slot& slot, TimePoint at) {
  slot.sent_at = at;
  if (arrivals_ && Clock::now() - at > kLate) {
    const std::scoped_lock lock(result_mutex_);
    ++result_.sent_late;
  }
  slot.looking = mix_.NextIsRead(slot.random);
  if (slot.looking) {
    const auto [user, account] = mix_.AnyAccount(slot.random);
    return Look(slot, user, account->bank_id);
  }
  slot.user = mix_.NextPayments(slot.random, WallNow().time_since_epoch() / std::chrono::milliseconds(1), &slot.orders);
  {
    const std::scoped_lock lock(result_mutex_);
    result_.sent += slot.orders.size();
  }
  Send(slot);
}

void Load::Send(Slot& slot) {
  const auto token = TokenOf(slot.user);
  if (options_.mix.batch == 1) {
    slot.gateway->ProcessPaymentAsync(*token, slot.orders.front(),
                                      [this, &slot](const PaymentAnswer& answer) { Answered(slot, {&answer, 1}); });
    return;
  }
  slot.gateway->ProcessPaymentsAsync(
      *token, slot.orders, [this, &slot](const rpc::CallResult<rpc::GatewayClient::PaymentResults>& answers) {
        if (answers) return Answered(slot, *answers);
        const std::vector<PaymentAnswer> all(slot.orders.size(), PaymentAnswer(std::unexpected(answers.error())));
        Answered(slot, all);
      });
}

void Load::Look(Slot& slot, std::size_t user, const std::string& bank_id) {
  const auto looked = [this, &slot](const auto& answer) { Looked(slot, answer ? nullptr : &answer.error()); };
  // The payment that was made here last, if its payer can be asked about it.
  const bool has_paid = !slot.orders.empty();
  const auto what = static_cast<Read>(slot.random() % 3);
  if (what == Read::kPayment && has_paid) {
    return slot.gateway->GetPaymentAsync(*TokenOf(slot.user), slot.orders.front().id, looked);
  }
  if (what == Read::kHistory) {
    rpc::HistoryRequest page;
    page.page_size = kHistoryRows;
    return slot.gateway->ViewTransactionHistoryAsync(*TokenOf(user), page, looked);
  }
  slot.gateway->CheckBalanceAsync(*TokenOf(user), bank_id, looked);
}

void Load::Looked(Slot& slot, const rpc::CallError* error) {
  const auto now = Clock::now();
  if (Measuring(now)) {
    const std::scoped_lock lock(result_mutex_);
    if (error != nullptr) {
      ++result_.failures["read: " + ReasonOf(*error)];
    } else {
      ++result_.reads;
      result_.read_latency.Add(std::chrono::duration_cast<Duration>(now - slot.sent_at));
    }
  }
  // Going on at once would hammer a gateway that is down.
  if (error != nullptr && error->delivery != rpc::Delivery::kRefused) return Park(slot, now);
  Free(slot);
}

void Load::Answered(Slot& slot, std::span<const PaymentAnswer> answers) {
  const auto now = Clock::now();
  std::size_t open = 0;
  auto not_before = now;
  std::unique_lock lock(result_mutex_);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (IsOpen(answers[i])) {
      if (!answers[i] && answers[i].error().pushback)
        not_before = std::max(not_before, now + *answers[i].error().pushback);
      if (open != i) slot.orders[open] = std::move(slot.orders[i]);
      ++open;
    } else {
      Account(slot, answers[i], now);
    }
  }
  result_.asked_again += open;
  lock.unlock();
  if (open == 0) return Free(slot);
  slot.orders.resize(open);
  Park(slot, not_before);
}

void Load::Account(Slot& slot, const PaymentAnswer& answer, TimePoint now) {
  if (!Measuring(now)) return;
  const protocol::PaymentRecord* payment = answer ? &*answer : nullptr;
  if (!answer && answer.error().prior) payment = &*answer.error().prior;
  if (payment == nullptr || payment->state != PaymentState::kCompleted) {
    ++result_.failures[payment == nullptr ? ReasonOf(answer.error()) : payment->reason_code];
  } else {
    ++result_.completed;
    result_.latency.Add(std::chrono::duration_cast<Duration>(now - slot.sent_at));
  }
  if (options_.count == 0 || ++measured_ != options_.count) return;
  const std::scoped_lock lock(mutex_);
  reached_at_ = now;
  count_reached_ = true;
  news_ = true;
  changed_.notify_all();
}

// The slot's call has ended for good.
void Load::Free(Slot& slot) {
  const auto now = Clock::now();
  if (!arrivals_ && !Over(now)) return Next(slot, now);
  const std::scoped_lock lock(mutex_);
  --running_;
  free_.push_back(&slot);
  if (!slot_wanted_ && running_ > 0) return;
  news_ = true;
  changed_.notify_all();
}

// Sending again at once would hammer a gateway that is down: Run does it at a tick, when the gateway wants to be asked.
void Load::Park(Slot& slot, TimePoint not_before) {
  slot.not_before = not_before;
  const std::scoped_lock lock(mutex_);
  parked_.push_back(&slot);
}

LoadResult Load::Run() {
  start_ = Clock::now();
  measure_from_ = start_ + options_.warm_up;
  measure_until_ = options_.count > 0 ? Clock::time_point::max() : measure_from_ + options_.duration;
  next_tick_ = start_ + kTick;
  std::jthread sessions([this](const std::stop_token& stop) { KeepSessions(stop); });
  if (arrivals_) {
    for (auto& slot : slots_) free_.push_back(slot.get());
    due_ = start_ + arrivals_->Next();
  } else {
    running_ = slots_.size();
    for (auto& slot : slots_) Next(*slot, Clock::now());
  }
  while (true) {
    const auto now = Clock::now();
    PassBoundaries(now);
    if (AllEnded(now)) break;
    if (now >= next_tick_) {
      next_tick_ = now + kTick;
      AskAgain();
    }
    if (arrivals_) SendDue();
    WaitForNews(now);
  }
  return Collect();
}

void Load::PassBoundaries(TimePoint now) {
  if (!began_ && now >= measure_from_) {
    began_ = true;
    if (options_.measuring_begins) options_.measuring_begins();
  }
  if (!ended_ && Over(now)) {
    ended_ = true;
    if (options_.measuring_ended) options_.measuring_ended();
  }
}

// Everything has been answered; or time is up, what is parked stays parked, and calls in flight have run into their own
// deadline.
bool Load::AllEnded(TimePoint now) {
  if (!Over(now)) return false;
  const std::scoped_lock lock(mutex_);
  const auto over_since = options_.count > 0 ? reached_at_ : measure_until_;
  return running_ == 0 || (now - over_since > kPatience && running_ == parked_.size());
}

void Load::AskAgain() {
  const auto now = Clock::now();
  std::vector<Slot*> again;
  {
    const std::scoped_lock lock(mutex_);
    if (Over(now) && now - (options_.count > 0 ? reached_at_ : measure_until_) > kPatience) return;
    const auto later = std::ranges::partition(parked_, [&](const Slot* slot) { return slot->not_before <= now; });
    again.assign(parked_.begin(), later.begin());
    parked_.erase(parked_.begin(), later.begin());
  }
  for (Slot* slot : again) {
    slot->looking ? Free(*slot) : Send(*slot);  // a look is not repeated
  }
}

// All calls that are due by now, as far as slots are free. The rest keeps its times.
void Load::SendDue() {
  while (true) {
    const auto now = Clock::now();
    if (due_ > now || Over(now)) return;
    Slot* slot = nullptr;
    {
      const std::scoped_lock lock(mutex_);
      slot_wanted_ = free_.empty();
      if (slot_wanted_) return;
      slot = free_.back();
      free_.pop_back();
      ++running_;
    }
    Next(*slot, due_);
    due_ = start_ + arrivals_->Next();
  }
}

void Load::WaitForNews(TimePoint now) {
  auto until = next_tick_;
  if (!began_) until = std::min(until, measure_from_);
  if (!ended_) until = std::min(until, measure_until_);
  std::unique_lock lock(mutex_);
  if (arrivals_ && !slot_wanted_ && !Over(now)) until = std::min(until, due_);
  changed_.wait_until(lock, until, [this] { return news_; });
  news_ = false;
}

void Load::KeepSessions(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any ticks;
  std::unique_lock lock(mutex);
  while (!ticks.wait_for(lock, stop, kTick, [] { return false; }) && !stop.stop_requested()) {
    for (std::size_t i = 0; i < users_->size() && !stop.stop_requested(); ++i) {
      LoadUser& user = (*users_)[i];
      if (user.session.expires_at - kRenewBefore > WallNow()) continue;
      auto renewed = gateways_.front()->RefreshSession(user.session.refresh_token);
      if (!renewed) renewed = gateways_.front()->AuthenticateClient(user.username, user.password);
      if (!renewed) continue;  // the payments of this user are asked again until it works
      user.session = std::move(*renewed);
      const std::scoped_lock tokens(token_mutex_);
      tokens_[i] = std::make_shared<const std::string>(user.session.access_token);
    }
  }
}

LoadResult Load::Collect() {
  const std::scoped_lock lock(result_mutex_);
  const auto until = options_.count > 0 ? reached_at_ : measure_until_;
  result_.measured = std::chrono::duration_cast<Duration>(until - measure_from_);
  for (const Slot* slot : parked_) result_.unresolved += slot->looking ? 0 : slot->orders.size();
  return std::move(result_);
}

}  // namespace strife::cli
