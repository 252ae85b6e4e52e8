#include "cli/queue_flush.h"

#include <condition_variable>
#include <mutex>

#include "cli/queue_view.h"
#include "client/courier.h"

namespace strife::cli {
namespace {

using protocol::OutboxState;

constexpr auto kLook = std::chrono::milliseconds(100);

struct Waiting {
  std::size_t waiting = 0;
  std::size_t followed = 0;
};

Result<Waiting> CountOpen(client::Queue& queue, const std::string& user) {
  auto items = queue.List(user);
  if (!items) return std::unexpected(items.error());
  Waiting count;
  for (const OutboxItem& item : *items) {
    count.waiting += protocol::IsWaiting(item.state) ? 1 : 0;
    count.followed += item.state == OutboxState::kFollowed ? 1 : 0;
  }
  return count;
}

// What has ended while it looked.
class Tally {
 public:
  explicit Tally(OutputFormat output) : output_(output) {}

  Status Take(client::Queue& queue, const std::string& user) {
    auto items = queue.TakeUntold(user);
    if (!items) return std::unexpected(items.error());
    for (const OutboxItem& item : *items) {
      const bool completed =
          item.state == OutboxState::kDone && item.payment_state == protocol::PaymentState::kCompleted;
      ++(completed ? completed_ : failed_);
      if (output_ == OutputFormat::kJson) {
        list_.push_back(QueueItemJson(item));
      } else {
        PrintText(OutcomeSentence(item) + "\n");
      }
    }
    return {};
  }

  void Print(const Waiting& left) const {
    if (output_ == OutputFormat::kJson) {
      return PrintJson({{"completed", completed_},
                        {"failed", failed_},
                        {"waiting", left.waiting},
                        {"on_their_way", left.followed},
                        {"payments", list_}});
    }
    PrintText(std::to_string(completed_) + " completed, " + std::to_string(failed_) + " declined or set aside, " +
              std::to_string(left.waiting) + " waiting" +
              (left.followed > 0 ? ", " + std::to_string(left.followed) + " on their way" : "") + "\n");
  }
  std::size_t failed() const { return failed_; }

 private:
  const OutputFormat output_;
  std::size_t completed_ = 0;
  std::size_t failed_ = 0;
  Json list_ = Json::array();
};

// The courier's view of things, kept for the main thread.
class Observer {
 public:
  client::CourierEvents Events() {
    return {.settled = {},
            .attempted = {},
            .status = [this](const auto& status) { Change([&] { status_ = status; }); },
            .failed = [this](const Error& error) { Change([&] { failure_ = error; }); }};
  }
  std::pair<std::optional<protocol::OutboxStatus>, std::optional<Error>> Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kLook, [this] { return std::exchange(news_, false); });
    return {status_, failure_};
  }

 private:
  void Change(const std::function<void()>& change) {
    const std::scoped_lock lock(mutex_);
    change();
    news_ = true;
    changed_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool news_ = false;
  std::optional<protocol::OutboxStatus> status_;
  std::optional<Error> failure_;
};

// Why nothing more is to be expected soon, if so.
std::optional<std::string> Stuck(const client::ClientConfig& config, const protocol::OutboxStatus& status,
                                 std::size_t waiting, const std::string& user) {
  if (status.needs_login || status.user != user) return LoginAdvice(waiting, user);
  const bool away = !status.online && status.failures > 0 && !status.in_flight;
  if (away || status.failures > static_cast<std::uint32_t>(config.max_retries)) return status.last_failure;
  return std::nullopt;
}

}  // namespace

int FlushQueue(const client::ClientConfig& config, client::Queue& queue, const std::string& user, bool wait,
               OutputFormat output, const std::stop_token& stop) {
  Observer observer;
  auto courier = client::Courier::Start(config, observer.Events(), wait);
  if (!courier) return Report(courier.error());
  Tally tally(output);
  std::string why, shown;
  Waiting left;
  for (;;) {
    auto [status, failure] = observer.Wait();
    if (auto taken = tally.Take(queue, user); !taken) return Report(taken.error());
    auto counted = CountOpen(queue, user);
    if (!counted) return Report(counted.error());
    left = *counted;
    if (failure) return Report(*failure);
    if (left.waiting == 0 && (!wait || left.followed == 0)) break;
    if (stop.stop_requested()) why = "interrupted";
    if (why.empty() && status) {
      auto stuck = Stuck(config, *status, left.waiting, user);
      if (stuck && !wait) why = *stuck;
      if (stuck && wait && *stuck != shown) PrintError(shown = *stuck);
    }
    if (!why.empty()) break;
  }
  (*courier)->Stop();
  if (auto taken = tally.Take(queue, user); !taken) return Report(taken.error());
  tally.Print(left);
  if (left.waiting > 0 || left.followed > 0) {
    const std::string still = left.waiting == 1 ? " payment still waits: " : " payments still wait: ";
    if (!why.empty()) PrintError(std::to_string(left.waiting) + still + why);
    return kExitUnknownOutcome;
  }
  return tally.failed() > 0 ? kExitFailed : kExitDone;
}

}  // namespace strife::cli
