// A bank's database, damaged or made by somebody hostile: opened, read in every way, recovered from, worked on, and
// verified. It ends in an error that can be shown, or in rows that make sense; never in a crash.
#include <utility>

#include "audit/examine.h"
#include "database_image.h"
#include "env/bank_store.h"
#include "fuzz.h"
#include "protocol/legs.h"
#include "protocol/participant.h"
#include "records.h"
#include "runtime/engine.h"
#include "storage/memory/memory_gateway_store.h"
#include "storage/sqlite/bank_sqlite.h"
#include "verify/verify.h"

namespace strife {
namespace {

namespace fs = std::filesystem;
using protocol::BankCommand;
using protocol::CommandKind;
using protocol::ParticipantInput;
using Engine = runtime::Engine<protocol::Participant, BankStore>;

constexpr const char* kBankId = "bank1";
const Now kNow{MonotonicTime(std::chrono::hours(1)), WallTime(std::chrono::seconds(1'800'000'000))};

constexpr Uuid IdOf(std::uint8_t number) {
  return Uuid{{1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 10, 11, 12, 13, 14, 15, number}};
}

ParticipantInput CommandOf(std::uint8_t number, CommandKind kind) {
  BankCommand command;
  command.kind = kind;
  command.id = IdOf(number);
  command.epoch = 1;
  command.gateway_store_id = IdOf(200);
  command.gateway_sequence = number;
  command.from = {number % 2 == 0 ? kBankId : "bank2", "user1"};
  command.to = {kBankId, "user2"};
  command.amount = {1250, *Currency::Parse("USD")};
  return protocol::CommandInput{{1, number}, std::move(command)};
}

protocol::Participant ParticipantOf() { return protocol::Participant({.bank_id = kBankId}); }

// Two accounts; of four transactions one is committed, one aborted, one prepared, one ended by operators.
void Make(const fs::path& file) {
  const auto store = OpenBankStore(file).value();
  STRIFE_ASSERT(store->Open(kBankId).has_value());
  auto participant = ParticipantOf();
  Engine engine(participant, *store);
  std::vector<ParticipantInput> inputs;
  for (const char* account : {"user1", "user2"}) {
    inputs.push_back(protocol::OpenAccountInput{IdOf(account[4] == '1' ? 101 : 102), account,
                                                Money{100'000, *Currency::Parse("USD")}});
  }
  STRIFE_ASSERT(engine.Cycle(kNow, std::move(inputs)).has_value());
  STRIFE_ASSERT(engine
                    .Cycle(kNow, {CommandOf(1, CommandKind::kPrepare), CommandOf(2, CommandKind::kPrepare),
                                  CommandOf(3, CommandKind::kPrepare), CommandOf(4, CommandKind::kPrepare)})
                    .has_value());
  STRIFE_ASSERT(engine
                    .Cycle(kNow, {CommandOf(1, CommandKind::kCommit), CommandOf(2, CommandKind::kAbort),
                                  protocol::ForceInput{{1, 4}, IdOf(4), protocol::Decision::kAbort, "operator"}})
                    .has_value());
  STRIFE_ASSERT(
      engine.Cycle(kNow, {protocol::ForceInput{{1, 4}, IdOf(4), protocol::Decision::kAbort, "operator2"}}).has_value());
}

template <typename T>
bool Use(const Result<T>& result) {
  if (!result) fuzz::CheckMessage(result.error().message);
  return result.has_value();
}

void CheckAccount(const protocol::AccountRecord& account) {
  STRIFE_ASSERT(account.held >= 0 && account.incoming >= 0 && !account.currency.code().empty());
  STRIFE_ASSERT(CheckedSubtract(account.posted, account.held).has_value());  // is told as what is available
}

void Read(const fs::path& file) {
  const auto reader = OpenBankReader(file);
  if (!Use(reader)) return;
  for (const char* account : {"user1", "user2", "clearing:USD"}) {
    if (const auto found = (*reader)->FindAccount(account); Use(found) && *found) CheckAccount(**found);
  }
  for (std::uint8_t number = 1; number <= 4; ++number) Use((*reader)->FindTransaction(IdOf(number)));
  Use((*reader)->Totals());
  if (const auto examined = audit::Examine(**reader, {}); Use(examined)) {
    for (const auto& finding : examined->findings) fuzz::CheckMessage(finding.what);
  }
  const auto gateway = OpenMemoryGatewayReader(std::make_shared<MemoryGatewayDisk>());
  const auto report = verify::Verify(*gateway, {{kBankId, reader->get()}});
  if (!Use(report)) return;
  for (const auto& violation : report->violations) fuzz::CheckMessage(violation.sentence);
}

// As the bank starts, and then lives for a while.
void Work(const fs::path& file) {
  const auto store = OpenBankStore(file);
  if (!Use(store) || !Use((*store)->Open(kBankId))) return;
  auto prepared = (*store)->LoadPrepared();
  const auto gateway_seen = (*store)->LoadGatewaySeen();
  auto heuristics = (*store)->LoadHeuristics();
  if (!Use(prepared) || !Use(gateway_seen) || !Use(heuristics)) return;
  BankKeys keys;
  for (const auto& record : *prepared) {
    for (const auto& transfer : protocol::TransfersOf(record)) {
      keys.accounts.insert(keys.accounts.end(), {transfer.from, transfer.to});
    }
  }
  const auto rows = (*store)->Load(keys);
  if (!Use(rows)) return;
  if (const auto problem = protocol::ProblemWithHolds(*prepared, *rows)) return fuzz::CheckMessage(*problem);
  auto participant = ParticipantOf();
  participant.Recover(kNow, *std::move(prepared), *gateway_seen, *std::move(heuristics));
  Engine engine(participant, **store);
  std::vector<ParticipantInput> inputs;
  for (std::uint8_t number = 1; number <= 5; ++number) {
    inputs.push_back(CommandOf(number, CommandKind::kPrepare));
    inputs.push_back(CommandOf(number, number % 2 == 0 ? CommandKind::kAbort : CommandKind::kCommit));
    inputs.push_back(protocol::AcknowledgeInput{{1, number}, IdOf(number), "operator"});
  }
  inputs.push_back(protocol::DirectInput{{1, 9}, IdOf(9), "user1", Money{500, *Currency::Parse("USD")}, false});
  inputs.push_back(protocol::ListInDoubtInput{{1, 10}, 100});
  Now now = kNow;
  for (int cycle = 0; cycle < 2; ++cycle) {
    now.monotonic += std::chrono::seconds(10);
    now.wall += std::chrono::seconds(10);
    const auto effects = engine.Cycle(now, std::exchange(inputs, {}));
    if (!Use(effects)) return;
    for (const auto& account : effects->records.accounts) CheckAccount(account);
  }
}

struct Files {
  fuzz::Scratch scratch;
  fuzz::DatabaseImage image{scratch, Make};
  fs::path file = scratch / "bank.db";
};

FUZZ_TARGET(bank_database) {
  static const Files files;
  fuzz::Input in(input);
  files.image.WriteChanged(files.file, in);
  Read(files.file);
  Work(files.file);
}

}  // namespace
}  // namespace strife
