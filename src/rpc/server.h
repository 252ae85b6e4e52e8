// What gateway and bank servers share: one mutual TLS listener with limits, interceptors, health and graceful drain.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "env/clock.h"
#include "observability/log.h"
#include "protocol/audit.h"
#include "security/live_credentials.h"
#include "security/policy.h"

namespace strife::rpc {

class CallStats;
class PeerLimits;

// Takes refused calls for the audit log, from any thread; `at` and `count` are not filled in.
using RefusalSink = std::function<void(protocol::AuditRecord)>;

struct ServerOptions {
  std::string listen;                                      // host:port
  const security::LiveCredentials* credentials = nullptr;  // must outlive the server
  Logger* rpc_log = nullptr;                               // every RPC
  Logger* transaction_log = nullptr;                       // every RPC about a transaction
  Logger* registration_log = nullptr;                      // every bank registration; gateway only
  CallStats* stats = nullptr;                              // where calls are counted; must outlive the server
  RefusalSink refused{};                                   // may be empty
  PeerLimits* limits = nullptr;                            // of callers; not null; must outlive the server
  Duration longest_answer{};                               // that the server itself may take
  security::OperatorNames operators{};                     // who may call what is for operators
};

// A running server. Thread-safe.
class Server {
 public:
  virtual ~Server() = default;

  // What the health service says for the server as a whole and for what it is there for (PaymentGateway, Bank). Starts
  // as not serving. The operators' service is always said to serve.
  virtual void SetServing(bool serving) = 0;

  // Takes no new calls, gives those being answered until `grace` has passed, then ends them and stops listening.
  virtual void Shutdown(Duration grace) = 0;
};

// While it lives, answers that the thread gives leave many at a time: what it costs to send one is shared. One at a
// time in each thread.
class AnswersTogether {
 public:
  AnswersTogether();
  ~AnswersTogether();
  AnswersTogether(const AnswersTogether&) = delete;
  AnswersTogether& operator=(const AnswersTogether&) = delete;

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

class GatewayApi;
class GatewayAdminApi;
class BankApi;
class BankAdminApi;

// Listens and serves. kInvalidInput when the address cannot be parsed, kUnavailable when the port is taken, kInternal
// when a method lacks a policy row. Everything referred to must outlive the server.
Result<std::unique_ptr<Server>> StartGatewayServer(const ServerOptions& options, GatewayApi& api,
                                                   GatewayAdminApi& admin, Clock& clock);
Result<std::unique_ptr<Server>> StartBankServer(const ServerOptions& options, BankApi& api, BankAdminApi& admin,
                                                Clock& clock);

}  // namespace strife::rpc
