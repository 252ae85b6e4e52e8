// A few threads for work that may block (reads, password hashes), with a bounded queue.
#pragma once

#include <sys/resource.h>

#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

#include "runtime/inbox.h"

namespace strife::runtime {

// kLow: gets processor time mostly when nobody else wants it, about a tenth of a busy core.
enum class Priority { kNormal, kLow };

// Thread-safe. The destructor finishes what was accepted.
class WorkerPool {
 public:
  using Task = std::function<void()>;

  WorkerPool(std::size_t threads, std::size_t queue_capacity, Priority priority = Priority::kNormal)
      : inbox_(queue_capacity) {
    for (std::size_t i = 0; i < threads; ++i) {
      threads_.emplace_back([this, priority] {
        // Of this thread alone: Linux keeps a nice value for each. Where it is not allowed, all are equal.
        if (priority == Priority::kLow) static_cast<void>(setpriority(PRIO_PROCESS, 0, 10));
        Run();
      });
    }
  }

  ~WorkerPool() { Stop(); }

  // False when the queue is full or the pool stopped; the task is then not run.
  [[nodiscard]] bool Submit(Task task) { return inbox_.Push(task); }

  // Tasks that wait.
  std::size_t queued() const { return inbox_.size(); }

  void Stop() {
    inbox_.Close();
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }

 private:
  void Run() {
    for (;;) {
      std::vector<Task> tasks = inbox_.Drain(1, std::nullopt);
      if (tasks.empty()) return;
      tasks.front()();
    }
  }

  Inbox<Task> inbox_;
  std::vector<std::thread> threads_;
};

}  // namespace strife::runtime
