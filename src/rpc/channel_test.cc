// Our clients' channels (http2/channel.h), against our servers' transport and gRPC's own server.
#include "http2/channel.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <vector>

#include "base/limits.h"
#include "rpc/messages.h"
#include "rpc/transport_test_support.h"

namespace strife::rpc {
namespace {

using http2::Code;
using http2::Outcome;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

class ChannelTest : public ::testing::Test {
 protected:
  struct Pending {
    std::shared_ptr<http2::ClientCall> call;
    std::future<Outcome> outcome;
  };

  http2::Target Target(const std::string& address, const std::string& expected = "bank1") const {
    return {.address = address,
            .credentials = client_->current(),
            .expected = {"strife.local", security::Role::kBank, expected}};
  }

  static Pending Begin(http2::Channel& channel, const std::string& path, const std::string& message,
                       Duration timeout = 30s, std::vector<std::pair<std::string, std::string>> metadata = {}) {
    auto promise = std::make_shared<std::promise<Outcome>>();
    auto outcome = promise->get_future();
    auto call = channel.Call({.path = path,
                              .metadata = std::move(metadata),
                              .framed_message = http2::Framed(message),
                              .deadline = DeadlineIn(timeout)},
                             [promise](Outcome given) { promise->set_value(std::move(given)); });
    return {std::move(call), std::move(outcome)};
  }
  static Outcome Ask(http2::Channel& channel, const std::string& path, const std::string& message) {
    return Begin(channel, path, message).outcome.get();
  }
  static std::optional<std::string> Connect(http2::Channel& channel) {
    auto promise = std::make_shared<std::promise<std::optional<std::string>>>();
    auto told = promise->get_future();
    channel.Connect([promise](const std::optional<std::string>& why_not) { promise->set_value(why_not); });
    return told.get();
  }
  // An address nobody listens on.
  static std::string Nowhere() {
    const auto listeners = http2::ListenOn("127.0.0.1:0").value();
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(listeners.front().get(), reinterpret_cast<sockaddr*>(&address), &size);
    return "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }

  testing::TestNetwork network_;
  std::unique_ptr<security::LiveCredentials> client_ = network_.Credentials("alice", security::Role::kClient);
};

TEST_F(ChannelTest, MessagesOfEverySize_ComeBackAsTheyWere) {
  const testing::TestServer server(network_);
  http2::Channel channel(Target(server.address()));
  for (const std::size_t size : {0UZ, 1UZ, 16'383UZ, 65'536UZ, 1'000'000UZ, limits::kMaxMessageBytes}) {
    const std::string text(size, 'x');
    const Outcome outcome = Ask(channel, "/test/Echo", text);
    ASSERT_EQ(outcome.status.code, 0) << size << ": " << outcome.status.message;
    ASSERT_TRUE(outcome.message == text) << size;
  }
}

TEST_F(ChannelTest, Failures_ComeWithTextDetailsAndPushback) {
  const testing::TestServer server(network_);
  http2::Channel channel(Target(server.address()));
  const Outcome failed = Ask(channel, "/test/Fail", "x");
  EXPECT_EQ(failed.status.code, 8);
  EXPECT_EQ(failed.status.message, "busy");
  EXPECT_EQ(failed.status.details, std::string("\x00\x01 details", 10));
  EXPECT_EQ(failed.status.pushback, 250ms);
  EXPECT_EQ(Ask(channel, "/test/Refused", "").status.message, "not \xc3\xbc you");
  EXPECT_EQ(Begin(channel, "/test/Metadata", "", 30s, {{"x-test", "value"}}).outcome.get().message, "value");
}

TEST_F(ChannelTest, MoreCallsThanAConnectionTakes_AreAllAnswered) {
  testing::TestServer server(network_);
  http2::Channel channel(Target(server.address()));
  std::vector<Pending> pending;
  for (std::size_t i = 0; i < 3 * limits::kMaxCallsPerConnection; ++i) {
    pending.push_back(Begin(channel, "/test/Echo", std::to_string(i)));
  }
  for (std::size_t i = 0; i < pending.size(); ++i) EXPECT_EQ(pending[i].outcome.get().message, std::to_string(i));
}

TEST_F(ChannelTest, ACallThatIsNotAnsweredInTime_FailsAndTheServerIsTold) {
  testing::TestServer server(network_);
  http2::Channel channel(Target(server.address()));
  ASSERT_EQ(Connect(channel), std::nullopt);
  EXPECT_EQ(Begin(channel, "/test/Park", "x", 200ms).outcome.get().status.code,
            static_cast<int>(Code::kDeadlineExceeded));
  EXPECT_TRUE(server.handler.Wait([&] { return server.handler.given_up == 1; }));
  EXPECT_EQ(Ask(channel, "/test/Echo", "next").message, "next");
}

TEST_F(ChannelTest, ACancelledCall_IsOverAndTheServerIsTold) {
  testing::TestServer server(network_);
  http2::Channel channel(Target(server.address()));
  Pending pending = Begin(channel, "/test/Park", "x");
  ASSERT_TRUE(server.handler.Wait([&] { return !server.handler.parked.empty(); }));
  channel.Cancel(pending.call);
  EXPECT_EQ(pending.outcome.get().status.code, static_cast<int>(Code::kCancelled));
  EXPECT_TRUE(server.handler.Wait([&] { return server.handler.given_up == 1; }));
  channel.Cancel(pending.call);  // to no effect
  EXPECT_EQ(Ask(channel, "/test/Echo", "next").message, "next");
}

TEST_F(ChannelTest, NobodyListening_FailsAtOnceAndAgainWithoutTrying) {
  http2::Target target = Target(Nowhere());
  target.shortest_backoff = target.longest_backoff = 1h;
  http2::Channel channel(target);
  EXPECT_EQ(Connect(channel), "Connection refused");
  const Outcome outcome = Ask(channel, "/test/Echo", "x");
  EXPECT_EQ(outcome.status.code, static_cast<int>(Code::kUnavailable));
  EXPECT_EQ(outcome.status.message, "Connection refused");
  const testing::TestServer server(network_, target.address);
  EXPECT_EQ(Ask(channel, "/test/Echo", "x").status.code, static_cast<int>(Code::kUnavailable));
  EXPECT_EQ(Connect(channel), std::nullopt);  // whatever the backoff says
  EXPECT_EQ(Ask(channel, "/test/Echo", "x").message, "x");
}

TEST_F(ChannelTest, ANameThatIsNone_FailsWithIt) {
  http2::Channel channel(Target("no.such.host.invalid:1"));
  EXPECT_THAT(Connect(channel).value_or(""), HasSubstr("no.such.host.invalid"));
  http2::Channel nonsense(Target("nonsense"));
  EXPECT_THAT(Connect(nonsense).value_or(""), HasSubstr("host:port"));
}

TEST_F(ChannelTest, AServerThatIsAnother_IsNotTalkedTo) {
  testing::TestServer server(network_);
  http2::Channel channel(Target(server.address(), "bank2"));
  EXPECT_THAT(Connect(channel).value_or(""), HasSubstr("bank1"));
  EXPECT_EQ(Ask(channel, "/test/Echo", "x").status.code, static_cast<int>(Code::kUnavailable));
  EXPECT_EQ(server.handler.under_way, 0);
}

TEST_F(ChannelTest, ACertificateTheServerDoesNotTake_IsAFailureToConnect) {
  const testing::TestServer server(network_);
  const testing::TestNetwork stranger;
  // It believes the server, and the server does not believe it.
  auto mixed =
      std::make_shared<security::Credentials>(*stranger.Credentials("alice", security::Role::kClient)->current());
  mixed->trust = client_->current()->trust;
  http2::Target target = Target(server.address());
  target.credentials = mixed;
  http2::Channel channel(target);
  EXPECT_THAT(Connect(channel).value_or(""), HasSubstr("TLS"));
}

TEST_F(ChannelTest, AServerThatComesBack_IsCalledAgain) {
  auto server = std::make_unique<testing::TestServer>(network_);
  const std::string address = server->address();
  http2::Channel channel(Target(address));
  Pending lost = Begin(channel, "/test/Park", "x");
  ASSERT_TRUE(server->handler.Wait([&] { return !server->handler.parked.empty(); }));
  server.reset();
  EXPECT_EQ(lost.outcome.get().status.code, static_cast<int>(Code::kUnavailable));
  server = std::make_unique<testing::TestServer>(network_, address);
  ASSERT_EQ(Connect(channel), std::nullopt);
  EXPECT_EQ(Ask(channel, "/test/Echo", "x").message, "x");
}

TEST_F(ChannelTest, AServerThatSaysGoodbye_AnswersWhatItHasAndTheRestGoesToTheNext) {
  auto server = std::make_unique<testing::TestServer>(network_);
  const std::string address = server->address();
  http2::Channel channel(Target(address));
  Pending parked = Begin(channel, "/test/Park", "x");
  ASSERT_TRUE(server->handler.Wait([&] { return !server->handler.parked.empty(); }));
  server->Close();
  auto drained = std::async(std::launch::async, [&] { server->server().Drain(30s); });
  testing::TestServer next(network_, address);
  std::vector<Pending> more;
  for (int i = 0; i < 100; ++i) more.push_back(Begin(channel, "/test/Echo", std::to_string(i)));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(more[static_cast<std::size_t>(i)].outcome.get().message, std::to_string(i));
  server->handler.parked.front()->Finish(http2::Framed("done"));
  EXPECT_EQ(parked.outcome.get().message, "done");
  drained.get();
}

TEST_F(ChannelTest, KeepConnected_TellsWhenItIsAndWhenItCannotBe) {
  struct Told {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<bool> connected;
    void Wait(bool expected) {
      std::unique_lock lock(mutex);
      EXPECT_TRUE(changed.wait_for(lock, 30s, [&] { return connected == expected; })) << expected;
    }
  };
  const auto told = std::make_shared<Told>();
  const std::string address = Nowhere();
  http2::Channel channel(Target(address));
  channel.KeepConnected([told](bool connected) {
    const std::lock_guard lock(told->mutex);
    told->connected = connected;
    told->changed.notify_all();
  });
  told->Wait(false);
  for (int i = 0; i < 2; ++i) {
    const testing::TestServer server(network_, address);
    told->Wait(true);
    EXPECT_EQ(Ask(channel, "/test/Echo", "x").message, "x");
  }
  told->Wait(false);
}

TEST_F(ChannelTest, TheChannelsEnd_LeavesCallsTheirAnswers) {
  testing::TestServer server(network_);
  auto channel = std::make_unique<http2::Channel>(Target(server.address()));
  Pending pending = Begin(*channel, "/test/Park", "x");
  channel.reset();
  ASSERT_TRUE(server.handler.Wait([&] { return !server.handler.parked.empty(); }));
  server.handler.parked.front()->Finish(http2::Framed("done"));
  EXPECT_EQ(pending.outcome.get().message, "done");
  ASSERT_TRUE(server.handler.Wait([&] { return server.handler.left == 1; }));
}

// A server as a bank in another language has it.
class GrpcServer final : public grpc::CallbackGenericService {
 public:
  explicit GrpcServer(const testing::TestNetwork& network) {
    const auto credentials = network.Credentials("bank1", security::Role::kBank)->current();
    grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    options.pem_root_certs = credentials->trust->ca_pem();
    options.pem_key_cert_pairs = {{credentials->key_pem, credentials->certificate_pem}};
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options), &port);
    builder.SetMaxReceiveMessageSize(-1);
    builder.RegisterCallbackGenericService(this);
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
  }
  const std::string& address() const { return address_; }

