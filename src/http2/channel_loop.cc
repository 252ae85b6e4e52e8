#include "http2/channel_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "http2/channel_state.h"

namespace strife::http2 {
namespace {

constexpr std::uint64_t kWake = 0;
constexpr Duration kLongestWait = std::chrono::hours(1);

MonotonicTime Now() {
  return MonotonicTime(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

}  // namespace

ChannelLoop& ChannelLoop::Shared() {
  static auto* const loop = new ChannelLoop();
  return *loop;
}

ChannelLoop::ChannelLoop()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      now_(Now()),
      next_look_(now_ + kLongestWait) {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kWake}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event);
  thread_ = std::thread([this] { Run(); });
}

void ChannelLoop::Post(std::move_only_function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    // The loop looks for tasks before it waits.
    if (tasks_.size() > 1 || std::this_thread::get_id() == thread_.get_id()) return;
  }
  const std::uint64_t one = 1;
  // Fails only when it is to wake up anyway.
  static_cast<void>(write(wake_.get(), &one, sizeof one) == sizeof one);
}

std::uint64_t ChannelLoop::Watch(int socket, std::uint32_t events, ChannelState& channel,
                                 ClientConnection* connection) {
  const std::uint64_t watch = next_watch_++;
  watched_[watch] = {socket, events, &channel, connection};
  epoll_event event{.events = events, .data = {.u64 = watch}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event);
  return watch;
}

void ChannelLoop::Change(std::uint64_t watch, std::uint32_t events) {
  Watched& watched = watched_.at(watch);
  if (std::exchange(watched.events, events) == events) return;
  epoll_event event{.events = events, .data = {.u64 = watch}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, watched.socket, &event);
}

void ChannelLoop::Unwatch(std::uint64_t watch) {
  const auto found = watched_.find(watch);
  if (found == watched_.end()) return;
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second.socket, nullptr);
  watched_.erase(found);
}

void ChannelLoop::Run() {
  std::array<epoll_event, 128> events{};
  while (true) {
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), WaitMs());
    now_ = Now();
    for (int i = 0; i < count; ++i) {
      const std::uint64_t watch = events[static_cast<std::size_t>(i)].data.u64;
      if (watch == kWake) {
        std::uint64_t ignored = 0;
        static_cast<void>(read(wake_.get(), &ignored, sizeof ignored) == sizeof ignored);
      } else if (const auto found = watched_.find(watch); found != watched_.end()) {
        found->second.channel->OnSocket(found->second.connection);
      }
    }
    RunTasks();
    LookAtChannels();
  }
}

int ChannelLoop::WaitMs() {
  if (!touched_.empty()) return 0;
  {
    const std::lock_guard lock(mutex_);
    if (!tasks_.empty()) return 0;
  }
  const Duration wait = std::clamp<Duration>(next_look_ - now_, Duration::zero(), kLongestWait);
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wait).count());
}

void ChannelLoop::RunTasks() {
  std::vector<std::move_only_function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
  }
  for (auto& task : tasks) task();
}

void ChannelLoop::LookAtChannels() {
  channels_.merge(touched_);
  touched_.clear();
  next_look_ = now_ + kLongestWait;
  for (auto channel = channels_.begin(); channel != channels_.end();) {
    const auto next = (*channel)->Look(now_);
    if (next) next_look_ = std::min(next_look_, *next);
    channel = next ? std::next(channel) : channels_.erase(channel);
  }
}

}  // namespace strife::http2
