// A PostgreSQL database as a measurement uses it: whatever goes wrong ends the program.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

[[noreturn]] inline void Give(const std::string& what) {
  std::fprintf(stderr, "postgres_bench: %s\n", what.c_str());
  std::exit(1);
}

// One connection, used by one thread.
class Database {
 public:
  explicit Database(const std::string& where) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (true) {  // a server that has just been started needs a moment
      connection_.reset(PQconnectdb(where.c_str()));
      if (PQstatus(connection_.get()) == CONNECTION_OK) break;
      if (std::chrono::steady_clock::now() > give_up) Give(PQerrorMessage(connection_.get()));
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    PQsetNoticeProcessor(connection_.get(), [](void*, const char*) {}, nullptr);
  }

  void Prepare(const char* name, const char* statement) {
    Check(PQprepare(connection_.get(), name, statement, 0, nullptr), statement);
  }

  // The rows the statement has returned.
  int Call(const char* name, const std::vector<std::string>& values) {
    std::vector<const char*> texts;
    for (const std::string& value : values) texts.push_back(value.c_str());
    return Check(
        PQexecPrepared(connection_.get(), name, static_cast<int>(texts.size()), texts.data(), nullptr, nullptr, 0),
        name);
  }

  void Run(const std::string& statements) { Check(PQexec(connection_.get(), statements.c_str()), statements); }

  std::int64_t Number(const std::string& query) {
    const Answer answer(PQexec(connection_.get(), query.c_str()));
    if (PQresultStatus(answer.get()) != PGRES_TUPLES_OK) Give(query + ": " + PQerrorMessage(connection_.get()));
    return std::strtoll(PQgetvalue(answer.get(), 0, 0), nullptr, 10);
  }

 private:
  struct Closer {
    void operator()(PGconn* connection) const { PQfinish(connection); }
    void operator()(PGresult* result) const { PQclear(result); }
  };
  using Answer = std::unique_ptr<PGresult, Closer>;

  int Check(PGresult* result, const std::string& what) {
    const Answer answer(result);
    const auto status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
      Give(what + ": " + PQerrorMessage(connection_.get()));
    }
    return PQntuples(result);
  }

  std::unique_ptr<PGconn, Closer> connection_;
};
