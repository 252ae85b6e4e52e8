// A server of our transport that answers by the path that is called, and certificates for it and its clients.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/limits.h"
#include "base/test_directory.h"
#include "http2/server.h"
#include "runtime/system_clock.h"
#include "security/pki.h"

namespace strife::rpc::testing {

using namespace std::chrono_literals;

// Answers by the path that is called.
class TestHandler final : public http2::Handler {
 public:
  std::optional<http2::CallStatus> Begins(const http2::Call& call) override {
    if (call.path() == "/test/Refused") return http2::CallStatus{.code = 7, .message = "not \xc3\xbc you"};
    ++under_way;
    return std::nullopt;
  }

  void Arrived(std::shared_ptr<http2::Call> call) override {
    const std::string path = call->path();
    if (path == "/test/Echo") return call->Finish(http2::Framed(call->message()));
    if (path == "/test/Who") return call->Finish(http2::Framed(call->peer().who));
    if (path == "/test/Metadata") return call->Finish(http2::Framed(call->Metadata("x-test").value_or("none")));
    if (path == "/test/Fail") {
      return call->Fail(
          {.code = 8, .message = "busy", .details = std::string("\x00\x01 details", 10), .pushback = 250ms});
    }
    if (path == "/test/Three") {
      for (const char* message : {"one", "two"}) call->Send(message);
      return call->Finish(http2::Framed("three"));
    }
    if (path == "/test/BreaksOff") {
      call->Send("one");
      return call->Fail({.code = 14, .message = "no more"});
    }
    const std::lock_guard lock(mutex);
    parked.push_back(std::move(call));
    changed.notify_all();
  }

  void Ended(const http2::Call&, bool, bool was_answered) override {
    --under_way;
    if (!was_answered) ++given_up;
    const std::lock_guard lock(mutex);
    changed.notify_all();
  }

  void Left(const std::string&, const http2::Descriptor&) override {
    ++left;
    const std::lock_guard lock(mutex);
    changed.notify_all();
  }

  template <typename Condition>
  bool Wait(Condition condition) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 30s, condition);
  }

  std::atomic<int> under_way = 0, given_up = 0, left = 0;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::shared_ptr<http2::Call>> parked;  // guarded by mutex
};

// The machine's, and as much later as the test wants.
class LaterClock final : public Clock {
 public:
  Now Read() override {
    Now now = runtime::SystemClock().Read();
    now.monotonic += Duration(later_us_);
    now.wall += Duration(later_us_);
    return now;
  }
  void Advance(Duration by) { later_us_ += by.count(); }

 private:
  std::atomic<Duration::rep> later_us_ = 0;
};

// Its certificates, of one CA.
class TestNetwork {
 public:
  TestNetwork() {
    const WallTime now = runtime::WallNow();
    EXPECT_TRUE(security::CertificateAuthority::Create(directory_.path(), {.trust_domain = "strife.local"}, now));
    auto authority = security::CertificateAuthority::Open(directory_.path()).value();
    EXPECT_TRUE(authority.Issue({.role = security::Role::kBank, .name = "bank1"}, now));
    EXPECT_TRUE(authority.Issue({.role = security::Role::kClient, .name = "alice"}, now));
  }

  std::unique_ptr<security::LiveCredentials> Credentials(const std::string& name, security::Role role) const {
    const security::CredentialFiles files{directory_ / "ca.crt", directory_ / (name + ".crt"),
                                          directory_ / (name + ".key"), directory_ / "ca.crl"};
    return security::LiveCredentials::Open(files, role, runtime::WallNow()).value();
  }

 private:
  TestDirectory directory_;
};

// Listens from its making on, and serves once Start has been called.
class TestServer {
 public:
  explicit TestServer(const TestNetwork& network, const std::string& listen = "127.0.0.1:0",
                      std::size_t request_memory_bytes = limits::kMaxRequestMemoryBytes)
      : credentials_(network.Credentials("bank1", security::Role::kBank)), listeners_(http2::ListenOn(listen).value()) {
    std::signal(SIGPIPE, SIG_IGN);
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(listeners_.front().get(), reinterpret_cast<sockaddr*>(&address), &size);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    server_ = std::make_unique<http2::Server>(http2::ServerSettings{.credentials = credentials_.get(),
                                                                    .handler = &handler,
                                                                    .longest_call = 60s,
                                                                    .request_memory_bytes = request_memory_bytes},
                                              clock);
    door_ = std::thread([this] { LetIn(); });
  }
  ~TestServer() { Stop(); }

  const std::string& address() const { return address_; }
  http2::Server& server() { return *server_; }
  // Lets nobody in any more.
  void Close() {
    closing_ = true;
    if (door_.joinable()) door_.join();
    listeners_.clear();
  }
  void Stop() {
    Close();
    server_.reset();
  }

  LaterClock clock;
  TestHandler handler;

 private:
  void LetIn() {
    while (!closing_) {
      pollfd waiting{.fd = listeners_.front().get(), .events = POLLIN, .revents = 0};
      poll(&waiting, 1, 20);
      http2::Descriptor connection(accept4(listeners_.front().get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (connection.get() < 0) continue;
      EXPECT_TRUE(server_->Adopt(std::make_shared<const http2::Descriptor>(std::move(connection)), "peer"));
    }
  }

  std::unique_ptr<security::LiveCredentials> credentials_;
  std::vector<http2::Descriptor> listeners_;
  std::string address_;
  std::unique_ptr<http2::Server> server_;
  std::atomic<bool> closing_ = false;
  std::thread door_;
};

}  // namespace strife::rpc::testing
