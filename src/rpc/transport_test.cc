// Our server's transport (http2/server.h) as gRPC's own client sees it.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <future>
#include <vector>

#include "base/limits.h"
#include "rpc/transport_test_support.h"

namespace strife::rpc {
namespace {

using grpc::ByteBuffer;
using grpc::StatusCode;
using namespace std::chrono_literals;

std::string Text(const ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string text;
  if (!buffer.Dump(&slices).ok()) return text;
  for (const auto& slice : slices) text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return text;
}

ByteBuffer Buffer(const std::string& text) {
  const grpc::Slice slice(text);
  return {&slice, 1};
}

class TransportTest : public ::testing::Test {
 protected:
  void SetUp() override { stub_ = StubOf(server_); }

  std::unique_ptr<grpc::GenericStub> StubOf(const testing::TestServer& server) {
    const auto credentials = network_.Credentials("alice", security::Role::kClient)->current();
    grpc::ChannelArguments arguments;
    arguments.SetSslTargetNameOverride("localhost");
    arguments.SetMaxReceiveMessageSize(-1);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return std::make_unique<grpc::GenericStub>(grpc::CreateCustomChannel(
        server.address(),
        grpc::SslCredentials({credentials->trust->ca_pem(), credentials->key_pem, credentials->certificate_pem}),
        arguments));
  }

  struct Answer {
    grpc::Status status;
    std::string text;
    std::multimap<std::string, std::string> trailers;
  };
  struct Pending {
    grpc::ClientContext context;
    ByteBuffer request, response;
    std::promise<grpc::Status> done;
    Answer Get() {
      Answer answer{done.get_future().get(), Text(response), {}};
      for (const auto& [name, value] : context.GetServerTrailingMetadata()) {
        answer.trailers.emplace(std::string(name.data(), name.size()), std::string(value.data(), value.size()));
      }
      return answer;
    }
  };

  std::unique_ptr<Pending> Begin(
      const std::string& path, const std::string& request,
      const std::function<void(grpc::ClientContext&)>& prepare = [](auto&) {}) {
    auto pending = std::make_unique<Pending>();
    pending->request = Buffer(request);
    pending->context.set_wait_for_ready(true);
    pending->context.set_deadline(std::chrono::system_clock::now() + 60s);
    prepare(pending->context);
    stub_->UnaryCall(&pending->context, path, grpc::StubOptions(), &pending->request, &pending->response,
                     [p = pending.get()](grpc::Status status) { p->done.set_value(std::move(status)); });
    return pending;
  }
  Answer Ask(
      const std::string& path, const std::string& request,
      const std::function<void(grpc::ClientContext&)>& prepare = [](auto&) {}) {
    return Begin(path, request, prepare)->Get();
  }

  // All answers of a stream, and how it ends.
  std::pair<std::vector<std::string>, grpc::Status> Stream(const std::string& path) {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    grpc::CompletionQueue queue;
    const auto call = stub_->PrepareCall(&context, path, &queue);
    void* tag = nullptr;
    bool ok = false;
    const auto step = [&] { return queue.Next(&tag, &ok) && ok; };
    call->StartCall(nullptr);
    EXPECT_TRUE(step());
    call->WriteLast(Buffer(""), {}, nullptr);
    EXPECT_TRUE(step());
    std::vector<std::string> answers;
    ByteBuffer answer;
    for (call->Read(&answer, nullptr); step(); call->Read(&answer, nullptr)) answers.push_back(Text(answer));
    grpc::Status status;
    call->Finish(&status, nullptr);
    EXPECT_TRUE(step());
    return {answers, status};
  }

