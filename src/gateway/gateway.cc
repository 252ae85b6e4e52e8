#include "gateway/gateway.h"

#include <filesystem>
#include <memory>
#include <string>

#include "base/limits.h"
#include "base/private_directory.h"
#include "gateway/admin.h"
#include "gateway/gateway_machine.h"
#include "gateway/login_metrics.h"
#include "gateway/logins.h"
#include "gateway/payment_metrics.h"
#include "gateway/service.h"
#include "gateway/tracing.h"
#include "observability/log.h"
#include "rpc/bank_links.h"
#include "rpc/call_stats.h"
#include "rpc/peer_limits.h"
#include "rpc/server.h"
#include "runtime/engine_thread.h"
#include "runtime/system_clock.h"
#include "runtime/worker_pool.h"
#include "security/random.h"
#include "server/audit_desk.h"
#include "server/credential_watch.h"
#include "server/engine_report.h"
#include "server/event_counts.h"
#include "server/limit_report.h"
#include "server/notify.h"
#include "server/server_metrics.h"
#include "server/signals.h"
#include "server/startup.h"
#include "storage/sqlite/gateway_sqlite.h"

namespace strife::gateway {
namespace {

// So many inputs, votes and acknowledgements make a good batch: more would only make all of them wait.
constexpr std::size_t kInputsWorthACycle = 128;
// For banks nearby; whose answers take longer goes without (runtime::Gathering).
constexpr Duration kGatherPatience = std::chrono::milliseconds(10);
constexpr std::size_t kReadThreads = 2;
constexpr Duration kTickInterval = std::chrono::milliseconds(500);
constexpr Duration kHousekeepingInterval = std::chrono::seconds(10);
constexpr int kHeartbeatsMissed = 3;  // then a bank counts as down
constexpr std::string_view kEvents[] = {"partial_commit", "protocol_violation", "stale_epoch", "heuristic_mixed",
                                        "needs_reconciliation"};

// Everything the gateway is made of, in the order it is built; taken down in reverse.
class Gateway {
 public:
  explicit Gateway(const GatewayConfig& config)
      : config_(config), disk_(config.data_dir, static_cast<std::uint64_t>(config.reserved_disk_mb) << 20) {}

  Status Open();
  Status Serve();
  // What is due: looking at the disk and for new credentials, housekeeping.
  void Tick();
  void Reload(const Result<GatewayConfig>& reread);
  void Drain();

 private:
  // A record of the server's start, to be made durable before anything else.
  void NoteStart();
  // Puts an event into the audit log that nobody waits for.
  void Record(protocol::AuditInput input) {
    // Refused only when the engine has ended.
    static_cast<void>(engine_->inbox().PushAlways(GatewayInput(std::move(input))));
  }
  // Health: whether new payments are taken.
  void SayWhetherServing();
  // Tells of a change of the token keys.
  void Note(const Result<security::TokenRing::Change>& change);
  using Engine = runtime::EngineThread<GatewayMachine, GatewayStore>;

  bool Submit(GatewayInput input) { return engine_->inbox().Push(input); }
  void SubmitAlways(protocol::CoordinatorInput input, std::size_t worth) {
    // Refused only when the engine has ended, and then nobody waits for it.
    static_cast<void>(engine_->inbox().PushAlways(GatewayInput(std::move(input)), worth));
  }
  Status OpenStore();
  void MakeEngine();
  void Collect(MetricWriter& writer) const;

