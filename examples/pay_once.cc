// Logs in and makes one payment that survives anything: a crash of this program, of the gateway, or of the network.
//
//   example_pay_once NETWORK_DIR USER PASSWORD_FILE FROM_BANK TO_BANK TO_ACCOUNT MINOR_UNITS CURRENCY
//
// Try it on a network that `strife init` has written and `strife up` runs:
//   example_pay_once net user1 password.txt bank1 bank3 user2 1250 USD
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <variant>

#include "client/client.h"
#include "client/pay.h"
#include "security/random.h"

namespace {

using namespace strife;

client::ClientConfig ConfigOf(const std::filesystem::path& network) {
  client::ClientConfig config;
  if (const char* gateway = std::getenv("STRIFE_GATEWAY")) config.gateway = gateway;  // else 127.0.0.1:50052
  config.ca_file = network / "certs/ca.crt";
  config.cert_file = network / "certs/client.crt";
  config.key_file = network / "certs/client.key";
  config.data_dir = network / "data/example";  // the session and the queue live here
  config.log_dir = network / "logs/example";   // client.log
  return config;
}

// Each kind of outcome is a type of its own: what is not known can be taken neither for success nor for failure.
struct Report {
  int operator()(const client::Ended& ended) const {
    const bool paid = ended.payment.state == protocol::PaymentState::kCompleted;
    std::printf("%s %s\n", paid ? "paid" : "declined:", ended.payment.message.c_str());
    return paid ? 0 : 1;
  }
  int operator()(const client::OnItsWay&) const {
    std::puts("decided; a bank is late and will get it");
    return 3;
  }
  int operator()(const client::Queued& queued) const {
    std::printf("queued, not sent yet: %s\n", queued.why.c_str());
    return 3;
  }
  int operator()(const client::UnknownOutcome& unknown) const {
    std::printf("not known yet, and asked for again with the same id: %s\n", unknown.why.c_str());
    return 3;
  }
  int operator()(const client::Refused& refused) const {
    std::printf("refused: %s %s\n", refused.reason_code.c_str(), refused.message.c_str());
    return 1;
  }
};

int Fail(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 9) return Fail("usage: see the top of examples/pay_once.cc");
  const client::ClientConfig config = ConfigOf(argv[1]);
  const std::string user = argv[2];
  std::string password;
  std::getline(std::ifstream(argv[3]), password);

  // The session is kept in data_dir and renewed silently; log in again only when it has ended.
  auto session = client::StoredSession(config);
  if (!session || session->username != user) {
    auto opened = client::Client::Open(config);
    if (!opened) return Fail(opened.error().message);
    auto grant = (*opened)->Login(user, password);
    if (!grant) return Fail(grant.error().error.message);
    session = *grant;
  }

  protocol::PaymentOrder order;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  order.id = security::NewUuidV7(WallTime(std::chrono::duration_cast<Duration>(now)));  // made once, kept for ever
  order.payer = user;
  for (const auto& account : session->accounts) {
    if (account.bank_id == argv[4]) order.from = account;
  }
  order.to = {argv[5], argv[6]};
  const auto currency = Currency::Parse(argv[8]);
  if (!currency) return Fail("no such currency");
  order.amount.currency = *currency;
  std::from_chars(argv[7], argv[7] + std::strlen(argv[7]), order.amount.minor_units);

  auto queue = client::Queue::Open(config.data_dir);
  if (!queue) return Fail(queue.error().message);
  auto outcome = client::PayDurably(config, **queue, order, std::nullopt, {});
  if (!outcome) return Fail(outcome.error().message);
  return std::visit(Report(), *outcome);
}
