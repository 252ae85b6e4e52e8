#include "http2/loop.h"

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <utility>

namespace strife::http2 {
namespace {

constexpr Duration kTick = std::chrono::seconds(1);

}  // namespace

Loop::Loop(Clock& clock, Duration longest_call, MadeConnection pass_on)
    : clock_(clock),
      longest_call_(longest_call),
      pass_on_(std::move(pass_on)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      now_(clock.Read().monotonic),
      next_tick_(now_ + kTick) {
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, mailbox_->descriptor(), &event);
  thread_ = std::thread([this] { Run(); });
}

Loop::~Loop() {
  stopping_ = true;
  mailbox_->Wake();
  thread_.join();
}

void Loop::Drain(std::chrono::steady_clock::time_point deadline) {
  draining_ = true;
  mailbox_->Wake();
  std::unique_lock lock(mutex_);
  drained_.wait_until(lock, deadline, [this] { return is_drained_; });
}

void Loop::Run() {
  std::array<epoll_event, 256> events{};
  while (!stopping_) {
    const auto wait = unread_.empty()
                          ? std::chrono::ceil<std::chrono::milliseconds>(std::max(next_tick_ - now_, Duration::zero()))
                          : std::chrono::milliseconds(0);
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), static_cast<int>(wait.count()));
    now_ = clock_.Read().monotonic;
    for (Connection* connection : std::exchange(unread_, {})) OnEvent(*connection);
    for (int i = 0; i < count; ++i) {
      auto* connection = static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (connection != nullptr) OnEvent(*connection);
    }
    TakeMail();
    if (now_ >= next_tick_) Tick();
    if (draining_) DrainAll();
    FlushAll();
    if (draining_ && connections_.empty()) {
      const std::lock_guard lock(mutex_);
      is_drained_ = true;
      drained_.notify_all();
    }
  }
  connections_.clear();
  mailbox_->Close();
}

void Loop::TakeMail() {
  Mailbox::Mail mail = mailbox_->Take();
  for (auto& newcomer : mail.newcomers) Adopt(std::move(newcomer));
  for (Answer& answer : mail.answers) {
    Connection* connection = Connection::Of(*answer.call);
    if (connection == nullptr) continue;
    connection->Give(std::move(answer));
    MarkDirty(*connection);
  }
}

void Loop::Adopt(std::unique_ptr<Connection> newcomer) {
  Connection& connection = *newcomer;
  connections_.emplace(&connection, std::move(newcomer));
  if (connection.is_made()) connection.Begin(mailbox_, now_);
  connection.watched_events = EPOLLIN;
  epoll_event event{.events = EPOLLIN, .data = {.ptr = &connection}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.link().tls().socket().get(), &event);
  OnEvent(connection);  // the handshake may have read more than its own
}

void Loop::OnEvent(Connection& connection) {
  if (!connection.is_made()) {
    connection.Handshake();
    if (connection.is_made()) return pass_on_(Take(connection));
  } else if (!connection.ended()) {
    connection.has_more = !connection.link().wants_to_read() || connection.Receive(now_);
  }
  MarkDirty(connection);
}

std::unique_ptr<Connection> Loop::Take(Connection& connection) {
  // Closing the descriptor would not do: there may be another of the same connection.
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection.link().tls().socket().get(), nullptr);
  auto node = connections_.extract(&connection);
  return std::move(node.mapped());
}

void Loop::MarkDirty(Connection& connection) {
  if (std::exchange(connection.is_dirty, true)) return;
  dirty_.push_back(&connection);
}

void Loop::FlushAll() {
  for (Connection* connection : std::exchange(dirty_, {})) {
    connection->is_dirty = false;
    if (connection->is_made()) connection->Flush();
    if (connection->ended()) {
      Take(*connection);
      continue;
    }
    Watch(*connection);
    if (connection->has_more && connection->link().wants_to_read()) unread_.push_back(connection);
  }
}

void Loop::Watch(Connection& connection) {
  const std::uint32_t events = connection.link().epoll_events();
  if (events == connection.watched_events) return;
  connection.watched_events = events;
  epoll_event event{.events = events, .data = {.ptr = &connection}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.link().tls().socket().get(), &event);
}

void Loop::Tick() {
  next_tick_ = now_ + kTick;
  for (const auto& [pointer, connection] : connections_) {
    connection->Tick(now_, longest_call_);
    MarkDirty(*connection);
  }
}

void Loop::DrainAll() {
  for (const auto& [pointer, connection] : connections_) {
    connection->Drain();
    MarkDirty(*connection);
  }
}

}  // namespace strife::http2