  testing::TestNetwork network_;
  testing::TestServer server_{network_};
  std::unique_ptr<grpc::GenericStub> stub_;
};

TEST_F(TransportTest, MessagesOfEverySize_ComeBackAsTheyWere) {
  for (const std::size_t size : {0UZ, 1UZ, 16'383UZ, 65'536UZ, 1'000'000UZ, limits::kMaxMessageBytes}) {
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 >> 3);
    const Answer answer = Ask("/test/Echo", text);
    ASSERT_TRUE(answer.status.ok()) << size << ": " << answer.status.error_message();
    ASSERT_TRUE(answer.text == text) << size;
  }
}

TEST_F(TransportTest, AMessageThatIsTooLarge_IsRefusedAndTheConnectionGoesOn) {
  const std::string text(limits::kMaxMessageBytes + 1, 'x');
  EXPECT_EQ(Ask("/test/Refused", "").status.error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Ask("/test/Echo", text).status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(Ask("/test/Echo", "small").text, "small");
}

TEST_F(TransportTest, ACompressedRequest_IsRead) {
  for (const auto algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    const std::string text(100'000, 'x');
    const Answer answer = Ask("/test/Echo", text, [&](auto& context) { context.set_compression_algorithm(algorithm); });
    EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
    EXPECT_TRUE(answer.text == text);
  }
}

TEST_F(TransportTest, Failures_ComeWithTextDetailsAndPushback) {
  const Answer failed = Ask("/test/Fail", "x");
  EXPECT_EQ(failed.status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(failed.status.error_message(), "busy");
  EXPECT_EQ(failed.status.error_details(), std::string("\x00\x01 details", 10));
  EXPECT_EQ(failed.trailers.find("grpc-retry-pushback-ms")->second, "250");
  const Answer refused = Ask("/test/Refused", std::string(1'000'000, 'x'));
  EXPECT_EQ(refused.status.error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(refused.status.error_message(), "not \xc3\xbc you");
}

TEST_F(TransportTest, MetadataAndTheCertificate_AreTold) {
  EXPECT_EQ(Ask("/test/Who", "").text, "client/alice");
  const auto with = [&](int times) {
    return Ask("/test/Metadata", "",
               [&](auto& context) {
                 for (int i = 0; i < times; ++i) context.AddMetadata("x-test", "value");
               })
        .text;
  };
  EXPECT_EQ(with(0), "none");
  EXPECT_EQ(with(1), "value");
  EXPECT_EQ(with(2), "none");  // which of them counts nobody could say
}

// A header that a connection has seen before comes as one byte, and lies in memory at its full length.
TEST_F(TransportTest, Headers_TakeMemoryWhichIsFreeAgainWhenTheirCallsHaveEnded) {
  constexpr std::size_t kMemory = 1 << 20, kHeader = 12'000, kCalls = 100;
  static_assert(kCalls * kHeader > kMemory);
  testing::TestServer small(network_, "127.0.0.1:0", kMemory);
  stub_ = StubOf(small);
  const auto with_header = [](auto& context) { context.AddMetadata("x-test", std::string(kHeader, 'x')); };
  const auto parked = [&] {
    const std::lock_guard lock(small.handler.mutex);
    return small.handler.parked.size();
  };
  std::vector<std::unique_ptr<Pending>> pending;
  std::vector<std::future<grpc::Status>> taken;
  for (std::size_t i = 0; i < kCalls; ++i) {
    pending.push_back(Begin("/test/Park", "x", with_header));
    std::future<grpc::Status> done = pending.back()->done.get_future();
    while (parked() == taken.size() && done.wait_for(1ms) == std::future_status::timeout) continue;
    if (parked() > taken.size()) {
      taken.push_back(std::move(done));
    } else {
      EXPECT_EQ(done.get().error_code(), StatusCode::RESOURCE_EXHAUSTED);
    }
  }
  EXPECT_GT(taken.size(), 0u);
  EXPECT_LE(taken.size() * kHeader, kMemory);
  for (const auto& call : small.handler.parked) call->Finish(http2::Framed("done"));
  for (auto& done : taken) EXPECT_TRUE(done.get().ok());
  small.handler.parked.clear();
  EXPECT_EQ(Ask("/test/Echo", "again", with_header).text, "again");
}

TEST_F(TransportTest, Streams_GiveAllTheirAnswersAndTheirEnd) {
  const auto [answers, status] = Stream("/test/Three");
  EXPECT_EQ(answers, (std::vector<std::string>{"one", "two", "three"}));
  EXPECT_TRUE(status.ok());
  const auto [before, broken] = Stream("/test/BreaksOff");
  EXPECT_EQ(before, std::vector<std::string>{"one"});
  EXPECT_EQ(broken.error_code(), StatusCode::UNAVAILABLE);
}

TEST_F(TransportTest, MoreCallsThanAConnectionTakes_AreAllAnsweredOnceThereIsRoom) {
  constexpr std::size_t kCalls = limits::kMaxCallsPerConnection;
  std::vector<std::unique_ptr<Pending>> pending;
  for (std::size_t i = 0; i < 2 * kCalls; ++i) pending.push_back(Begin("/test/Park", "x"));
  ASSERT_TRUE(server_.handler.Wait([&] { return server_.handler.parked.size() == kCalls; }));
  std::vector<std::shared_ptr<http2::Call>> first;
  {
    const std::lock_guard lock(server_.handler.mutex);
    first.swap(server_.handler.parked);
  }
  {
    const http2::Mailbox::Together together;
    for (const auto& call : first) call->Finish(http2::Framed("done"));
  }
  ASSERT_TRUE(server_.handler.Wait([&] { return server_.handler.parked.size() == kCalls; }));
  for (const auto& call : server_.handler.parked) call->Finish(http2::Framed("done"));
  for (const auto& one : pending) EXPECT_EQ(one->Get().text, "done");
}

TEST_F(TransportTest, ACallThatIsGivenUp_IsToldAndItsLateAnswerGoesNowhere) {
  const auto pending = Begin("/test/Park", "x");
  ASSERT_TRUE(server_.handler.Wait([&] { return !server_.handler.parked.empty(); }));
  pending->context.TryCancel();
  EXPECT_EQ(pending->Get().status.error_code(), StatusCode::CANCELLED);
  ASSERT_TRUE(server_.handler.Wait([&] { return server_.handler.given_up == 1 && server_.handler.under_way == 0; }));
  server_.handler.parked.front()->Finish(http2::Framed("late"));
  EXPECT_EQ(Ask("/test/Echo", "next").text, "next");
}

TEST_F(TransportTest, Drain_GivesWhatIsUnderWayItsAnswerAndTakesNothingNew) {
  const auto pending = Begin("/test/Park", "x");
  ASSERT_TRUE(server_.handler.Wait([&] { return !server_.handler.parked.empty(); }));
  server_.Close();
  auto drained = std::async(std::launch::async, [&] { server_.server().Drain(30s); });
  EXPECT_EQ(drained.wait_for(50ms), std::future_status::timeout);
  server_.handler.parked.front()->Finish(http2::Framed("done"));
  EXPECT_EQ(pending->Get().text, "done");
  drained.get();
  EXPECT_EQ(server_.handler.under_way, 0);
}

TEST_F(TransportTest, TheServersEnd_EndsCallsAndTheirAnswersGoNowhere) {
  const auto pending = Begin("/test/Park", "x");
  ASSERT_TRUE(server_.handler.Wait([&] { return !server_.handler.parked.empty(); }));
  server_.Stop();
  EXPECT_EQ(server_.handler.left, 1);
  EXPECT_EQ(server_.handler.under_way, 0);
  EXPECT_EQ(pending->Get().status.error_code(), StatusCode::UNAVAILABLE);
  server_.handler.parked.front()->Finish(http2::Framed("late"));
}

class ConnectionsEnd : public TransportTest {
 protected:
  // The connection ends, and the next call comes over another.
  void ExpectItsEnd() {
    EXPECT_TRUE(server_.handler.Wait([&] { return server_.handler.left == 1; }));
    EXPECT_EQ(Ask("/test/Echo", "next").text, "next");
  }
};

TEST_F(ConnectionsEnd, AConnectionWithoutCalls_IsEndedAfterItsTime) {
  constexpr std::chrono::seconds kIdle{limits::kMaxConnectionIdleSeconds};
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(Ask("/test/Echo", "x").text, "x");
    server_.clock.Advance(kIdle - 60s);
  }
  ASSERT_EQ(Ask("/test/Echo", "x").text, "x");
  EXPECT_EQ(server_.handler.left, 0);
  server_.clock.Advance(kIdle + 1s);
  ExpectItsEnd();
}

TEST_F(ConnectionsEnd, AnOldConnection_IsEndedThoughItIsInUse) {
  constexpr std::chrono::seconds kAge{limits::kMaxConnectionAgeSeconds}, kStep{300};
  for (auto age = 0s; age + kStep < kAge; age += kStep) {
    ASSERT_EQ(Ask("/test/Echo", "x").text, "x");
    server_.clock.Advance(kStep);
  }
  ASSERT_EQ(Ask("/test/Echo", "x").text, "x");
  EXPECT_EQ(server_.handler.left, 0);
  server_.clock.Advance(kStep + 1s);
  ExpectItsEnd();
}

TEST_F(TransportTest, ACallThatTakesTooLong_IsEnded) {
  const auto pending = Begin("/test/Park", "x");
  ASSERT_TRUE(server_.handler.Wait([&] { return !server_.handler.parked.empty(); }));
  server_.clock.Advance(61s);
  EXPECT_EQ(pending->Get().status.error_code(), StatusCode::CANCELLED);
  EXPECT_TRUE(server_.handler.Wait([&] { return server_.handler.under_way == 0; }));
  server_.handler.parked.front()->Finish(http2::Framed("late"));
  EXPECT_EQ(Ask("/test/Echo", "next").text, "next");
}

}  // namespace
}  // namespace strife::rpc
