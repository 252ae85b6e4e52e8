#include "http2/server.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "base/limits.h"

namespace strife::http2 {
namespace {

// One serves some 50,000 calls a second.
constexpr unsigned kMaxLoops = 4;

}  // namespace

Server::Server(const ServerSettings& settings, Clock& clock)
    : handler_(*settings.handler),
      clock_(clock),
      acceptor_(*settings.credentials),
      memory_(std::make_shared<RequestMemory>(settings.request_memory_bytes)) {
  const unsigned count = std::clamp(std::thread::hardware_concurrency(), 1U, kMaxLoops);
  for (unsigned i = 0; i < count; ++i) {
    loops_.push_back(std::make_unique<Loop>(clock, settings.longest_call, nullptr));
  }
  handshakes_ = std::make_unique<Loop>(clock, settings.longest_call, [this](std::unique_ptr<Connection> made) {
    loops_[next_++ % loops_.size()]->mailbox()->Post(std::move(made));
  });
}

Server::~Server() {
  handshakes_.reset();
  loops_.clear();
}

Status Server::Adopt(std::shared_ptr<const Descriptor> socket, std::string name) {
  auto channel = acceptor_.Accept(std::move(socket));
  if (!channel) return std::unexpected(channel.error());
  handshakes_->mailbox()->Post(
      std::make_unique<Connection>(*std::move(channel), std::move(name), handler_, memory_, clock_.Read().monotonic));
  return {};
}

void Server::Drain(Duration grace) {
  const auto deadline = std::chrono::steady_clock::now() + grace;
  for (const auto& loop : loops_) loop->Drain(deadline);
}

}  // namespace strife::http2
