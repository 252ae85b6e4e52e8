// Ctrl-C as something a command can look at instead of dying from it.
#pragma once

#include <csignal>
#include <stop_token>
#include <thread>

namespace strife::cli {

// While it lives, the first SIGINT or SIGTERM requests a stop and the second one ends the process. Make it before
// starting any other thread.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();

  std::stop_token token() const { return stop_.get_token(); }
  bool requested() const { return stop_.stop_requested(); }

 private:
  void Run(const std::stop_token& over);

  std::stop_source stop_;
  sigset_t signals_{};
  sigset_t before_{};
  std::jthread thread_;
};

}  // namespace strife::cli
