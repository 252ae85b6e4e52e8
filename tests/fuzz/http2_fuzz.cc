// What a client sends once its TLS handshake is made, to a connection of a server's. The input is a list of steps:
// bytes or frames that are sent, calls that are answered, time that passes. Whatever comes, the handler hears of the
// end of each call it has taken, once, and all memory is given back.
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <csignal>
#include <set>

#include "fuzz.h"
#include "http2/connection.h"
#include "scratch.h"
#include "security/pki.h"

namespace strife::http2 {
namespace {

using Progress = TlsChannel::Progress;

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::size_t kMemoryBytes = std::size_t{1} << 20;
constexpr int kMaxSteps = 200;

WallTime WallNow() {
  return WallTime(std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()));
}

// The certificates of both sides; made once.
struct Ends {
  Ends() {
    std::signal(SIGPIPE, SIG_IGN);
    const WallTime now = WallNow();
    STRIFE_ASSERT(security::CertificateAuthority::Create(scratch / "ca", {.trust_domain = "strife.local"}, now));
    {
      auto authority = security::CertificateAuthority::Open(scratch / "ca").value();
      STRIFE_ASSERT(authority.Issue({.role = security::Role::kBank, .name = "bank1"}, now));
      STRIFE_ASSERT(authority.Issue({.role = security::Role::kClient, .name = "alice"}, now));
    }
    server = Open("bank1", security::Role::kBank);
    client = Open("alice", security::Role::kClient);
  }

  std::unique_ptr<security::LiveCredentials> Open(const std::string& name, security::Role role) const {
    const std::filesystem::path folder = scratch / "ca";
    return security::LiveCredentials::Open(
               {folder / "ca.crt", folder / (name + ".crt"), folder / (name + ".key"), folder / "ca.crl"}, role,
               WallNow())
        .value();
  }

  fuzz::Scratch scratch;
  std::unique_ptr<security::LiveCredentials> server, client;
};

class TestHandler final : public Handler {
 public:
  std::optional<CallStatus> Begins(const Call& call) override {
    // Some calls are not taken, as a policy would have it.
    if (call.path().size() % 4 == 3) return Failure(Code::kUnimplemented, "there is no such method");
    STRIFE_ASSERT(open_.insert(&call).second);
    return std::nullopt;
  }
  void Arrived(std::shared_ptr<Call> call) override {
    STRIFE_ASSERT(open_.contains(call.get()));
    STRIFE_ASSERT(call->message().size() <= limits::kMaxMessageBytes);
    waiting.push_back(std::move(call));
  }
  void Ended(const Call& call, bool, bool) override { STRIFE_ASSERT(open_.erase(&call) == 1); }
  void Left(const std::string&, const Descriptor&) override { STRIFE_ASSERT(open_.empty()); }

  std::vector<std::shared_ptr<Call>> waiting;  // to be answered

 private:
  std::set<const Call*> open_;
};

// Both ends of a connection whose handshake is made, in one thread.
class Pair {
 public:
  Pair(const Ends& ends, Handler& handler) : mailbox(std::make_shared<Mailbox>()) {
    std::array<int, 2> sockets{};
    STRIFE_ASSERT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets.data()) == 0);
    TlsAcceptor acceptor(*ends.server);
    TlsDialer dialer(ends.client->current(), ends.server->identity());
    client_ = dialer.Dial(std::make_shared<const Descriptor>(sockets[0]), "localhost").value();
    server = std::make_unique<Connection>(acceptor.Accept(std::make_shared<const Descriptor>(sockets[1])).value(),
                                          "fuzz", handler, memory, now);
    for (auto made = Progress::kWaiting; made != Progress::kDone || !server->is_made();) {
      if (made != Progress::kDone) made = client_->Handshake();
      STRIFE_ASSERT(made != Progress::kEnded && !server->ended());
      if (!server->is_made()) server->Handshake();
    }
    server->Begin(mailbox, now);
  }

  void Send(std::string_view bytes) {
    while (!bytes.empty() && !server->ended()) {
      std::size_t sent = 0;
      const auto progress = client_->Write({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()}, sent);
      if (progress == Progress::kEnded) return;
      if (progress == Progress::kDone) bytes.remove_prefix(sent);
      Turn();
    }
  }

  // The server takes what is there, answers, and what it has said is read and forgotten.
  void Turn() {
    for (bool more = true; more && !server->ended();) {
      more = server->Receive(now);
      for (Answer& answer : mailbox->Take().answers) server->Give(std::move(answer));
      server->Flush();
      std::array<unsigned char, 16384> ignored;
      std::size_t bytes = 0;
      while (client_->Read(ignored, bytes) == Progress::kDone) {
      }
    }
  }

  MonotonicTime now{std::chrono::hours(1)};
  const std::shared_ptr<RequestMemory> memory = std::make_shared<RequestMemory>(kMemoryBytes);
  const std::shared_ptr<Mailbox> mailbox;
  std::unique_ptr<Connection> server;

 private:
  std::unique_ptr<TlsChannel> client_;
};

std::string Frame(fuzz::Input& in) {
  std::string frame(9, '\0');
  frame[3] = static_cast<char>(in.Index(10));
  frame[4] = static_cast<char>(in.Byte());
  frame[8] = static_cast<char>(in.Byte());
  const std::string_view payload = in.Text();
  frame[2] = static_cast<char>(payload.size());
  return frame.append(payload);
}

void AnswerOne(fuzz::Input& in, TestHandler& handler) {
  const std::uint8_t how = in.Byte();
  if (handler.waiting.empty()) return;
  auto& call = handler.waiting[how % handler.waiting.size()];
  if (how % 3 == 0) return call->Send(std::string(std::size_t{how} * 64, 'x'));  // and goes on
  if (how % 3 == 1) call->Finish(Framed(std::string(std::size_t{how} * 64, 'x')));
  if (how % 3 == 2) call->Fail(Failure(Code::kInvalidArgument, "no \n%\xc3\xa4"));
  handler.waiting.erase(handler.waiting.begin() + how % static_cast<int>(handler.waiting.size()));
}

FUZZ_TARGET(http2) {
  static const Ends ends;
  TestHandler handler;
  Pair pair(ends, handler);
  fuzz::Input in(input);
  if (in.Byte() % 2 == 1) pair.Send(std::string(kPreface) + std::string("\0\0\0\4\0\0\0\0\0", 9));
  for (int step = 0; step < kMaxSteps && !in.empty() && !pair.server->ended(); ++step) {
    switch (in.Index(6)) {
      case 0:
      case 1:
        pair.Send(Frame(in));
        break;
      case 2:
        pair.Send(in.Text());
        break;
      case 3:
        AnswerOne(in, handler);
        break;
      case 4:
        pair.now += std::chrono::seconds(in.Byte());
        pair.server->Tick(pair.now, std::chrono::minutes(1));
        break;
      default:
        if (in.Byte() % 8 == 0) pair.server->Drain();
    }
    pair.Turn();
  }
  pair.server.reset();
  pair.mailbox->Close();
  for (const auto& call : handler.waiting) call->Finish(Framed("too late"));
  handler.waiting.clear();
  STRIFE_ASSERT(pair.memory->Take(0, kMemoryBytes / 32));  // the most there is for one, so nothing else is held
}

}  // namespace
}  // namespace strife::http2