  const GatewayConfig config_;
  server::DiskSpace disk_;
  mutable runtime::SystemClock clock_;
  server::AuditDesk audit_{clock_};
  server::CredentialWatch credentials_;
  std::unique_ptr<LogDirectory> logs_;
  std::unique_ptr<GatewayStore> store_;
  std::unique_ptr<GatewayReader> reader_;
  GatewayIncarnation incarnation_;
  std::unique_ptr<GatewayMachine> machine_;
  Suspensions suspensions_;
  std::unique_ptr<Logins> logins_;
  std::unique_ptr<runtime::WorkerPool> workers_;
  std::unique_ptr<Tracing> tracing_;
  std::unique_ptr<GatewayService> service_;
  std::unique_ptr<GatewayAdmin> admin_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<rpc::BankLinks> links_;
  std::unique_ptr<rpc::PeerLimits> limits_;
  std::unique_ptr<rpc::Server> server_;
  std::optional<GatewayEffects> recovered_;
  MonotonicTime next_housekeeping_{};
  server::EngineReport report_;
  server::EventCounts events_{kEvents};
  PaymentMetrics metrics_;
  LoginMetrics login_metrics_;
  rpc::CallStats calls_;
  server::MetricsServing metrics_serving_{config_.metrics_listen, [this](MetricWriter& writer) { Collect(writer); }};
};

Status Gateway::Open() {
  if (Status good = server::MetricsServing::Check(config_.metrics_listen, config_.metrics_exposure); !good) return good;
  if (Status is_free = server::CheckAddressFree(config_.listen); !is_free) return is_free;
  if (auto logs =
          LogDirectory::Open(config_.log_dir, {"gateway.log", "transactions.log", "interceptortransactions.log"},
                             {.level = ParseLogLevel(config_.log_level).value_or(LogLevel::kInfo),
                              .format = ParseLogFormat(config_.log_format).value_or(LogFormat::kText)})) {
    logs_ = *std::move(logs);
  } else {
    return std::unexpected(logs.error());
  }
  const security::CredentialFiles files{config_.ca_file, config_.cert_file, config_.key_file, config_.crl_file};
  if (Status read = credentials_.Open(files, security::Role::kGateway, clock_.Read().wall); !read) return read;
  auto limits = rpc::PeerLimits::Create(
      {.calls_per_second = config_.calls_per_second, .payments_per_second = config_.payments_per_second}, clock_);
  if (!limits) return std::unexpected(limits.error());
  limits_ = *std::move(limits);
  if (Status opened = OpenStore(); !opened) return opened;
  auto logins = Logins::Create(config_, credentials_.credentials().identity().trust_domain, clock_, *reader_);
  if (!logins) return std::unexpected(logins.error());
  logins_ = *std::move(logins);
  NoteStart();
  workers_ = std::make_unique<runtime::WorkerPool>(kReadThreads, limits::kMaxWorkerQueue);
  rpc::BankLinks::Listener listener;
  listener.replied = [this](protocol::BankRepliesInput replies) {
    const std::size_t worth = replies.replies.size();
    SubmitAlways(std::move(replies), worth);
  };
  listener.undelivered = [this](protocol::UndeliveredInput lost) {
    const std::size_t worth = lost.commands.size();
    SubmitAlways(std::move(lost), worth);
  };
  links_ = std::make_unique<rpc::BankLinks>(
      rpc::BankLinksOptions{&credentials_.credentials(), config_.transaction_timeout}, std::move(listener));
  MakeEngine();
  return {};
}

Status Gateway::OpenStore() {
  if (Status made = MakePrivateDirectory(config_.data_dir); !made) return made;
  const std::filesystem::path file = config_.data_dir / "gateway.db";
  auto store = OpenGatewayStore(file);
  if (!store) return std::unexpected(store.error());
  store_ = *std::move(store);
  auto incarnation = store_->OpenIncarnation(security::NewUuidV4());
  if (!incarnation) return std::unexpected(incarnation.error());
  incarnation_ = *incarnation;
  auto reader = OpenGatewayReader(file);
  if (!reader) return std::unexpected(reader.error());
  reader_ = *std::move(reader);

  protocol::CoordinatorPast past{.store_id = incarnation_.store_id,
                                 .epoch = incarnation_.epoch,
                                 .sequence = incarnation_.sequence,
                                 .open_payments = {},
                                 .banks = {}};
  if (auto open = store_->LoadOpenPayments()) {
    past.open_payments = *std::move(open);
  } else {
    return std::unexpected(open.error());
  }
  if (auto banks = reader_->Banks()) {
    past.banks = *std::move(banks);
  } else {
    return std::unexpected(banks.error());
  }
  GatewayKeys open_ids;
  for (const protocol::PaymentRecord& payment : past.open_payments) open_ids.payments.push_back(payment.order.id);
  if (auto rows = store_->Load(open_ids)) {
    past.traces = std::move(rows->traces);
  } else {
    return std::unexpected(rows.error());
  }
  auto suspensions = reader_->Suspensions();
  if (!suspensions) return std::unexpected(suspensions.error());
  for (const SuspensionRecord& suspension : *suspensions) suspensions_.Apply(suspension);
  metrics_.Recovered(past.open_payments);
  LogLine line("started");
  line.Add("store", incarnation_.store_id).Add("epoch", incarnation_.epoch);
  line.Add("open_payments", past.open_payments.size()).Add("banks", past.banks.size());
  logs_->Get("gateway.log").Write(LogLevel::kInfo, line);
  machine_ = std::make_unique<GatewayMachine>(
      protocol::CoordinatorOptions{.transaction_timeout = config_.transaction_timeout});
  recovered_ = machine_->Recover(clock_.Read(), std::move(past));
  return {};
}

void Gateway::NoteStart() {
  const security::Certificate& certificate = credentials_.credentials().current()->certificate;
  recovered_->records.audit.push_back(
      audit_.Event(protocol::AuditEvent::kServerStarted, certificate.identity.Uri(),
                   "store=" + incarnation_.store_id.ToString() + " epoch=" + std::to_string(incarnation_.epoch) +
                       " certificate=" + certificate.serial + " " + logins_->DescribeUsers()));
}

void Gateway::MakeEngine() {
  tracing_ = std::make_unique<Tracing>(*links_, [this](GatewayInput input) { return Submit(std::move(input)); });
  service_ = std::make_unique<GatewayService>(GatewayService::Parts{
      .logins = *logins_,
      .reader = *reader_,
      .links = *links_,
      .workers = *workers_,
      .log = logs_->Get("transactions.log"),
      .events = events_,
      .metrics = metrics_,
      .login_metrics = login_metrics_,
      .clock = clock_,
      .submit = [this](GatewayInput input) { return Submit(std::move(input)); },
      .submit_payment = [this](const std::string& payer,
                               GatewayInput input) { return engine_->inbox().PushInTurn(payer, input); },
      .store_id = incarnation_.store_id,
      .epoch = incarnation_.epoch,
      .heartbeat_interval = config_.heartbeat_interval,
      .disk = disk_,
      .suspensions = suspensions_,
      .tracing = *tracing_});
  admin_ = std::make_unique<GatewayAdmin>(
      GatewayAdmin::Parts{.clock = clock_,
                          .submit = [this](GatewayInput input) { return Submit(std::move(input)); },
                          .reader = *reader_,
                          .workers = *workers_,
                          .links = *links_,
                          .logins = *logins_,
                          .suspensions = suspensions_,
                          .service = *service_,
                          .tracing = *tracing_,
                          .patience = kHeartbeatsMissed * config_.heartbeat_interval});
  logins_->Connect([this](GatewayInput input) { return Submit(std::move(input)); }, suspensions_);
  engine_ = std::make_unique<Engine>(
      *machine_, *store_, clock_, 2 * limits::kMaxOpenPayments,
      [this](GatewayEffects effects) {
        machine_->Sent(clock_.Read().wall);
        service_->Deliver(std::move(effects), engine_->cycle_began());
      },
      [this](const Error& error) { server::DieOfStorage(*logs_, logs_->Get("gateway.log"), error); },
      runtime::Gathering{
          .expected = &links_->on_their_way(), .enough = kInputsWorthACycle, .patience = kGatherPatience});
  audit_.Connect([this](protocol::AuditRecord record) { Record({{}, std::move(record)}); });
  credentials_.Audit(audit_);
}

Status Gateway::Serve() {
  if (auto banks = reader_->Banks()) {
    for (const protocol::BankRecord& bank : *banks) links_->Update(bank);
  }
  const rpc::ServerOptions options{.listen = config_.listen,
                                   .credentials = &credentials_.credentials(),
                                   .rpc_log = &logs_->Get("interceptortransactions.log"),
                                   .transaction_log = &logs_->Get("transactions.log"),
                                   .registration_log = &logs_->Get("gateway.log"),
                                   .stats = &calls_,
                                   .refused = [this](protocol::AuditRecord record) { audit_.Count(std::move(record)); },
                                   .limits = limits_.get(),
                                   .longest_answer = 2 * config_.transaction_timeout,
                                   .operators = config_.operators};
  // What recovery decided is durable before anybody can ask about it or order a payment to follow it.
  engine_->Start(std::move(recovered_));
  server::WarnOfAnyOperator(logs_->Get("gateway.log"), config_.operators);
  auto server = rpc::StartGatewayServer(options, *service_, *admin_, clock_);
  if (!server) {
    engine_->Stop();  // it uses the links, which go before it
    return std::unexpected(server.error());
  }
  server_ = *std::move(server);
  Tick();
  return {};
}

void Gateway::SayWhetherServing() { server_->SetServing(!disk_.low() && !service_->drained()); }

void Gateway::Tick() {
  disk_.Look(logs_->Get("gateway.log"));
  SayWhetherServing();
  credentials_.Tick(clock_.Read(), logs_->Get("gateway.log"));
  audit_.Tick();
  const MonotonicTime now = clock_.Read().monotonic;
  if (now < next_housekeeping_) return;
  next_housekeeping_ = now + kHousekeepingInterval;
  Note(logins_->RefreshKeys());
  metrics_serving_.Try(logs_->Get("gateway.log"));
  logins_->Prune();
  server::ReportLimited(limits_->TakeLimited(), logs_->Get("gateway.log"),
                        [this](protocol::AuditInput input) { Record(std::move(input)); });
  report_.Write(logs_->Get("gateway.log"), engine_->stats());
  events_.Write(logs_->Get("gateway.log"));
}

void Gateway::Collect(MetricWriter& writer) const {
  CollectProcess(writer, "gateway");
  const WallTime now = clock_.Read().wall;
  metrics_.Collect(writer, now);
  writer.Gauge("strife_payments_in_flight", "Payments taken and not yet answered.", {},
               static_cast<double>(service_->open_payments()));
  links_->Collect(writer, now, kHeartbeatsMissed * config_.heartbeat_interval);
  login_metrics_.Collect(writer);
  writer.Gauge("strife_gateway_draining", "1 while operators want no new payments.", {}, service_->drained() ? 1 : 0);
  for (const SuspensionRecord& bank : suspensions_.All(SuspendedKind::kBank)) {
    writer.Gauge("strife_bank_suspended", "1 while operators have suspended the bank.", {{"bank", bank.name}}, 1);
  }
  writer.Gauge("strife_suspended_users", "Users whom operators have suspended.", {},
               static_cast<double>(suspensions_.All(SuspendedKind::kUser).size()));
  calls_.Collect(writer);
  limits_->Collect(writer);
  server::CollectEngine(writer, engine_->stats(), engine_->inbox().size());
  writer.Gauge("strife_worker_queued_tasks", "Reads waiting for a worker.", {},
               static_cast<double>(workers_->queued()));
  server::CollectDisk(writer, config_.data_dir, disk_.low());
  server::CollectLogs(writer, *logs_);
  events_.Collect(writer);
}

void Gateway::Reload(const Result<GatewayConfig>& reread) {
  Logger& log = logs_->Get("gateway.log");
  logs_->Reopen();
  const auto complain = [&](const Error& error) {
    log.Write(LogLevel::kError, LogLine("reload_failed").Add("why", error.message));
    audit_.Note(protocol::AuditEvent::kReloadFailed, "configuration", error.message);
  };
  if (!reread) complain(reread.error());
  if (reread) logs_->SetLevel(ParseLogLevel(reread->log_level).value_or(LogLevel::kInfo));
  if (Status reloaded = logins_->ReloadUsers(); !reloaded) {
    complain(reloaded.error());
  } else {
    audit_.Note(protocol::AuditEvent::kUsersLoaded, config_.users_file.filename().string(), logins_->DescribeUsers());
  }
  credentials_.Reload(clock_.Read(), log);
  Note(logins_->ReloadKeys());
  log.Write(LogLevel::kInfo, LogLine("reloaded"));
}

void Gateway::Note(const Result<security::TokenRing::Change>& change) {
  Logger& log = logs_->Get("gateway.log");
  if (!change) {
    audit_.Note(protocol::AuditEvent::kReloadFailed, "token keys", change.error().message);
    return log.Write(LogLevel::kError, LogLine("reload_failed").Add("why", change.error().message));
  }
  const auto note = [&](const std::string& kid, std::string_view what) {
    log.Write(LogLevel::kInfo, LogLine("token_key").Add("kid", kid).Add("now", what));
    audit_.Note(protocol::AuditEvent::kTokenKeysLoaded, kid, std::string(what));
  };
  for (const std::string& kid : change->retired) note(kid, "retired");
  if (!change->added.empty()) note(change->signing_kid, "signs");
}

void Gateway::Drain() {
  server_->SetServing(false);
  service_->StartDraining();
  // Every payment that has begun is answered within twice the transaction timeout, so this ends by itself.
  server_->Shutdown(3 * config_.transaction_timeout);
  logins_->Stop();
  workers_->Stop();
  audit_.Flush();
  engine_->Stop();
  metrics_serving_.Stop();
  links_.reset();
  report_.Write(logs_->Get("gateway.log"), engine_->stats());
  events_.Write(logs_->Get("gateway.log"));
  logs_->Get("gateway.log").Write(LogLevel::kInfo, LogLine("stopped"));
}

}  // namespace

Status RunGateway(const GatewayConfig& config, const std::function<Result<GatewayConfig>()>& reread) {
  server::Signals signals;
  Gateway gateway(config);
  if (Status opened = gateway.Open(); !opened) return opened;
  if (Status serving = gateway.Serve(); !serving) return serving;
  server::NotifyManager("READY=1");
  for (;;) {
    switch (signals.Wait(kTickInterval)) {
      case server::Wakeup::kTimeout:
        gateway.Tick();
        break;
      case server::Wakeup::kReload:
        gateway.Reload(reread());
        break;
      case server::Wakeup::kStop:
        server::NotifyManager("STOPPING=1");
        gateway.Drain();
        return {};
    }
  }
}

}  // namespace strife::gateway
