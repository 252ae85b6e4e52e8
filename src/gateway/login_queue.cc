#include "gateway/login_queue.h"

#include "base/assert.h"
#include "base/limits.h"

namespace strife::gateway {

namespace {
constexpr std::size_t kHashThreads = 1;  // of two cores; the other one keeps paying
}

LoginQueue::LoginQueue() : threads_(kHashThreads, limits::kMaxLoginsUnderWay, runtime::Priority::kLow) {}

std::optional<LoginQueue::Place> LoginQueue::Enter(const std::string& certificate) {
  const std::lock_guard lock(mutex_);
  if (under_way_ >= limits::kMaxLoginsUnderWay) return std::nullopt;
  std::size_t& own = by_certificate_[certificate];
  if (own >= limits::kMaxLoginsUnderWayPerCertificate) return std::nullopt;
  ++own;
  ++under_way_;
  return Place(this, certificate);
}

void LoginQueue::Leave(const std::string& certificate) {
  const std::lock_guard lock(mutex_);
  const auto own = by_certificate_.find(certificate);
  STRIFE_ASSERT(own != by_certificate_.end() && under_way_ > 0);
  if (--own->second == 0) by_certificate_.erase(own);
  --under_way_;
}

bool LoginQueue::Hash(const std::string& certificate, Task task) {
  tasks_.Push(certificate, std::move(task));
  // One turn for each task; which task gets it is decided when it comes.
  return threads_.Submit([this] {
    if (auto next = tasks_.Pop()) (*next)();
  });
}

}  // namespace strife::gateway
