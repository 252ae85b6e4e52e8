#include "cli/interrupt.h"

#include <unistd.h>

#include <ctime>

namespace strife::cli {

Interrupt::Interrupt() {
  sigemptyset(&signals_);
  for (int signal : {SIGINT, SIGTERM}) sigaddset(&signals_, signal);
  pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  thread_ = std::jthread([this](const std::stop_token& over) { Run(over); });
}

Interrupt::~Interrupt() {
  thread_.request_stop();
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void Interrupt::Run(const std::stop_token& over) {
  constexpr timespec kLook{0, 100'000'000};
  while (!over.stop_requested()) {
    const int signal = sigtimedwait(&signals_, nullptr, &kLook);
    if (signal < 0) continue;
    if (stop_.stop_requested()) ::_exit(128 + signal);
    stop_.request_stop();
  }
}

}  // namespace strife::cli
