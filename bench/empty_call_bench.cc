// The limit of the machine: empty unary gRPC calls over mutual TLS, closed loop, server and client in two processes.
//
//   build/release/bin/empty_call_bench NETWORK_DIR [OUTSTANDING] [SECONDS]
//
// NETWORK_DIR is one that `strife init` has made: its certificates are used, nothing of it needs to run.
#include <grpcpp/client_context.h>
#include <grpcpp/server_builder.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

#include "rpc/channel.h"
#include "rpc/grpc_setup.h"
#include "rpc/tls.h"
#include "strife/v1/bank.grpc.pb.h"

namespace {

using strife::security::CredentialFiles;
using strife::security::LiveCredentials;
using strife::security::Role;

constexpr const char* kAddress = "127.0.0.1:29999";

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

void Serve(const std::string& dir) {
  EmptyService service;
  const auto credentials = LiveCredentials::Open(FilesOf(dir, "bank1"), Role::kBank, Now());
  if (!credentials) std::abort();
  const auto tls = strife::rpc::ServerTls(**credentials, [](std::string_view) { return true; });
  grpc::ServerBuilder builder;
  builder.AddListeningPort(kAddress, tls);
  builder.RegisterService(&service);
  builder.BuildAndStart()->Wait();
}

struct Load {
  std::unique_ptr<strife::v1::Bank::Stub> stub;
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> calls = 0;
  std::atomic<int> in_flight = 0;
};

void Call(Load& load) {
  struct State {
    grpc::ClientContext context;
    strife::v1::GetLedgerTotalsRequest request;
    strife::v1::GetLedgerTotalsResponse response;
  };
  auto state = std::make_shared<State>();
  State& s = *state;
  load.stub->async()->GetLedgerTotals(&s.context, &s.request, &s.response, [state, &load](const grpc::Status& status) {
    if (!status.ok()) std::abort();
    load.calls.fetch_add(1);
    if (load.stop) {
      load.in_flight.fetch_sub(1);
    } else {
      Call(load);
    }
  });
}

double CpuSeconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: empty_call_bench NETWORK_DIR [OUTSTANDING] [SECONDS]\n");
    return 2;
  }
  const std::string dir = argv[1];
  const int outstanding = argc > 2 ? std::atoi(argv[2]) : 64;
  const int seconds = argc > 3 ? std::atoi(argv[3]) : 5;
  const pid_t server = fork();
  if (server == 0) {
    strife::rpc::SetUpGrpc();
    Serve(dir);
    return 0;
  }
  Load load;
  const auto credentials = LiveCredentials::Open(FilesOf(dir, "client"), Role::kClient, Now());
  if (!credentials) std::abort();
  load.stub = strife::v1::Bank::NewStub(
      strife::rpc::OpenChannel(kAddress, (*credentials)->current(), {"strife.local", Role::kBank, "bank1"}));
  {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    strife::v1::GetLedgerTotalsRequest request;
    strife::v1::GetLedgerTotalsResponse response;
    if (!load.stub->GetLedgerTotals(&context, request, &response).ok()) return 1;
  }
  load.in_flight = outstanding;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < outstanding; ++i) Call(load);
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto calls = static_cast<double>(load.calls);
  load.stop = true;
  while (load.in_flight > 0) std::this_thread::yield();
  kill(server, SIGKILL);
  waitpid(server, nullptr, 0);
  std::printf("%.0f empty calls/s with %d outstanding; CPU per call: client %.0f us, server %.0f us\n", calls / elapsed,
              outstanding, CpuSeconds(RUSAGE_SELF) / calls * 1e6, CpuSeconds(RUSAGE_CHILDREN) / calls * 1e6);
}
