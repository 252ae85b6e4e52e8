// What Strife is compared with: the same transfers by PostgreSQL, closed loop, one payment at a time in each thread.
//
//   postgres_bench 2pc GATEWAY BANK_A BANK_B THREADS SECONDS
//   postgres_bench function DATABASE THREADS SECONDS
//
// Each database is given as a libpq connection string. WHAT IT HOLDS IS DELETED. 2pc needs max_prepared_transactions.
// 2pc is what one would write first: three servers, each payment prepared at both banks, then its row, which is the
// decision, committed at the gateway, then COMMIT PREPARED at both. function is a ledger without banks and gateway: one
// call of one stored function moves the money. Both check the balance, update the account and write an entry for each
// leg and a row for the payment, durably. Afterwards the money is counted: a run whose books are wrong has no result.
// Prints JSON.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/uuid.h"
#include "postgres_database.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kAccounts = 10'000;  // at each bank: enough that payments seldom wait for one another
constexpr std::int64_t kOpening = 100'000'000;
constexpr auto kWarmUp = std::chrono::seconds(1);

struct Payment {
  std::string id;
  int from = 0, to = 0;
  bool from_first_bank = true;  // otherwise from the second to the first
  std::int64_t amount = 0;
};

class Source {
 public:
  Source() : random_(std::random_device{}()) {}

  Payment Next() {
    std::array<std::uint8_t, 10> bytes;
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random_());
    const auto now = std::chrono::system_clock::now().time_since_epoch() / std::chrono::milliseconds(1);
    Payment payment;
    payment.id = strife::Uuid::MakeV7(now, bytes).ToString();  // time-ordered, as PostgreSQL's indexes like it, too
    payment.from = static_cast<int>(random_() % kAccounts);
    payment.to = static_cast<int>((payment.from + 1 + static_cast<int>(random_() % (kAccounts - 1))) % kAccounts);
    payment.from_first_bank = random_() % 2 == 0;
    payment.amount = 1 + static_cast<std::int64_t>(random_() % 100);
    return payment;
  }

 private:
  std::mt19937_64 random_;
};

constexpr const char* kNothing = "DROP SCHEMA public CASCADE; CREATE SCHEMA public;";

std::string AccountsTable() {
  return "CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0));"
         "INSERT INTO accounts SELECT i, " +
         std::to_string(kOpening) + " FROM generate_series(0, " + std::to_string(kAccounts - 1) + ") i;";
}

constexpr const char* kEntriesTable =
    "CREATE TABLE entries (payment uuid NOT NULL, account int NOT NULL, amount bigint NOT NULL, at timestamptz NOT NULL"
    " DEFAULT now(), PRIMARY KEY (payment, account));"
    "CREATE INDEX ON entries (account, at);";

constexpr const char* kPaymentsTable =
    "CREATE TABLE payments (id uuid PRIMARY KEY, payer int NOT NULL, payee int NOT NULL, amount bigint NOT NULL,"
    " state text NOT NULL, at timestamptz NOT NULL DEFAULT now());"
    "CREATE INDEX ON payments (payer, at);";

// What both ways have in common: a thread's connections, one payment, and the books afterwards.
class Contender {
 public:
  class Worker {
   public:
    virtual ~Worker() = default;
    virtual void Pay(const Payment& payment) = 0;
  };

  virtual ~Contender() = default;
  virtual std::unique_ptr<Worker> Connect() = 0;
  // Ends the program when money is missing or a payment was forgotten.
  virtual void Verify(std::int64_t payments) = 0;
};

void Require(bool holds, const std::string& what) {
  if (!holds) Give("the books are wrong, so this run has no result: " + what);
}

// ---- Three databases

