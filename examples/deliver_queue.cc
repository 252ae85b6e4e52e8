// Asynchronous use: payments are only put into the queue, and a courier delivers them in the background, whenever the
// gateway can be reached. Reads "BANK ACCOUNT MINOR_UNITS" lines (USD) from standard input, says at once that each is
// safe, and tells how each ends as it ends. Ends when the input has and nothing waits any more.
//
//   example_deliver_queue NETWORK_DIR       after: strife login USER --config NETWORK_DIR/client.toml
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <mutex>

#include "client/courier.h"
#include "client/queue.h"
#include "client/session_keeper.h"
#include "security/random.h"

int main(int argc, char** argv) {
  using namespace strife;
  if (argc != 2) {
    std::fputs("usage: example_deliver_queue NETWORK_DIR\n", stderr);
    return 2;
  }
  const std::filesystem::path network = argv[1];
  client::ClientConfig config;
  if (const char* gateway = std::getenv("STRIFE_GATEWAY")) config.gateway = gateway;  // else 127.0.0.1:50052
  config.ca_file = network / "certs/ca.crt";
  config.cert_file = network / "certs/client.crt";
  config.key_file = network / "certs/client.key";
  config.data_dir = network / "data/client";  // shared with the strife command: one queue, one session
  config.log_dir = network / "logs/client";

  const auto session = client::StoredSession(config);
  if (!session || session->accounts.empty()) {
    std::fprintf(stderr, "%s\n", session ? "this user has no account" : session.error().message.c_str());
    return 1;
  }
  std::mutex mutex;
  std::condition_variable changed;
  protocol::OutboxStatus status;
  auto courier = client::Courier::Start(
      config,
      {.settled =
           [](const OutboxItem& item) {
             std::printf("%s: %s %s\n", item.order.id.ToString().c_str(),
                         std::string(protocol::StateName(item.payment_state)).c_str(), item.message.c_str());
           },
       .attempted = {},
       .status =
           [&](const protocol::OutboxStatus& now) {
             const std::scoped_lock lock(mutex);
             status = now;
             changed.notify_all();
           },
       .failed = [](const Error& error) { std::fprintf(stderr, "%s\n", error.message.c_str()); }},
      /*watch=*/true);
  auto queue = client::Queue::Open(config.data_dir);
  if (!courier || !queue) return 1;

  std::string bank, account;
  for (std::int64_t minor_units = 0; std::cin >> bank >> account >> minor_units;) {
    protocol::PaymentOrder order;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    order.id = security::NewUuidV7(WallTime(std::chrono::duration_cast<Duration>(now)));
    order.payer = session->username;
    order.from = session->accounts.front();
    order.to = {bank, account};
    order.amount = {minor_units, *Currency::Parse("USD")};
    const auto answer = (*queue)->Enqueue(order);
    const bool safe = answer && answer->outcome == protocol::OutboxOutcome::kAccepted;
    std::printf("%s: %s\n", order.id.ToString().c_str(), safe ? "safe" : "not taken");
    (*courier)->Wake();
  }
  std::unique_lock lock(mutex);
  while (!changed.wait_for(lock, std::chrono::milliseconds(200), [] { return false; })) {
    lock.unlock();
    bool waiting = false;
    for (const OutboxItem& item : (*queue)->List(session->username).value_or(std::vector<OutboxItem>())) {
      waiting |= protocol::IsWaiting(item.state) || item.state == protocol::OutboxState::kFollowed;
    }
    if (!waiting) return 0;
    lock.lock();
    if (status.needs_login) {
      std::fprintf(stderr, "log in to send %zu queued payments\n", status.waiting);
      return 3;
    }
  }
}
