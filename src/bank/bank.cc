#include "bank/bank.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "bank/admin.h"
#include "bank/bank_data.h"
#include "bank/bank_metrics.h"
#include "bank/inquirer.h"
#include "bank/registration_series.h"
#include "bank/service.h"
#include "base/limits.h"
#include "base/private_directory.h"
#include "observability/log.h"
#include "protocol/legs.h"
#include "rpc/call_stats.h"
#include "rpc/gateway_link.h"
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
#include "storage/sqlite/bank_sqlite.h"

namespace strife::bank {
namespace {

constexpr std::size_t kReadThreads = 2;
constexpr Duration kTickInterval = std::chrono::milliseconds(500);
constexpr Duration kReportInterval = std::chrono::seconds(10);
constexpr int kRegistrationsBeforeServing = 7;  // a good second
constexpr Duration kGatewayCallTimeout = std::chrono::seconds(5);
constexpr Duration kDrainLimit = std::chrono::seconds(15);
constexpr std::string_view kEvents[] = {"protocol_violation",    "stale_gateway",    "heuristic_proposed",
                                        "heuristic_forced",      "heuristic_agreed", "heuristic_mixed",
                                        "heuristic_acknowledged"};

// Everything the bank is made of, in the order it is built; taken down in reverse.
class Bank {
 public:
  explicit Bank(const BankConfig& config)
      : config_(config), disk_(config.data_dir, static_cast<std::uint64_t>(config.reserved_disk_mb) << 20) {}

  Status Open();
  Status Serve();
  // What is due: looking at the disk and for new credentials, registering, reporting.
  void Tick();
  void Reload(const Result<BankConfig>& reread);
  void Drain();
  Duration UntilTick() const {
    return std::clamp<Duration>(next_registration_.load() - clock_.Read().monotonic, RegistrationSeries::kFirstRetry,
                                kTickInterval);
  }

 private:
  using Engine = runtime::EngineThread<protocol::Participant, BankStore>;

  Status OpenStore();
  Status OpenAccounts();
  void MakeService();
  void Register();
  // Whoever waits for health may then count on the registration. When the gateway stays away the bank serves without:
  // it can still be asked, and told decisions.
  void Announce();
  void Collect(MetricWriter& writer) const;