class TwoPhase final : public Contender {
 public:
  TwoPhase(std::string gateway, std::string bank_a, std::string bank_b)
      : places_{std::move(gateway), std::move(bank_a), std::move(bank_b)} {
    Database(places_[0]).Run(std::string(kNothing) + kPaymentsTable);
    for (int bank : {1, 2}) {
      Database(places_[static_cast<std::size_t>(bank)])
          .Run(kNothing + AccountsTable() + kEntriesTable +
               "CREATE TABLE transactions (id uuid PRIMARY KEY, account int NOT NULL, amount bigint NOT NULL,"
               " at timestamptz NOT NULL DEFAULT now());");
    }
  }

  std::unique_ptr<Worker> Connect() override { return std::make_unique<Client>(places_); }

  void Verify(std::int64_t payments) override {
    Database gateway(places_[0]), a(places_[1]), b(places_[2]);
    Require(gateway.Number("SELECT count(*) FROM payments") == payments, "the gateway has another number of payments");
    std::int64_t money = 0, moved = 0;
    for (Database* bank : {&a, &b}) {
      money += bank->Number("SELECT sum(balance) FROM accounts");
      moved += bank->Number("SELECT coalesce(sum(amount), 0) FROM entries");
      Require(bank->Number("SELECT count(*) FROM entries") == payments, "a bank has another number of entries");
      Require(bank->Number("SELECT count(*) FROM transactions") == payments, "a bank has another number of payments");
      Require(bank->Number("SELECT count(*) FROM pg_prepared_xacts") == 0, "a transaction is still prepared");
      Require(
          bank->Number("SELECT count(*) FROM accounts JOIN (SELECT account, sum(amount) AS moved FROM entries GROUP "
                       "BY account) e ON e.account = id WHERE balance <> " +
                       std::to_string(kOpening) + " + moved") == 0,
          "an account does not hold what its entries say");
    }
    Require(money == 2 * kAccounts * kOpening, "money was made or lost");
    Require(moved == 0, "the entries do not add up to nothing");
  }

 private:
  class Client final : public Worker {
   public:
    explicit Client(const std::array<std::string, 3>& places)
        : gateway_(places[0]), first_(places[1]), second_(places[2]) {
      gateway_.Prepare("decide", "INSERT INTO payments VALUES ($1, $2, $3, $4, 'COMMITTED')");
      for (Database* bank : {&first_, &second_}) {
        bank->Prepare("leg",
                      "WITH account AS (UPDATE accounts SET balance = balance + $3 WHERE id = $2 AND balance + $3 >= 0"
                      " RETURNING id), entry AS (INSERT INTO entries SELECT $1, id, $3 FROM account)"
                      " INSERT INTO transactions SELECT $1, id, $3 FROM account RETURNING account");
      }
    }

    void Pay(const Payment& payment) override {
      const std::int64_t into_first = payment.from_first_bank ? -payment.amount : payment.amount;
      // Always in this order, else two payments could wait for each other at different banks, which nobody would see.
      Leg(first_, payment.id, payment.from_first_bank ? payment.from : payment.to, into_first);
      Leg(second_, payment.id, payment.from_first_bank ? payment.to : payment.from, -into_first);
      gateway_.Call("decide", {payment.id, std::to_string(payment.from), std::to_string(payment.to),
                               std::to_string(payment.amount)});
      for (Database* bank : {&first_, &second_}) bank->Run("COMMIT PREPARED '" + payment.id + "'");
    }

   private:
    static void Leg(Database& bank, const std::string& id, int account, std::int64_t amount) {
      bank.Run("BEGIN");
      if (bank.Call("leg", {id, std::to_string(account), std::to_string(amount)}) != 1) Give("an account is empty");
      bank.Run("PREPARE TRANSACTION '" + id + "'");
    }

    Database gateway_, first_, second_;
  };

  std::array<std::string, 3> places_;
};

// ---- One database

