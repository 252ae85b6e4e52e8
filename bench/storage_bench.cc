// What durable batches cost: a gateway's three writes per payment and a bank's leg, in batches as the engine makes
// them. Usage: storage_bench FOLDER [batch-size] [batches] [payments already there]
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "storage/sqlite/bank_sqlite.h"
#include "storage/sqlite/gateway_sqlite.h"

namespace strife {
namespace {

using protocol::BankTransactionState;
using protocol::PaymentState;

std::mt19937_64 generator(1);
std::int64_t clock_ms = 1'700'000'000'000;

Uuid NewId() {
  std::array<std::uint8_t, 10> random;
  for (auto& byte : random) byte = static_cast<std::uint8_t>(generator());
  return Uuid::MakeV7(clock_ms, random);
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class Meter {
 public:
  void Report(const char* what, double commits, double payments) const {
    const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    const double cpu = CpuSeconds() - cpu_;
    std::printf("%-22s %8.0f commits/s %9.0f payments/s %7.2f us wall %7.2f us cpu per payment\n", what, commits / wall,
                payments / wall, 1e6 * wall / payments, 1e6 * cpu / payments);
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double cpu_ = CpuSeconds();
};

void Require(const Status& status) {
  if (status) return;
  std::fprintf(stderr, "%s\n", status.error().message.c_str());
  std::exit(1);
}

Currency Usd() { return *Currency::Parse("USD"); }

void Gateway(const std::filesystem::path& file, int size, int batches, const char* what) {
  auto store = OpenGatewayStore(file).value();
  GatewayRecords records;
  records.sequence = store->OpenIncarnation(NewId()).value().sequence;
  const Meter meter;
  for (int batch = 0; batch < batches; ++batch) {
    ++clock_ms;
    records.payments.clear();
    GatewayKeys keys;
    for (int i = 0; i < size; ++i) {
      protocol::PaymentRecord payment;
      const std::string user = std::to_string(generator() % 1000);
      payment.order = {NewId(),       "user" + user, {"bank1", "account-" + user}, {"bank2", "account-7"},
                       {1250, Usd()}, "invoice 4711"};
      payment.created_at = payment.updated_at = WallTime(Duration(clock_ms * 1000 + i));
      keys.payments.push_back(payment.order.id);
      records.payments.push_back(payment);
    }
    (void)store->Load(keys).value();
    for (const PaymentState state : {PaymentState::kInitiated, PaymentState::kCommitting, PaymentState::kCompleted}) {
      for (auto& payment : records.payments) payment.state = state;
      ++records.sequence;
      Require(store->Commit(records));
    }
  }
  meter.Report(what, 3.0 * batches, static_cast<double>(batches) * size);
}

void Bank(const std::filesystem::path& file, int size, int batches) {
  auto store = OpenBankStore(file).value();
  Require(store->Open("bank1"));
  BankRecords opening;
  for (int i = 0; i < 1000; ++i) {
    opening.accounts.push_back({"account-" + std::to_string(i), protocol::AccountKind::kCustomer,
                                protocol::AccountStatus::kActive, Usd(), 1'000'000'000, 0, 0});
  }
  opening.accounts.push_back(
      {"clearing:USD", protocol::AccountKind::kClearing, protocol::AccountStatus::kActive, Usd(), 0, 0, 0});
  Require(store->Commit(opening));
  const Meter meter;
  for (int batch = 0; batch < batches; ++batch) {
    ++clock_ms;
    BankRecords records;
    BankKeys keys;
    for (int i = 0; i < size; ++i) {
      const std::string account = "account-" + std::to_string(generator() % 1000);
      protocol::BankTransactionRecord transaction;
      transaction.id = NewId();
      transaction.debit_account = account;
      transaction.amount = {5, Usd()};
      keys.transactions.push_back(transaction.id);
      keys.accounts.push_back(account);
      records.transactions.push_back(transaction);
    }
    keys.accounts.push_back("clearing:USD");
    const BankRows before = store->Load(keys).value();
    for (const auto& [id, account] : before.accounts) records.accounts.push_back(account);
    for (auto& account : records.accounts) account.held += 5;
    Require(store->Commit(records));
    const BankRows rows = store->Load(keys).value();
    records.accounts.clear();
    for (const auto& [id, account] : rows.accounts) {
      records.accounts.push_back(account);
      records.accounts.back().held -= 5;
    }
    for (auto& transaction : records.transactions) {
      transaction.state = BankTransactionState::kCommitted;
      records.entries.push_back({transaction.id, 0, transaction.debit_account, -5, Usd(), {}});
      records.entries.push_back({transaction.id, 1, "clearing:USD", 5, Usd(), {}});
    }
    Require(store->Commit(records));
  }
  meter.Report("bank leg", 2.0 * batches, static_cast<double>(batches) * size);
}

}  // namespace
}  // namespace strife

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s FOLDER [batch-size] [batches] [payments already there]\n", argv[0]);
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  const int size = argc > 2 ? std::atoi(argv[2]) : 256;
  const int batches = argc > 3 ? std::atoi(argv[3]) : 200;
  const int there = argc > 4 ? std::atoi(argv[4]) : 0;
  if (there > 0) strife::Gateway(folder / "gateway.db", 2000, there / 2000, "gateway, filling");
  strife::Gateway(folder / "gateway.db", size, batches, "gateway payment");
  strife::Bank(folder / "bank.db", size, batches);
  return 0;
}
