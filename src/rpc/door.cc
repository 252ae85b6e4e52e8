#include "rpc/door.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace strife::rpc {
namespace {

constexpr Duration kTick = std::chrono::milliseconds(100);
// To refuse costs little, but not nothing: who comes after so many in one tick waits for the next.
constexpr int kMaxRefusedPerTick = 256;
constexpr int kMaxAcceptedAtOnce = 64;  // then what else there is gets its turn

}  // namespace

Result<std::unique_ptr<Door>> Door::Open(const std::string& address, PeerLimits& limits, Clock& clock) {
  std::unique_ptr<Door> door(new Door(limits, clock));
  auto listeners = http2::ListenOn(address);
  if (!listeners) return std::unexpected(listeners.error());
  door->listeners_ = *std::move(listeners);
  door->epoll_ = Descriptor(epoll_create1(EPOLL_CLOEXEC));
  door->wake_ = Descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (door->epoll_.get() < 0 || door->wake_.get() < 0) {
    return Fail(ErrorCode::kUnavailable, "cannot listen on " + address + ": " + std::strerror(errno));
  }
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kWake}};
  epoll_ctl(door->epoll_.get(), EPOLL_CTL_ADD, door->wake_.get(), &event);
  return door;
}

Door::~Door() {
  stopping_ = true;
  Wake();
  if (thread_.joinable()) thread_.join();
}

void Door::Start(LetIn let_in) {
  let_in_ = std::move(let_in);
  paused_ = true;
  Resume();
  thread_ = std::thread([this] { Run(); });
}

void Door::Wake() {
  const std::uint64_t one = 1;
  // Fails only when it is to wake up anyway.
  static_cast<void>(write(wake_.get(), &one, sizeof one) == sizeof one);
}

void Door::Run() {
  std::array<epoll_event, 128> events{};
  while (!stopping_) {
    const int count =
        epoll_wait(epoll_.get(), events.data(), events.size(),
                   static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(kTick).count()));
    const MonotonicTime now = clock_.Read().monotonic;
    for (int i = 0; i < count; ++i) {
      const std::uint64_t number = events[static_cast<std::size_t>(i)].data.u64;
      if (number == kWake) {
        std::uint64_t ignored = 0;
        static_cast<void>(read(wake_.get(), &ignored, sizeof ignored) == sizeof ignored);
      } else if (const auto listener = number - kFirstListener; !paused_ && listener < listeners_.size()) {
        Accept(listeners_[listener].get());
      }
    }
    if (!listening_) listeners_.clear();
    if (now >= next_tick_) Tick(now);
  }
}

void Door::Tick(MonotonicTime now) {
  next_tick_ = now + kTick;
  refused_ = 0;
  Resume();
  limits_.connections().Tick(now, [this](const std::string& address) { limits_.ConnectionLimited(address); });
}

void Door::Accept(int listener) {
  for (int i = 0; i < kMaxAcceptedAtOnce; ++i) {
    Descriptor connection(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (connection.get() < 0) {
      // Out of descriptors or memory: whoever waits goes on waiting, and asking again at once would only keep a
      // processor busy. Anything else is about that one connection, or nobody waits any more.
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        limits_.connections().AcceptFailed();
        return Pause();
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      continue;
    }
    Admit(std::move(connection));
    if (refused_ >= kMaxRefusedPerTick) return Pause();
  }
}

void Door::Admit(Descriptor connection) {
  const http2::SocketPeer peer = http2::PeerOf(connection.get());
  if (peer.name.empty()) return;
  auto socket = std::make_shared<const Descriptor>(std::move(connection));
  if (limits_.connections().Arrive(peer, socket, clock_.Read().monotonic)) {
    ++refused_;
    limits_.ConnectionLimited(peer.address);
    return http2::AbortWhenClosed(*socket);
  }
  http2::SetConnectionOptions(socket->get());
  let_in_(std::move(socket), peer.name);
}

void Door::Pause() {
  for (const Descriptor& listener : listeners_) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener.get(), nullptr);
  paused_ = true;
}

void Door::Resume() {
  if (!paused_) return;
  paused_ = false;
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = kFirstListener + i}};
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listeners_[i].get(), &event);
  }
}

}  // namespace strife::rpc