  const BankConfig config_;
  server::DiskSpace disk_;
  mutable runtime::SystemClock clock_;
  server::AuditDesk audit_{clock_};
  server::CredentialWatch credentials_;
  security::Identity identity_;
  std::unique_ptr<LogDirectory> logs_;
  std::unique_ptr<BankStore> store_;
  std::unique_ptr<BankReader> reader_;
  std::unique_ptr<protocol::Participant> participant_;
  std::unique_ptr<runtime::WorkerPool> workers_;
  std::unique_ptr<BankService> service_;
  std::unique_ptr<BankAdmin> admin_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Inquirer> inquirer_;
  std::unique_ptr<rpc::GatewayLink> gateway_;  // after the inquirer: its destructor waits for the last answers
  std::unique_ptr<rpc::PeerLimits> limits_;
  std::unique_ptr<rpc::Server> server_;
  std::optional<protocol::ParticipantEffects> recovered_;  // durable, to be sent when the engine starts
  std::vector<std::string> currencies_;
  std::atomic<MonotonicTime> next_registration_{MonotonicTime{}};
  RegistrationSeries registrations_;
  std::atomic<bool> announced_ = false;  // as serving
  MonotonicTime next_report_{};
  server::EngineReport report_;
  server::EventCounts events_{kEvents};
  BankMetrics metrics_;
  rpc::CallStats calls_;
  server::MetricsServing metrics_serving_{config_.metrics_listen, [this](MetricWriter& writer) { Collect(writer); }};
};

Status Bank::Open() {
  if (Status good = server::MetricsServing::Check(config_.metrics_listen, config_.metrics_exposure); !good) return good;
  if (Status is_free = server::CheckAddressFree(config_.listen); !is_free) return is_free;
  auto logs = LogDirectory::Open(config_.log_dir, {"bank.log", "banktransactions.log", "interceptortransactions.log"},
                                 {.level = ParseLogLevel(config_.log_level).value_or(LogLevel::kInfo),
                                  .format = ParseLogFormat(config_.log_format).value_or(LogFormat::kText)});
  if (!logs) return std::unexpected(logs.error());
  logs_ = *std::move(logs);
  const security::CredentialFiles files{config_.ca_file, config_.cert_file, config_.key_file, config_.crl_file};
  if (Status read = credentials_.Open(files, security::Role::kBank, clock_.Read().wall); !read) return read;
  identity_ = credentials_.credentials().identity();
  if (Status opened = OpenStore(); !opened) return opened;
  if (Status opened = OpenAccounts(); !opened) return opened;
  MakeService();
  return {};
}

// Before anything relies on it: that what is prepared is held.
Status CheckHolds(BankStore& store, const std::vector<protocol::BankTransactionRecord>& prepared,
                  const std::filesystem::path& file) {
  BankKeys keys;
  for (const protocol::BankTransactionRecord& record : prepared) {
    for (const protocol::Transfer& transfer : protocol::TransfersOf(record)) {
      keys.accounts.insert(keys.accounts.end(), {transfer.from, transfer.to});
    }
  }
  const auto rows = store.Load(keys);
  if (!rows) return std::unexpected(rows.error());
  const auto problem = protocol::ProblemWithHolds(prepared, *rows);
  if (!problem) return {};
  return Fail(ErrorCode::kStorage,
              "database " + file.string() + " is damaged (" + *problem + "): keep it aside and restore a backup");
}

Status Bank::OpenStore() {
  if (Status made = MakePrivateDirectory(config_.data_dir); !made) return made;
  const std::filesystem::path file = config_.data_dir / "bank.db";
  auto store = OpenBankStore(file);
  if (!store) return std::unexpected(store.error());
  store_ = *std::move(store);
  if (Status opened = store_->Open(identity_.name); !opened) return opened;
  auto reader = OpenBankReader(file);
  if (!reader) return std::unexpected(reader.error());
  reader_ = *std::move(reader);
  auto prepared = store_->LoadPrepared();
  if (!prepared) return std::unexpected(prepared.error());
  if (Status held = CheckHolds(*store_, *prepared, file); !held) return held;
  auto gateway_seen = store_->LoadGatewaySeen();
  if (!gateway_seen) return std::unexpected(gateway_seen.error());
  auto heuristics = store_->LoadHeuristics();
  if (!heuristics) return std::unexpected(heuristics.error());
  logs_->Get("bank.log")
      .Write(LogLevel::kInfo, LogLine("started").Add("bank", identity_.name).Add("prepared", prepared->size()));
  server::WarnOfAnyOperator(logs_->Get("bank.log"), config_.operators);
  participant_ = std::make_unique<protocol::Participant>(
      protocol::ParticipantOptions{.bank_id = identity_.name, .inquiry_delay = config_.inquiry_delay});
  metrics_.Recovered(*prepared);
  BankKeys keys;
  for (const protocol::BankTransactionRecord& record : *prepared) keys.transactions.push_back(record.id);
  const auto rows = store_->Load(keys);
  if (!rows) return std::unexpected(rows.error());
  participant_->Recover(clock_.Read(), *std::move(prepared), *gateway_seen, *std::move(heuristics), rows->traces);
  return {};
}

Status Bank::OpenAccounts() {
  auto accounts = LoadBankData(config_.accounts_file);
  if (!accounts) return std::unexpected(accounts.error());
  std::vector<protocol::ParticipantInput> inputs;
  const security::Certificate& certificate = credentials_.credentials().current()->certificate;
  inputs.push_back(protocol::AuditInput{
      {}, audit_.Event(protocol::AuditEvent::kServerStarted, identity_.Uri(), "certificate=" + certificate.serial)});
  for (OpeningAccount& account : *accounts) {
    inputs.push_back(protocol::OpenAccountInput{security::NewUuidV7(clock_.Read().wall), std::move(account.account_id),
                                                account.balance});
  }
  runtime::Engine<protocol::Participant, BankStore> engine(*participant_, *store_);
  auto opened = engine.Cycle(clock_.Read(), std::move(inputs));
  if (!opened) return std::unexpected(opened.error());
  // The cycle has also brought the first inquiries about what was prepared before the restart; only they are left to
  // do.
  recovered_ = *std::move(opened);
  recovered_->records = {};
  recovered_->audit_answers.clear();
  auto totals = reader_->Totals();
  if (!totals) return std::unexpected(totals.error());
  for (const LedgerTotals& total : *totals) currencies_.emplace_back(total.currency.code());
  return {};
}

void Bank::MakeService() {
  workers_ = std::make_unique<runtime::WorkerPool>(kReadThreads, limits::kMaxWorkerQueue);
  service_ = std::make_unique<BankService>(BankService::Parts{
      .reader = *reader_,
      .clock = clock_,
      .workers = *workers_,
      .log = logs_->Get("banktransactions.log"),
      .events = events_,
      .metrics = metrics_,
      .submit = [this](std::vector<protocol::ParticipantInput> inputs) { return engine_->inbox().PushAll(inputs); },
      .inquire = [this](const protocol::Inquiry& inquiry) { inquirer_->Ask(inquiry); },
      .disk = disk_,
      .participant = *participant_});
  admin_ =
      std::make_unique<BankAdmin>([this](protocol::ParticipantInput input) { return engine_->inbox().Push(input); });
  engine_ = std::make_unique<Engine>(
      *participant_, *store_, clock_, 2 * limits::kMaxQueuedCommands,
      [this](protocol::ParticipantEffects effects) { service_->Deliver(std::move(effects)); },
      [this](const Error& error) { server::DieOfStorage(*logs_, logs_->Get("bank.log"), error); });
  audit_.Connect([this](protocol::AuditRecord record) {
    // Refused only when the engine has ended.
    static_cast<void>(engine_->inbox().PushAlways(protocol::AuditInput{{}, std::move(record)}));
  });
  credentials_.Audit(audit_);
}

Status Bank::Serve() {
  auto limits = rpc::PeerLimits::Create({}, clock_);
  if (!limits) return std::unexpected(limits.error());
  limits_ = *std::move(limits);
  const rpc::ServerOptions options{.listen = config_.listen,
                                   .credentials = &credentials_.credentials(),
                                   .rpc_log = &logs_->Get("interceptortransactions.log"),
                                   .transaction_log = &logs_->Get("banktransactions.log"),
                                   .stats = &calls_,
                                   .refused = [this](protocol::AuditRecord record) { audit_.Count(std::move(record)); },
                                   .limits = limits_.get(),
                                   .operators = config_.operators};
  auto server = rpc::StartBankServer(options, *service_, *admin_, clock_);
  if (!server) return std::unexpected(server.error());
  server_ = *std::move(server);
  gateway_ = std::make_unique<rpc::GatewayLink>(
      rpc::GatewayLink::Options{config_.gateway, &credentials_.credentials(), kGatewayCallTimeout});
  inquirer_ = std::make_unique<Inquirer>(*gateway_, [this](const protocol::InquiryAnswered& answer) {
    // Refused only when the engine has ended, and then the next start asks again.
    static_cast<void>(engine_->inbox().PushAlways(answer));
  });
  engine_->Start(std::move(recovered_));
  Tick();
  return {};
}

void Bank::Tick() {
  const MonotonicTime now = clock_.Read().monotonic;
  disk_.Look(logs_->Get("bank.log"));
  if (announced_) server_->SetServing(!disk_.low());  // whether it votes for new payments
  credentials_.Tick(clock_.Read(), logs_->Get("bank.log"));
  audit_.Tick();
  if (now >= next_registration_.load()) Register();
  if (now < next_report_) return;
  next_report_ = now + kReportInterval;
  metrics_serving_.Try(logs_->Get("bank.log"));
  server::ReportLimited(limits_->TakeLimited(), logs_->Get("bank.log"), [this](protocol::AuditInput input) {
    // Refused only when the engine has ended.
    static_cast<void>(engine_->inbox().PushAlways(std::move(input)));
  });
  report_.Write(logs_->Get("bank.log"), engine_->stats());
  events_.Write(logs_->Get("bank.log"));
}

void Bank::Register() {
  // Not again before this call has been answered or has timed out.
  next_registration_ = clock_.Read().monotonic + 2 * kGatewayCallTimeout;
  rpc::RegistrationRequest request;
  request.bank.bank_id = identity_.name;
  request.bank.display_name = config_.display_name;
  request.bank.endpoint = config_.advertise.empty() ? config_.listen : config_.advertise;
  request.bank.currencies = currencies_;
  request.bank.capabilities = {"execute-batch"};
  if (const auto seen = service_->gateway_seen()) {
    request.gateway_store_id = seen->store_id.ToString();
    request.gateway_sequence = seen->sequence;
  }
  gateway_->Register(request, [this](const Result<rpc::Registration>& answer) {
    const MonotonicTime now = clock_.Read().monotonic;
    Logger& log = logs_->Get("bank.log");
    if (answer) {
      if (registrations_.Succeeded()) {
        log.Write(LogLevel::kInfo, LogLine("registered").Add("gateway_store", answer->gateway_store_id));
      }
      Announce();
      next_registration_ = now + answer->heartbeat_interval;
      return;
    }
    const RegistrationSeries::Failure failure = registrations_.Failed(answer.error().code);
    if (failure.news) {
      log.Write(LogLevel::kWarning, LogLine("registration_failed")
                                        .Add("gateway", config_.gateway)
                                        .Add("why", answer.error().message)
                                        .Add("next_try_in_us", failure.retry_in));
    }
    if (failure.in_a_row >= kRegistrationsBeforeServing) Announce();
    next_registration_ = now + failure.retry_in;
  });
}

void Bank::Announce() {
  if (!announced_.exchange(true)) server_->SetServing(!disk_.low());
}

void Bank::Collect(MetricWriter& writer) const {
  CollectProcess(writer, "bank");
  metrics_.Collect(writer, clock_.Read().wall);
  writer.Gauge("strife_bank_commands_in_flight", "Commands taken and not yet answered.", {},
               static_cast<double>(service_->queued_commands()));
  writer.Gauge("strife_bank_registered", "1 while the gateway has answered the last registration.", {},
               registrations_.registered() ? 1 : 0);
  calls_.Collect(writer);
  limits_->Collect(writer);
  server::CollectEngine(writer, engine_->stats(), engine_->inbox().size());
  writer.Gauge("strife_worker_queued_tasks", "Reads waiting for a worker.", {},
               static_cast<double>(workers_->queued()));
  server::CollectDisk(writer, config_.data_dir, disk_.low());
  server::CollectLogs(writer, *logs_);
  events_.Collect(writer);
}

void Bank::Reload(const Result<BankConfig>& reread) {
  Logger& log = logs_->Get("bank.log");
  logs_->Reopen();
  if (!reread) {
    log.Write(LogLevel::kError, LogLine("reload_failed").Add("why", reread.error().message));
    audit_.Note(protocol::AuditEvent::kReloadFailed, "configuration", reread.error().message);
  }
  if (reread) logs_->SetLevel(ParseLogLevel(reread->log_level).value_or(LogLevel::kInfo));
  credentials_.Reload(clock_.Read(), log);
  log.Write(LogLevel::kInfo, LogLine("reloaded"));
}

void Bank::Drain() {
  server_->SetServing(false);
  service_->StartDraining();
  server_->Shutdown(kDrainLimit);
  workers_->Stop();
  audit_.Flush();
  // Before the connection goes: the engine asks about late decisions as long as it runs. What it is no longer told, it
  // asks again when it starts.
  engine_->Stop();
  inquirer_->Stop();
  metrics_serving_.Stop();
  gateway_.reset();
  report_.Write(logs_->Get("bank.log"), engine_->stats());
  events_.Write(logs_->Get("bank.log"));
  logs_->Get("bank.log").Write(LogLevel::kInfo, LogLine("stopped"));
}

}  // namespace

Status RunBank(const BankConfig& config, const std::function<Result<BankConfig>()>& reread) {
  server::Signals signals;
  Bank bank(config);
  if (Status opened = bank.Open(); !opened) return opened;
  if (Status serving = bank.Serve(); !serving) return serving;
  server::NotifyManager("READY=1");
  for (;;) {
    switch (signals.Wait(bank.UntilTick())) {
      case server::Wakeup::kTimeout:
        bank.Tick();
        break;
      case server::Wakeup::kReload:
        bank.Reload(reread());
        break;
      case server::Wakeup::kStop:
        server::NotifyManager("STOPPING=1");
        bank.Drain();
        return {};
    }
  }
}

}  // namespace strife::bank