 private:
  // Sends the request back, compressed on demand; a failure with details for "/test/Fail".
  class Reactor final : public grpc::ServerGenericBidiReactor {
   public:
    explicit Reactor(grpc::GenericCallbackServerContext* context) : context_(context) {
      if (context->method() == "/test/Fail") {
        context->AddTrailingMetadata("grpc-retry-pushback-ms", "250");
        Finish({grpc::StatusCode::RESOURCE_EXHAUSTED, "busy \xc3\xbc", std::string("\x00\x01", 2)});
        return;
      }
      if (context->method() == "/test/Compressed") context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
      StartRead(&message_);
    }
    void OnReadDone(bool ok) override {
      if (!ok) return Finish({grpc::StatusCode::INTERNAL, "nothing came"});
      if (context_->method() == "/test/Deadline") {
        const auto left = context_->deadline() - std::chrono::system_clock::now();
        return Finish({left > 25s && left < 35s ? grpc::StatusCode::OK : grpc::StatusCode::INTERNAL, ""});
      }
      StartWriteAndFinish(&message_, grpc::WriteOptions(), grpc::Status::OK);
    }
    void OnDone() override { delete this; }

   private:
    grpc::GenericCallbackServerContext* context_;
    grpc::ByteBuffer message_;
  };
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    return new Reactor(context);  // deletes itself
  }

  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

TEST_F(ChannelTest, GrpcsOwnServer_IsUnderstood) {
  const GrpcServer server(network_);
  http2::Channel channel(Target(server.address()));
  ASSERT_EQ(Connect(channel), std::nullopt);
  for (const std::size_t size : {0UZ, 1UZ, 100'000UZ, limits::kMaxMessageBytes}) {
    const std::string text(size, 'x');
    for (const char* path : {"/test/Echo", "/test/Compressed"}) {
      const Outcome outcome = Ask(channel, path, text);
      ASSERT_EQ(outcome.status.code, 0) << path << size << ": " << outcome.status.message;
      ASSERT_TRUE(outcome.message == text) << path << size;
    }
  }
  const Outcome failed = Ask(channel, "/test/Fail", "x");
  EXPECT_EQ(failed.status.code, 8);
  EXPECT_EQ(failed.status.message, "busy \xc3\xbc");
  EXPECT_EQ(failed.status.details, std::string("\x00\x01", 2));
  EXPECT_EQ(failed.status.pushback, 250ms);
  std::vector<Pending> pending;
  for (int i = 0; i < 2000; ++i) pending.push_back(Begin(channel, "/test/Echo", std::to_string(i)));
  for (int i = 0; i < 2000; ++i)
    EXPECT_EQ(pending[static_cast<std::size_t>(i)].outcome.get().message, std::to_string(i));
}

TEST_F(ChannelTest, TheDeadline_IsTold) {
  const GrpcServer server(network_);
  http2::Channel channel(Target(server.address()));
  // An OK without a message, so what it says is that there was none.
  EXPECT_THAT(Ask(channel, "/test/Deadline", "x").status.message, HasSubstr("ended before its message"));
}

}  // namespace
}  // namespace strife::rpc
