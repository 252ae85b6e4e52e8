#include "gateway/login_queue.h"

#include "base/assert.h"
#include "base/limits.h"

namespace strife::gateway {

namespace {
constexpr std::size_t kHashThreads = 1;  // of two cores; the other one keeps paying
}

LoginQueue::LoginQueue() : threads_(kHashThreads, limits::kMaxLoginsUnderWay, runtime::Priority::kLow) {}

std::size_t LoginQueue::CountOf(const Counts& counts, const std::string& key) {
  const auto found = counts.find(key);
  return found == counts.end() ? 0 : found->second;
}

void LoginQueue::CountDown(Counts& counts, const std::string& key) {
  const auto found = counts.find(key);
  STRIFE_ASSERT(found != counts.end());
  if (--found->second == 0) counts.erase(found);
}

std::optional<LoginQueue::Place> LoginQueue::Enter(const std::string& certificate, const std::string& username) {
  std::string device = username + '/' + certificate;
  const std::lock_guard lock(mutex_);
  if (under_way_ >= limits::kMaxLoginsUnderWay ||
      CountOf(by_certificate_, certificate) >= limits::kMaxLoginsUnderWayPerCertificate ||
      CountOf(by_device_, device) >= limits::kMaxLoginsUnderWayPerDevice) {
    return std::nullopt;
  }
  ++under_way_;
  ++by_certificate_[certificate];
  ++by_device_[device];
  return Place(this, certificate, std::move(device));
}

void LoginQueue::Leave(const std::string& certificate, const std::string& device) {
  const std::lock_guard lock(mutex_);
  CountDown(by_certificate_, certificate);
  CountDown(by_device_, device);
  --under_way_;
}

bool LoginQueue::Hash(const std::string& certificate, Task task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.Push(certificate, std::move(task));
  }
  // One turn for each task; which task gets it is decided when it comes.
  return threads_.Submit([this] {
    if (auto next = Next()) (*next)();
  });
}

std::optional<LoginQueue::Task> LoginQueue::Next() {
  const std::lock_guard lock(mutex_);
  return tasks_.Pop();
}

}  // namespace strife::gateway
