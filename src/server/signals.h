// What a server's main thread does once everything runs: wait for signals.
#pragma once

#include <csignal>
#include <ctime>

#include "base/time.h"

namespace strife::server {

enum class Wakeup { kStop, kReload, kTimeout };

// Blocks SIGTERM, SIGINT and SIGHUP for the process, so that only Wait sees them. Make it before starting any thread.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }

  Wakeup Wait(Duration timeout) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
    const timespec limit{seconds.count(), static_cast<long>((timeout - seconds).count() * 1000)};
    switch (sigtimedwait(&set_, nullptr, &limit)) {
      case SIGTERM:
      case SIGINT:
        return Wakeup::kStop;
      case SIGHUP:
        return Wakeup::kReload;
      default:
        return Wakeup::kTimeout;
    }
  }

 private:
  sigset_t set_;
};

}  // namespace strife::server
