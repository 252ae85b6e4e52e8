// What the gateway measures about one bank.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/measure.h"
#include "base/time.h"

namespace strife::rpc {

// Thread-safe.
struct BankLinkStats {
  Counter answered;     // messages
  Counter unanswered;   // the bank or the way to it failed, or it took too long
  Counter overloaded;   // the bank asked to be left alone for a while
  SizeHistogram batch;  // commands in a message
  LatencyHistogram duration;
  std::atomic<std::int64_t> recent_us{0};  // a moving average over some ten messages
  std::atomic<bool> last_failed{false};
  std::atomic<std::int64_t> heartbeat_us{0};  // wall time of the last one; 0: none since the start

  void Answered(Duration took) {
    answered.Add();
    duration.Add(took);
    last_failed.store(false, std::memory_order_relaxed);
    // One message is in flight at a time, so nothing gets lost between load and store.
    const std::int64_t before = recent_us.load(std::memory_order_relaxed);
    recent_us.store(before == 0 ? took.count() : before + (took.count() - before) / 8, std::memory_order_relaxed);
  }
  void Failed() {
    unanswered.Add();
    last_failed.store(true, std::memory_order_relaxed);
  }
};

}  // namespace strife::rpc
