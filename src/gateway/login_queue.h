// LoginQueue: bounds the logins under way and shares the hash threads among them.
//
// A password hash takes a processor for tens of milliseconds and 19 MiB for as long, so few run at once, on threads of
// low priority, and payments hardly notice. Certificates take turns: who floods the gateway with logins mostly delays
// himself.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "runtime/fair_queue.h"
#include "runtime/worker_pool.h"

namespace strife::gateway {

// Thread-safe.
class LoginQueue {
 public:
  using Task = std::move_only_function<void()>;

  // A login's place among those under way, which it keeps until it is destroyed.
  class Place {
   public:
    Place(Place&& other) noexcept
        : queue_(std::exchange(other.queue_, nullptr)),
          certificate_(std::move(other.certificate_)),
          device_(std::move(other.device_)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (queue_ != nullptr) queue_->Leave(certificate_, device_);
    }

   private:
    friend LoginQueue;
    Place(LoginQueue* queue, std::string certificate, std::string device)
        : queue_(queue), certificate_(std::move(certificate)), device_(std::move(device)) {}

    LoginQueue* queue_;
    std::string certificate_;
    std::string device_;
  };

  LoginQueue();

  // nullopt when too many logins are under way: of this user under this certificate, under the certificate, or
  // altogether. Places must not outlive the queue.
  std::optional<Place> Enter(const std::string& certificate, const std::string& username);
  // Runs `task` on a hash thread when it is this certificate's turn. False when stopped; the task is then dropped.
  // REQUIRES: the caller holds a Place, which bounds how much is queued.
  [[nodiscard]] bool Hash(const std::string& certificate, Task task);
  // Finishes what was queued.
  void Stop() { threads_.Stop(); }

 private:
  std::optional<Task> Next();
  using Counts = std::map<std::string, std::size_t>;  // none is zero
  static std::size_t CountOf(const Counts& counts, const std::string& key);
  static void CountDown(Counts& counts, const std::string& key);
  void Leave(const std::string& certificate, const std::string& device);

  std::mutex mutex_;
  std::size_t under_way_ = 0;       // guarded by mutex_
  Counts by_certificate_;           // guarded by mutex_
  Counts by_device_;                // guarded by mutex_
  runtime::FairQueue<Task> tasks_;  // guarded by mutex_
  runtime::WorkerPool threads_;     // last: its threads use the rest
};

}  // namespace strife::gateway
