// Our transport (http2/server.h) as gRPC's own client sees it.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <csignal>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "base/limits.h"
#include "http2/server.h"
#include "rpc/channel.h"
#include "runtime/system_clock.h"
#include "security/pki.h"
#include "security/test_directory.h"

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

  void Left(const std::string&, const http2::Descriptor&) override { ++left; }

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

class TransportTest : public testing::Test {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    const WallTime now = runtime::WallNow();
    ASSERT_TRUE(security::CertificateAuthority::Create(directory_.path(), {.trust_domain = "strife.local"}, now));
    auto authority = security::CertificateAuthority::Open(directory_.path()).value();
    ASSERT_TRUE(authority.Issue({.role = security::Role::kBank, .name = "bank1"}, now));
    ASSERT_TRUE(authority.Issue({.role = security::Role::kClient, .name = "alice"}, now));
    server_credentials_ = security::LiveCredentials::Open(Files("bank1"), security::Role::kBank, now).value();
    client_credentials_ = security::LiveCredentials::Open(Files("alice"), security::Role::kClient, now).value();
    listeners_ = http2::ListenOn("127.0.0.1:0").value();
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(listeners_.front().get(), reinterpret_cast<sockaddr*>(&address), &size);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    server_ = std::make_unique<http2::Server>(
        http2::ServerSettings{.credentials = server_credentials_.get(), .handler = &handler_, .longest_call = 60s},
        clock_);
    door_ = std::thread([this] {
      while (!closing_) {
        http2::Descriptor connection(accept4(listeners_.front().get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (connection.get() < 0) {
          std::this_thread::yield();
        } else {
          ASSERT_TRUE(server_->Adopt(std::make_shared<const http2::Descriptor>(std::move(connection)), "peer"));
        }
      }
    });
    stub_ = NewStub();
  }

  void TearDown() override {
    closing_ = true;
    door_.join();
    stub_.reset();
    server_.reset();
  }

  security::CredentialFiles Files(const std::string& name) const {
    return {directory_ / "ca.crt", directory_ / (name + ".crt"), directory_ / (name + ".key"), directory_ / "ca.crl"};
  }

  std::unique_ptr<grpc::GenericStub> NewStub() const {
    return std::make_unique<grpc::GenericStub>(
        OpenChannel(address_, *client_credentials_->current(), {"strife.local", security::Role::kBank, "bank1"}));
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

  security::TestDirectory directory_;
  std::unique_ptr<security::LiveCredentials> server_credentials_, client_credentials_;
  runtime::SystemClock clock_;
  TestHandler handler_;
  std::vector<http2::Descriptor> listeners_;
  std::string address_;
  std::unique_ptr<http2::Server> server_;
  std::unique_ptr<grpc::GenericStub> stub_;
  std::atomic<bool> closing_ = false;
  std::thread door_;
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
  grpc::ChannelArguments unlimited;
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
  ASSERT_TRUE(handler_.Wait([&] { return handler_.parked.size() == kCalls; }));
  std::vector<std::shared_ptr<http2::Call>> first;
  {
    const std::lock_guard lock(handler_.mutex);
    first.swap(handler_.parked);
  }
  {
    const http2::Mailbox::Together together;
    for (const auto& call : first) call->Finish(http2::Framed("done"));
  }
  ASSERT_TRUE(handler_.Wait([&] { return handler_.parked.size() == kCalls; }));
  for (const auto& call : handler_.parked) call->Finish(http2::Framed("done"));
  for (const auto& one : pending) EXPECT_EQ(one->Get().text, "done");
}

TEST_F(TransportTest, ACallThatIsGivenUp_IsToldAndItsLateAnswerGoesNowhere) {
  const auto pending = Begin("/test/Park", "x");
  ASSERT_TRUE(handler_.Wait([&] { return !handler_.parked.empty(); }));
  pending->context.TryCancel();
  EXPECT_EQ(pending->Get().status.error_code(), StatusCode::CANCELLED);
  ASSERT_TRUE(handler_.Wait([&] { return handler_.given_up == 1 && handler_.under_way == 0; }));
  handler_.parked.front()->Finish(http2::Framed("late"));
  EXPECT_EQ(Ask("/test/Echo", "next").text, "next");
}

TEST_F(TransportTest, Drain_GivesWhatIsUnderWayItsAnswerAndTakesNothingNew) {
  const auto pending = Begin("/test/Park", "x");
  ASSERT_TRUE(handler_.Wait([&] { return !handler_.parked.empty(); }));
  closing_ = true;
  door_.join();
  auto drained = std::async(std::launch::async, [&] { server_->Drain(30s); });
  EXPECT_EQ(drained.wait_for(50ms), std::future_status::timeout);
  handler_.parked.front()->Finish(http2::Framed("done"));
  EXPECT_EQ(pending->Get().text, "done");
  drained.get();
  EXPECT_EQ(handler_.under_way, 0);
  door_ = std::thread([] {});
}

TEST_F(TransportTest, TheServersEnd_EndsCallsAndTheirAnswersGoNowhere) {
  const auto pending = Begin("/test/Park", "x");
  ASSERT_TRUE(handler_.Wait([&] { return !handler_.parked.empty(); }));
  closing_ = true;
  door_.join();
  server_.reset();
  EXPECT_EQ(handler_.left, 1);
  EXPECT_EQ(handler_.under_way, 0);
  EXPECT_EQ(pending->Get().status.error_code(), StatusCode::UNAVAILABLE);
  handler_.parked.front()->Finish(http2::Framed("late"));
  door_ = std::thread([] {});
}

}  // namespace
}  // namespace strife::rpc