class OneFunction final : public Contender {
 public:
  explicit OneFunction(std::string place) : place_(std::move(place)) {
    Database(place_).Run(kNothing + AccountsTable() + kEntriesTable + kPaymentsTable + R"(
      CREATE FUNCTION transfer(payment uuid, payer int, payee int, money bigint) RETURNS text LANGUAGE plpgsql AS $$
      BEGIN
        -- In the order of ids, so that two transfers never wait for each other.
        UPDATE accounts SET balance = balance + CASE WHEN id = payer THEN -money ELSE money END
          WHERE id = least(payer, payee);
        UPDATE accounts SET balance = balance + CASE WHEN id = payer THEN -money ELSE money END
          WHERE id = greatest(payer, payee);
        INSERT INTO entries VALUES (payment, payer, -money), (payment, payee, money);
        INSERT INTO payments VALUES (payment, payer, payee, money, 'COMPLETED');
        RETURN 'COMPLETED';
      END $$;)");
  }

  std::unique_ptr<Worker> Connect() override { return std::make_unique<Client>(place_); }

  void Verify(std::int64_t payments) override {
    Database database(place_);
    Require(database.Number("SELECT count(*) FROM payments") == payments, "another number of payments");
    Require(database.Number("SELECT count(*) FROM entries") == 2 * payments, "another number of entries");
    Require(database.Number("SELECT sum(balance) FROM accounts") == kAccounts * kOpening, "money was made or lost");
    Require(database.Number("SELECT coalesce(sum(amount), 0) FROM entries") == 0,
            "the entries do not add up to nothing");
  }

 private:
  class Client final : public Worker {
   public:
    explicit Client(const std::string& place) : database_(place) {
      database_.Prepare("transfer", "SELECT transfer($1, $2, $3, $4)");
    }
    void Pay(const Payment& payment) override {  // the table's CHECK refuses what an account does not hold
      database_.Call("transfer", {payment.id, std::to_string(payment.from), std::to_string(payment.to),
                                  std::to_string(payment.amount)});
    }

   private:
    Database database_;
  };

  std::string place_;
};

// ---- The load

void Measure(Contender& contender, int threads, int seconds) {
  std::vector<std::unique_ptr<Contender::Worker>> workers;
  for (int i = 0; i < threads; ++i) workers.push_back(contender.Connect());
  const auto from = Clock::now() + kWarmUp, until = from + std::chrono::seconds(seconds);
  std::atomic<std::int64_t> paid = 0;
  std::vector<std::vector<double>> latencies(workers.size());
  {
    std::vector<std::jthread> running;
    for (std::size_t i = 0; i < workers.size(); ++i) {
      running.emplace_back([&, i] {
        Source source;
        for (auto start = Clock::now(); start < until;) {
          workers[i]->Pay(source.Next());
          ++paid;
          const auto end = Clock::now();
          if (end >= from && end < until) {
            latencies[i].push_back(std::chrono::duration<double, std::micro>(end - start).count());
          }
          start = end;
        }
      });
    }
  }
  contender.Verify(paid);
  std::vector<double> all;
  for (const auto& some : latencies) all.insert(all.end(), some.begin(), some.end());
  if (all.empty()) Give("nothing was paid in the measured time");
  std::ranges::sort(all);
  const auto share = [&](double of) { return all[static_cast<std::size_t>(of * static_cast<double>(all.size() - 1))]; };
  std::printf(
      "{\"payments_per_second\": %.1f, \"threads\": %d, \"completed\": %zu, \"verified\": true, \"latency_us\": "
      "{\"p50\": "
      "%.0f, \"p99\": %.0f, \"max\": %.0f}}\n",
      static_cast<double>(all.size()) / seconds, threads, all.size(), share(0.5), share(0.99), all.back());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "2pc" && argc == 7) {
    TwoPhase contender(argv[2], argv[3], argv[4]);
    Measure(contender, std::atoi(argv[5]), std::atoi(argv[6]));
  } else if (mode == "function" && argc == 5) {
    OneFunction contender(argv[2]);
    Measure(contender, std::atoi(argv[3]), std::atoi(argv[4]));
  } else {
    std::fprintf(stderr,
                 "usage: postgres_bench 2pc GATEWAY BANK_A BANK_B THREADS SECONDS\n"
                 "       postgres_bench function DATABASE THREADS SECONDS\n");
    return 2;
  }
  return 0;
}
