// The limit of the machine: empty unary calls over mutual TLS, closed loop, gRPC's own server and client in two
// processes.
//
//   build/release/bin/empty_call_bench NETWORK_DIR [OUTSTANDING] [SECONDS] [PORT]
//
// NETWORK_DIR is one that `strife init` has made: its certificates are used, nothing of it needs to run. Prints JSON.
#include <absl/synchronization/mutex.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cli/histogram.h"
#include "security/live_credentials.h"
#include "strife/v1/bank.grpc.pb.h"

namespace {

using strife::security::CredentialFiles;
using strife::security::LiveCredentials;
using strife::security::Role;

constexpr auto kWarmUp = std::chrono::seconds(1);

using Clock = std::chrono::steady_clock;

class EmptyService final : public strife::v1::Bank::CallbackService {
  grpc::ServerUnaryReactor* GetLedgerTotals(grpc::CallbackServerContext* context,
                                            const strife::v1::GetLedgerTotalsRequest*,
                                            strife::v1::GetLedgerTotalsResponse*) override {
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

CredentialFiles FilesOf(const std::string& dir, const std::string& name) {
  const std::string certs = dir + "/certs/";
  return {certs + "ca.crt", certs + name + ".crt", certs + name + ".key"};
}

strife::WallTime Now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return strife::WallTime(std::chrono::duration_cast<strife::Duration>(since_epoch));
}

void Serve(const std::string& dir, const std::string& address) {
  EmptyService service;
  const auto credentials = LiveCredentials::Open(FilesOf(dir, "bank1"), Role::kBank, Now());
  if (!credentials) std::abort();
  const auto current = (*credentials)->current();
  grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = current->trust->ca_pem();
  options.pem_key_cert_pairs = {{current->key_pem, current->certificate_pem}};
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::SslServerCredentials(options));
  builder.RegisterService(&service);
  builder.BuildAndStart()->Wait();
}

// Calls that follow one another. Touched by one thread at a time: its call's callback.
struct Slot {
  strife::cli::Histogram latency;
  std::uint64_t calls = 0;  // measured
};

struct Load {
  std::unique_ptr<strife::v1::Bank::Stub> stub;
  Clock::time_point from, until;  // what is measured
  std::vector<Slot> slots;
  std::atomic<std::size_t> running = 0;
};

void Call(Load& load, Slot& slot) {
  struct State {
    grpc::ClientContext context;
    strife::v1::GetLedgerTotalsRequest request;
    strife::v1::GetLedgerTotalsResponse response;
    Clock::time_point start = Clock::now();
  };
  auto state = std::make_shared<State>();
  State& s = *state;
  load.stub->async()->GetLedgerTotals(
      &s.context, &s.request, &s.response, [state, &load, &slot](const grpc::Status& status) {
        if (!status.ok()) std::abort();
        const auto now = Clock::now();
        if (now >= load.until) {
          load.running.fetch_sub(1);
          return;
        }
        if (now >= load.from) {
          slot.latency.Add(std::chrono::duration_cast<strife::Duration>(now - state->start));
          ++slot.calls;
        }
        Call(load, slot);
      });
}

double CpuSeconds(pid_t process) {
  clockid_t clock{};
  timespec used{};
  if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: empty_call_bench NETWORK_DIR [OUTSTANDING] [SECONDS] [PORT]\n");
    return 2;
  }
  const std::string dir = argv[1];
  const int outstanding = argc > 2 ? std::atoi(argv[2]) : 64;
  const int seconds = argc > 3 ? std::atoi(argv[3]) : 5;
  const std::string address = std::string("127.0.0.1:") + (argc > 4 ? argv[4] : "29999");
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // Debian builds it in; it costs 1.5 %
  const pid_t server = fork();
  if (server == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    Serve(dir, address);
    return 0;
  }
  Load load;
  const auto credentials = LiveCredentials::Open(FilesOf(dir, "client"), Role::kClient, Now());
  if (!credentials) std::abort();
  const auto current = (*credentials)->current();
  grpc::ChannelArguments arguments;
  arguments.SetSslTargetNameOverride("localhost");
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  load.stub = strife::v1::Bank::NewStub(grpc::CreateCustomChannel(
      address, grpc::SslCredentials({current->trust->ca_pem(), current->key_pem, current->certificate_pem}),
      arguments));
  {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    strife::v1::GetLedgerTotalsRequest request;
    strife::v1::GetLedgerTotalsResponse response;
    if (!load.stub->GetLedgerTotals(&context, request, &response).ok()) return 1;
  }
  load.slots.resize(static_cast<std::size_t>(outstanding));
  load.running = load.slots.size();
  load.from = Clock::now() + kWarmUp;
  load.until = load.from + std::chrono::seconds(seconds);
  for (Slot& slot : load.slots) Call(load, slot);
  std::this_thread::sleep_until(load.from);
  const double client_before = CpuSeconds(getpid()), server_before = CpuSeconds(server);
  std::this_thread::sleep_until(load.until);
  const double client_cpu = CpuSeconds(getpid()) - client_before, server_cpu = CpuSeconds(server) - server_before;
  while (load.running > 0) std::this_thread::yield();
  kill(server, SIGKILL);
  waitpid(server, nullptr, 0);
  strife::cli::Histogram latency;
  double calls = 0;
  for (const Slot& slot : load.slots) {
    latency.Merge(slot.latency);
    calls += static_cast<double>(slot.calls);
  }
  std::printf(
      "{\"calls_per_second\": %.1f, \"outstanding\": %d, \"latency_us\": {\"p50\": %lld, \"p99\": %lld}, "
      "\"client_cpu_us\": %.1f, \"server_cpu_us\": %.1f}\n",
      calls / seconds, outstanding, static_cast<long long>(latency.Percentile(0.5).count()),
      static_cast<long long>(latency.Percentile(0.99).count()), 1e6 * client_cpu / calls, 1e6 * server_cpu / calls);
}
