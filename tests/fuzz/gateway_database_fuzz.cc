// A gateway's database, damaged or made by somebody hostile: opened, read in every way, recovered from and worked on.
// It ends in an error that can be shown, or in rows that make sense; never in a crash.
#include <utility>

#include "audit/examine.h"
#include "database_image.h"
#include "env/gateway_store.h"
#include "fuzz.h"
#include "gateway/gateway_machine.h"
#include "records.h"
#include "rpc/convert.h"
#include "runtime/engine.h"
#include "security/session.h"
#include "storage/sqlite/gateway_sqlite.h"

namespace strife {
namespace {

namespace fs = std::filesystem;
using protocol::PaymentState;

const Now kNow{MonotonicTime(std::chrono::hours(1)), WallTime(std::chrono::seconds(1'800'000'000))};

constexpr Uuid IdOf(std::uint8_t number) {
  return Uuid{{1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 10, 11, 12, 13, 14, 15, number}};
}

protocol::PaymentRecord PaymentOf(std::uint8_t number, PaymentState state) {
  protocol::PaymentRecord payment;
  payment.order = {IdOf(number), "user1", {"bank1", "user1"}, {"bank2", "user2"}, {1250, *Currency::Parse("USD")},
                   "memo"};
  payment.state = state;
  payment.epoch = 1;
  payment.created_at = payment.updated_at = kNow.wall - std::chrono::minutes(number);
  return payment;
}

void Make(const fs::path& file) {
  const auto store = OpenGatewayStore(file).value();
  STRIFE_ASSERT(store->OpenIncarnation(IdOf(200)).has_value());
  GatewayRecords records;
  for (const PaymentState state :
       {PaymentState::kInitiated, PaymentState::kCommitting, PaymentState::kCompleted, PaymentState::kPartialCommit}) {
    records.payments.push_back(PaymentOf(static_cast<std::uint8_t>(state), state));
    protocol::Trace trace;
    trace.Add({.kind = protocol::StepKind::kRecorded, .epoch = 1, .at = records.payments.back().created_at});
    records.traces.push_back({records.payments.back().order.id,
                              trace.Encode(records.payments.back().created_at, protocol::kGatewayTraceBytes)});
  }
  for (const char* bank : {"bank1", "bank2"}) {
    records.banks.push_back({bank, "A bank", "127.0.0.1:50053", {"USD", "JPY"}, {"batch"}, kNow.wall});
  }
  const WallTime later = kNow.wall + std::chrono::hours(24);
  records.sessions.push_back({IdOf(100), "user1", Sha256{1}, kNow.wall, later, std::nullopt});
  records.sessions.push_back({IdOf(101), "user2", Sha256{2}, kNow.wall, later, kNow.wall});
  records.refresh_tokens.push_back({Sha256{3}, IdOf(100), later, std::nullopt});
  for (const LoginCounterKey& key :
       {LoginCounterKey{LoginScope::kDevice, "user1/client"}, LoginCounterKey{LoginScope::kUser, "user1"},
        LoginCounterKey{LoginScope::kCertificate, "client"}, LoginCounterKey{LoginScope::kAddress, "127.0.0.1"}}) {
    records.login_counters.push_back({key, 3, kNow.wall, std::nullopt, std::nullopt, later});
  }
  records.suspensions.push_back({SuspendedKind::kBank, "bank3", true, "olga", "late again", kNow.wall});
  records.sequence = 1;
  STRIFE_ASSERT(store->Commit(records).has_value());
}

void CheckPayment(const protocol::PaymentRecord& payment) {
  STRIFE_ASSERT(payment.order.amount.minor_units >= 0);
  STRIFE_ASSERT(payment.state >= PaymentState::kInitiated && payment.state <= PaymentState::kPartialCommit);
  for (const std::string& text : {payment.order.payer, payment.order.memo, payment.reason_code, payment.message}) {
    STRIFE_ASSERT(IsPrintableUtf8(text));
  }
  // A client gets it as it is.
  v1::Payment message;
  rpc::ToProto(payment, message);
  const auto read = rpc::FromProto(message);
  STRIFE_ASSERT(payment.order.amount.currency.code().empty() || payment.order.id.IsNil() || read.has_value());
}

// False when the store gave an error, which is fine.
template <typename T>
bool Use(const Result<T>& result) {
  if (!result) fuzz::CheckMessage(result.error().message);
  return result.has_value();
}

void Read(const fs::path& file) {
  const auto reader = OpenGatewayReader(file);
  if (!Use(reader)) return;
  for (std::uint8_t number = 1; number <= 5; ++number) {
    const auto found = (*reader)->FindPayment(IdOf(number));
    if (Use(found) && *found) CheckPayment(**found);
  }
  HistoryQuery query{.payer = "user1", .state = {}, .since = {}, .until = {}, .after = {}};
  for (int state = 0; state <= 5; ++state) {
    if (state > 0) query.state = static_cast<PaymentState>(state);
    if (const auto page = (*reader)->History(query); Use(page)) {
      for (const auto& payment : *page) CheckPayment(payment);
    }
  }
  Use((*reader)->SessionsRevokedSince(WallTime{}));
  Use((*reader)->CountPayments());
  PaymentsQuery of_bank, of_user, open;
  of_bank.bank_id = "bank1";
  of_user.payer = "user1";
  open.state = PaymentState::kCommitting;
  for (const PaymentsQuery& payments : {of_bank, of_user, open}) {
    if (const auto page = (*reader)->Payments(payments); Use(page)) {
      for (const auto& payment : page->payments) CheckPayment(payment);
    }
  }
  SessionsQuery live;
  live.now = kNow.wall;
  Use((*reader)->Sessions(live));
  Use((*reader)->Suspensions());
  if (const auto report = audit::Examine(**reader, {}); Use(report)) {
    for (const auto& finding : report->findings) fuzz::CheckMessage(finding.what);
  }
  auto scan = (*reader)->ScanPayments();
  while (Use(scan)) {
    const auto next = (*scan)->Next();
    if (!Use(next) && next.error().code != ErrorCode::kMalformed) return;
    if (next && !*next) return;
    if (next) CheckPayment(**next);
  }
}

// As the gateway starts, and then lives for a while.
void Work(const fs::path& file) {
  const auto store = OpenGatewayStore(file);
  if (!Use(store)) return;
  const auto incarnation = (*store)->OpenIncarnation(IdOf(201));
  if (!Use(incarnation)) return;
  const auto open = (*store)->LoadOpenPayments();
  if (!Use(open)) return;
  for (const auto& payment : *open) CheckPayment(payment);
  const auto reader = OpenGatewayReader(file);
  if (!Use(reader)) return;
  const auto banks = (*reader)->Banks();
  if (!Use(banks)) return;
  for (const auto& bank : *banks) fuzz::CheckBank(bank);

  GatewayKeys keys;
  for (const auto& payment : *open) keys.payments.push_back(payment.order.id);
  const auto rows = (*store)->Load(keys);
  if (!Use(rows)) return;

  gateway::GatewayMachine machine({});
  runtime::Engine<gateway::GatewayMachine, GatewayStore> engine(machine, **store);
  auto recovered = engine.CommitFirst(machine.Recover(
      kNow, {incarnation->store_id, incarnation->epoch, incarnation->sequence, *open, *banks, rows->traces}));
  if (!Use(recovered)) return;
  Now now = kNow;
  std::vector<gateway::GatewayInput> inputs;
  for (std::uint8_t number = 1; number <= 5; ++number) {
    protocol::PaymentOrder order = PaymentOf(number, PaymentState::kInitiated).order;
    inputs.emplace_back(protocol::SubmitInput{{1, number}, std::move(order)});
    inputs.emplace_back(protocol::CoordinatorInput(protocol::TraceInput{{1, number}, IdOf(number)}));
    inputs.emplace_back(protocol::InquiryInput{{1, number}, "bank2", IdOf(number), incarnation->store_id, 1});
    for (const char* bank : {"bank1", "bank2"}) {
      protocol::BankReply done{protocol::CommandKind::kCommit, IdOf(number), protocol::CommandOutcome::kDone, "", ""};
      inputs.emplace_back(protocol::BankRepliesInput{bank, {done}});
    }
  }
  inputs.emplace_back(security::SessionInput(
      security::RefreshPresented{{1, 1}, Sha256{3}, Sha256{1}, Sha256{4}, kNow.wall + std::chrono::hours(1)}));
  inputs.emplace_back(security::SessionInput(security::SessionRevoked{{1, 2}, IdOf(100)}));
  const security::LoginAttempt attempt{.username = "user1", .certificate = "client", .address = "127.0.0.1"};
  inputs.emplace_back(security::LoginInput(security::LoginBegun{{1, 3}, attempt}));
  inputs.emplace_back(security::LoginInput(security::LoginFailed{{1, 4}, attempt}));
  inputs.emplace_back(security::LoginInput(security::LoginsPruned{{1, 5}}));
  for (int cycle = 0; cycle < 3; ++cycle) {
    now.monotonic += std::chrono::seconds(10);
    now.wall += std::chrono::seconds(10);
    if (!Use(engine.Cycle(now, std::exchange(inputs, {})))) return;
  }
}

struct Files {
  fuzz::Scratch scratch;
  fuzz::DatabaseImage image{scratch, Make};
  fs::path file = scratch / "gateway.db";
};

FUZZ_TARGET(gateway_database) {
  static const Files files;
  fuzz::Input in(input);
  files.image.WriteChanged(files.file, in);
  Read(files.file);
  Work(files.file);
}

}  // namespace
}  // namespace strife
