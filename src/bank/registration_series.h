// Registrations one after the other, as the gateway answers them or does not: when to try again, and what is news.
#pragma once

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "base/result.h"
#include "base/time.h"

namespace strife::bank {

// Thread-safe.
class RegistrationSeries {
 public:
  // A gateway that is just starting is met at once, and one that stays away is not pestered.
  static constexpr Duration kFirstRetry = std::chrono::milliseconds(50);
  static constexpr Duration kLastRetry = std::chrono::seconds(1);

  struct Failure {
    int in_a_row = 0;
    Duration retry_in{};
    bool news = false;  // the first of its series, or the first of another kind: to be refused is not to be unheard
  };
  Failure Failed(ErrorCode code) {
    const std::scoped_lock lock(mutex_);
    Failure failure{.in_a_row = ++failures_, .news = last_ != code};
    failure.retry_in = std::min(kFirstRetry * (1 << std::min(failures_ - 1, 10)), kLastRetry);
    last_ = code;
    registered_ = false;
    return failure;
  }

  // Whether that is news: the first answer, or the end of a series of failures.
  bool Succeeded() {
    const std::scoped_lock lock(mutex_);
    failures_ = 0;
    last_.reset();
    return !std::exchange(registered_, true);
  }

  bool registered() const {
    const std::scoped_lock lock(mutex_);
    return registered_;
  }

 private:
  mutable std::mutex mutex_;
  int failures_ = 0;               // in a row
  std::optional<ErrorCode> last_;  // of them
  bool registered_ = false;
};

}  // namespace strife::bank
