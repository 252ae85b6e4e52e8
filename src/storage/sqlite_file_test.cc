// What can be wrong with a file: somebody else's, of another version, damaged, malformed, in use.
#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "storage/sqlite/bank_schema.h"
#include "storage/sqlite/gateway_schema.h"
#include "storage/store_test_support.h"

namespace strife {
namespace {

using ::testing::HasSubstr;

class SqliteFile : public ::testing::Test {
 protected:
  // A gateway database with `payments` payments, closed.
  void MakeGateway(std::uint32_t payments) {
    auto store = OpenGatewayStore(file_).value();
    ASSERT_TRUE(store->OpenIncarnation(IdOf(1)));
    GatewayRecords records;
    records.sequence = 1;
    for (std::uint32_t i = 1; i <= payments; ++i) records.payments.push_back(PaymentOf(i));
    ASSERT_TRUE(store->Commit(records));
  }
  void Tamper(const char* sql) {
    auto database = sqlite::Database::Open(file_, sqlite::Database::Mode::kReadWrite).value();
    ASSERT_TRUE(database.Execute("PRAGMA ignore_check_constraints = ON"));
    const Status done = database.Execute(sql);
    ASSERT_TRUE(done) << done.error().message;
  }
  void Overwrite(std::uintmax_t offset, const std::string& bytes) {
    std::fstream stream(file_, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(static_cast<std::streamoff>(offset));
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    ASSERT_TRUE(stream.good());
  }
  std::string RefusalOf(ErrorCode code) {
    auto store = OpenGatewayStore(file_);
    if (store) {
      ADD_FAILURE() << "it opened";
      return {};
    }
    EXPECT_EQ(store.error().code, code) << store.error().message;
    EXPECT_THAT(store.error().message, HasSubstr(file_.string()));
    return store.error().message;
  }

  TestDirectory folder_;
  const std::filesystem::path file_ = folder_ / "gateway.db";
};

// The gateway's migrations and another one.
std::vector<const char*> StepsAnd(const char* sql) {
  std::vector<const char*> steps(std::begin(sqlite::kGatewayMigrations), std::end(sqlite::kGatewayMigrations));
  steps.push_back(sql);
  return steps;
}

TEST_F(SqliteFile, NewFile_IsForItsOwnerOnlyAndSoIsItsLog) {
  const mode_t before = umask(0);
  auto store = OpenGatewayStore(file_).value();
  auto bank = OpenBankStore(folder_ / "bank.db").value();
  umask(before);
  EXPECT_EQ(ModeOf(file_), 0600);
  EXPECT_EQ(ModeOf(file_.string() + "-wal"), 0600);
  EXPECT_EQ(ModeOf(folder_ / "bank.db.lock"), 0600);
}

TEST_F(SqliteFile, Writer_SyncsEveryCommitAndLeavesCheckpointsToTheirThread) {
  auto database = sqlite::OpenWriter(file_, sqlite::kGatewaySchema).value();
  EXPECT_EQ(database.QueryInteger("PRAGMA synchronous").value(), 2);
  EXPECT_EQ(database.QueryText("PRAGMA journal_mode").value(), "wal");
  EXPECT_EQ(database.QueryInteger("PRAGMA wal_autocheckpoint").value(), 0);
  EXPECT_EQ(database.QueryInteger("PRAGMA trusted_schema").value(), 0);
  EXPECT_EQ(database.QueryInteger("PRAGMA cell_size_check").value(), 1);
  EXPECT_EQ(database.QueryInteger("PRAGMA mmap_size").value(), 0);
}

TEST_F(SqliteFile, CleanStop_LeavesNoLogBehind) {
  MakeGateway(10);
  EXPECT_FALSE(std::filesystem::exists(file_.string() + "-wal"));
}

TEST_F(SqliteFile, MissingFolder_IsASentence) {
  auto store = OpenGatewayStore(folder_ / "no/where.db");
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().message, HasSubstr("check that its folder exists"));
  auto reader = OpenGatewayReader(file_);
  ASSERT_FALSE(reader);
  EXPECT_THAT(reader.error().message, HasSubstr("check that the file exists"));
  EXPECT_FALSE(std::filesystem::exists(file_)) << "a reader makes nothing";
}

TEST_F(SqliteFile, NewerVersion_IsRefusedByWriterAndReader) {
  MakeGateway(0);
  Tamper("PRAGMA user_version = 99");
  EXPECT_THAT(RefusalOf(ErrorCode::kInvalidInput), HasSubstr("made by a newer Strife"));
  EXPECT_THAT(OpenGatewayReader(file_).error().message, HasSubstr("made by a newer Strife"));
}

TEST_F(SqliteFile, AnotherApplicationsDatabase_IsRefusedUntouched) {
  std::ofstream(file_).close();
  Tamper("CREATE TABLE notes (text TEXT)");
  EXPECT_THAT(RefusalOf(ErrorCode::kInvalidInput), HasSubstr("is not a Strife gateway database"));
  auto database = sqlite::Database::Open(file_, sqlite::Database::Mode::kReadOnly).value();
  EXPECT_EQ(database.QueryText("PRAGMA journal_mode").value(), "delete");
}

TEST_F(SqliteFile, BanksDatabase_IsNotAGateways) {
  {
    auto bank = OpenBankStore(file_).value();
  }
  EXPECT_THAT(RefusalOf(ErrorCode::kInvalidInput), HasSubstr("is not a Strife gateway database"));
}

TEST_F(SqliteFile, OlderVersion_IsBroughtUpByTheWriterAndRefusedByAReader) {
  const auto steps = StepsAnd("CREATE TABLE later (x INTEGER) STRICT");
  const sqlite::Schema later = {"gateway database", sqlite::kGatewaySchema.application_id, steps,
                                sqlite::kGatewaySmallTables};
  MakeGateway(3);
  const auto refused = sqlite::OpenReader(file_, later);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("start its server once"));
  auto migrated = sqlite::OpenWriter(file_, later).value();
  EXPECT_EQ(migrated.QueryInteger("PRAGMA user_version").value(), static_cast<std::int64_t>(steps.size()));
  EXPECT_EQ(migrated.QueryInteger("SELECT count(*) FROM payments").value(), 3);
  EXPECT_TRUE(migrated.Execute("INSERT INTO later VALUES (1)"));
}

TEST_F(SqliteFile, FailingMigration_ChangesNothing) {
  const auto steps = StepsAnd("CREATE TABLE half (x INTEGER); nonsense");
  const sqlite::Schema broken = {"gateway database", sqlite::kGatewaySchema.application_id, steps,
                                 sqlite::kGatewaySmallTables};
  MakeGateway(3);
  EXPECT_FALSE(sqlite::OpenWriter(file_, broken));
  EXPECT_TRUE(OpenGatewayStore(file_));
}

TEST_F(SqliteFile, NotADatabase_IsRefused) {
  std::ofstream(file_) << std::string(5000, 'x');
  EXPECT_THAT(RefusalOf(ErrorCode::kStorage), HasSubstr("not a database"));
}

TEST_F(SqliteFile, Truncated_IsRefused) {
  MakeGateway(500);
  std::filesystem::resize_file(file_, std::filesystem::file_size(file_) / 2);
  EXPECT_THAT(RefusalOf(ErrorCode::kStorage), HasSubstr("restore a backup"));
}

TEST_F(SqliteFile, GarbagePageAfterACleanStop_IsFoundAtOpen) {
  MakeGateway(500);
  Overwrite(std::filesystem::file_size(file_) - 2 * 4096, std::string(4096, '\xa5'));
  EXPECT_THAT(RefusalOf(ErrorCode::kStorage), HasSubstr("restore a backup"));
}

TEST_F(SqliteFile, AnyGarbagePage_IsAnErrorNamingTheFileAndNeverACrash) {
  MakeGateway(300);
  const auto pages = std::filesystem::file_size(file_) / 4096;
  std::ifstream in(file_, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  int noticed = 0;
  for (std::uintmax_t page = 0; page < pages; ++page) {
    std::ofstream(file_, std::ios::binary) << whole;
    Overwrite(page * 4096, std::string(4096, '\x5a'));
    auto reader = OpenGatewayReader(file_);
    auto cursor = reader ? (*reader)->ScanPayments() : std::unexpected(reader.error());
    Status status = cursor ? Status() : std::unexpected(cursor.error());
    while (status) {
      auto row = (*cursor)->Next();
      if (!row) status = std::unexpected(row.error());
      if (!row || !*row) break;
    }
    if (status) continue;  // an index, which a scan does not touch
    ++noticed;
    EXPECT_EQ(status.error().code, ErrorCode::kStorage) << status.error().message;
    EXPECT_THAT(status.error().message, HasSubstr(file_.string()));
  }
  EXPECT_GT(noticed, 5);
}

struct MalformedRow {
  const char* sql;
  const char* table;
};

class MalformedRows : public SqliteFile, public ::testing::WithParamInterface<MalformedRow> {};

TEST_P(MalformedRows, AreNamedWithFileTableAndKey) {
  MakeGateway(1);
  Tamper(GetParam().sql);
  auto reader = OpenGatewayReader(file_).value();
  const auto found = reader->FindPayment(IdOf(1));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kMalformed);
  EXPECT_THAT(found.error().message, HasSubstr(file_.string()));
  EXPECT_THAT(found.error().message, HasSubstr(std::string("table ") + GetParam().table));
  EXPECT_THAT(found.error().message, HasSubstr(IdOf(1).ToString()));
  // The store refuses to open when a check of the table is broken, and else to load the row.
  auto store = OpenGatewayStore(file_);
  EXPECT_FALSE(store && (*store)->Load({{IdOf(1)}, {}, {}}));
}

INSTANTIATE_TEST_SUITE_P(Values, MalformedRows,
                         ::testing::Values(MalformedRow{"UPDATE payments SET state = 6", "payments"},
                                           MalformedRow{"UPDATE payments SET state = -1", "payments"},
                                           MalformedRow{"UPDATE payments SET amount = -1", "payments"},
                                           MalformedRow{"UPDATE payments SET epoch = -1", "payments"},
                                           MalformedRow{"UPDATE payments SET currency = 'XX?'", "payments"},
                                           MalformedRow{"UPDATE payments SET memo = printf('%.*c', 20000, 'x')",
                                                        "payments"}));

TEST_F(SqliteFile, CursorAtAMalformedRow_NamesItAndGoesOnBehindIt) {
  MakeGateway(3);
  Tamper("UPDATE payments SET state = 6 WHERE id = (SELECT min(id) FROM payments)");
  auto cursor = OpenGatewayReader(file_).value()->ScanPayments().value();
  EXPECT_EQ(cursor->Next().error().code, ErrorCode::kMalformed);
  EXPECT_EQ(cursor->Next().value()->order.id, IdOf(2));
  EXPECT_EQ(cursor->Next().value()->order.id, IdOf(3));
  EXPECT_EQ(cursor->Next().value(), std::nullopt);
}

TEST(SqliteSchema, TablesCheckedAtOpen_AreInTheOldestFilesToo) {
  for (const auto& schema : {sqlite::kBankSchema, sqlite::kGatewaySchema}) {
    for (const char* table : schema.small_tables) {
      EXPECT_THAT(schema.migrations[0], HasSubstr(std::string("CREATE TABLE ") + table + " ")) << schema.what;
    }
  }
}

TEST_F(SqliteFile, BankOfVersionOne_IsBroughtUpWithAllItHas) {
  {
    static constexpr const char* kFirst[] = {sqlite::kBankMigrations[0]};
    static constexpr sqlite::Schema kOld = {"bank database", sqlite::kBankSchema.application_id, kFirst,
                                            sqlite::kBankSmallTables};
    auto old = sqlite::OpenWriter(file_, kOld).value();
    EXPECT_EQ(old.QueryInteger("PRAGMA user_version").value(), 1);
    ASSERT_TRUE(
        old.Execute("INSERT INTO meta VALUES (1, 'bank1', NULL, 0); INSERT INTO accounts VALUES "
                    "('A-1', 1, 1, 'USD', 10, 0, 0)"));
  }
  EXPECT_THAT(OpenBankReader(file_).error().message, HasSubstr("start its server once"));
  auto store = OpenBankStore(file_).value();
  ASSERT_TRUE(store->Open("bank1"));
  EXPECT_TRUE(store->LoadHeuristics().value().empty());
  EXPECT_EQ(OpenBankReader(file_).value()->FindAccount("A-1").value()->posted, 10);
}

TEST_F(SqliteFile, KeyOfWrongSize_IsNamed) {
  MakeGateway(0);
  Tamper(
      "INSERT INTO payments VALUES (x'ABCDEF', 'p', '', '', '', '', 1, 'USD', '', 1, '', '', 1, 1, 1, x'');"
      "INSERT INTO sessions VALUES (x'01', 'u', x'02', 1, 1, 1, x'03', 0)");
  auto reader = OpenGatewayReader(file_).value();
  auto cursor = reader->ScanPayments().value();
  EXPECT_THAT(cursor->Next().error().message, HasSubstr("with key abcdef"));
  EXPECT_THAT(reader->SessionsRevokedSince(At(0)).error().message, HasSubstr("table sessions with key 01"));
  EXPECT_THAT(RefusalOf(ErrorCode::kStorage), HasSubstr("restore a backup")) << "the checks of the table are broken";
}

TEST_F(SqliteFile, HostileTrigger_DoesNotRun) {
  MakeGateway(1);
  Tamper("CREATE TRIGGER steal AFTER UPDATE ON payments BEGIN UPDATE payments SET amount = 1; END");
  auto store = OpenGatewayStore(file_).value();
  ASSERT_TRUE(store->OpenIncarnation(IdOf(1)));
  GatewayRecords records;
  records.payments = {PaymentOf(1)};
  records.payments[0].state = protocol::PaymentState::kAborted;
  ASSERT_TRUE(store->Commit(records));
  EXPECT_EQ(store->Load({{IdOf(1)}, {}, {}}).value().payments.at(IdOf(1)).order.amount.minor_units, 1250);
}

TEST_F(SqliteFile, MissingTable_IsAnError) {
  MakeGateway(0);
  Tamper("DROP TABLE sessions");
  EXPECT_THAT(RefusalOf(ErrorCode::kStorage), HasSubstr("sessions"));
}

TEST_F(SqliteFile, SecondBankProcess_IsRefusedNamingTheFirst) {
  const auto file = folder_ / "bank.db";
  auto first = OpenBankStore(file).value();
  const auto second = OpenBankStore(file);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(second.error().message, HasSubstr("process " + std::to_string(getpid())));
  EXPECT_THAT(second.error().message, HasSubstr(file.string() + ".lock"));
  EXPECT_TRUE(OpenBankReader(file)) << "readers take no lock";
  first.reset();
  EXPECT_TRUE(OpenBankStore(file));
}

TEST_F(SqliteFile, MalformedBankRows_AreNamed) {
  {
    auto bank = OpenBankStore(file_).value();
    ASSERT_TRUE(bank->Open("bank1"));
    ASSERT_TRUE(bank->Commit({{TransactionOf(1)}, {AccountOf("A-1", 5)}, {EntryOf(1, 0, 5)}, {}}));
  }
  Tamper(
      "UPDATE transactions SET state = 1; UPDATE accounts SET held = -1; UPDATE entries SET line = 256;"
      "UPDATE totals SET currency = '?'");
  auto reader = OpenBankReader(file_).value();
  EXPECT_THAT(reader->FindTransaction(IdOf(1)).error().message, HasSubstr("table transactions"));
  EXPECT_THAT(reader->FindAccount("A-1").error().message, HasSubstr("table accounts with key A-1"));
  EXPECT_THAT(reader->Totals().error().message, HasSubstr("table totals with key ?"));
  auto entries = reader->Snapshot().value()->Entries().value();
  EXPECT_THAT(entries->Next().error().message, HasSubstr("table entries"));
}

TEST_F(SqliteFile, LongLog_StartsOverWhileWritingGoesOn) {
  auto store = OpenGatewayStore(file_).value();
  ASSERT_TRUE(store->OpenIncarnation(IdOf(1)));
  GatewayRecords records;
  for (std::uint32_t batch = 0; batch < 10; ++batch) {
    records.payments.clear();
    ++records.sequence;
    for (std::uint32_t i = 0; i < 2000; ++i) {
      records.payments.push_back(PaymentOf(batch * 2000 + i));
      records.payments.back().order.memo.assign(12000, 'x');
    }
    const Status done = store->Commit(records);
    ASSERT_TRUE(done) << done.error().message;
  }
  // 240 MB were written; the log may hold 96 MB and one batch more.
  EXPECT_LT(std::filesystem::file_size(file_.string() + "-wal"), std::uintmax_t{150} << 20);
}

// A small disk must not be filled by the log of a busy server: the writer does the rest that the checkpointer leaves.
TEST_F(SqliteFile, LogOfManySmallCommits_StaysShort) {
  auto store = OpenGatewayStore(file_).value();
  ASSERT_TRUE(store->OpenIncarnation(IdOf(1)));
  GatewayRecords records;
  for (std::uint32_t n = 0; n < 3000; ++n) {
    records.payments = {PaymentOf(n)};
    records.payments.back().order.memo.assign(40'000, 'x');
    ++records.sequence;
    ASSERT_TRUE(store->Commit(records));
  }
  // More than 150 MB were written. A step is 16 MB, and as much again may come while it is moved.
  EXPECT_LT(std::filesystem::file_size(file_.string() + "-wal"), std::uintmax_t{64} << 20);
}

// ---- The audit log ----

TEST_F(SqliteFile, AuditLog_EditedWithAnotherTool_IsRefused) {
  {
    auto store = OpenGatewayStore(file_).value();
    ASSERT_TRUE(store->OpenIncarnation(IdOf(1)));
    GatewayRecords records;
    records.audit.assign(3, AuditOf(protocol::AuditEvent::kLogin, "user/alice"));
    ASSERT_TRUE(store->Commit(records));
  }
  auto shell = sqlite::Database::Open(file_, sqlite::Database::Mode::kReadWrite).value();
  sqlite3_db_config(shell.handle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 1, nullptr);  // as every tool but the server has it
  EXPECT_EQ(shell.QueryInteger("SELECT count(*) FROM audit").value(), 3);
  for (const char* sql :
       {"UPDATE audit SET actor = 'user/bob' WHERE sequence = 1", "DELETE FROM audit WHERE sequence = 3",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE sequence = 2",
        "UPDATE audit_start SET decided_before = 9", "DELETE FROM audit_start",
        "INSERT OR REPLACE INTO audit_start SELECT * FROM audit_start",
        "INSERT INTO audit VALUES (9, 1, 1, 1, '', '', '', '', zeroblob(32))"}) {
    const Status refused = shell.Execute(sql);
    ASSERT_FALSE(refused) << sql;
    EXPECT_THAT(refused.error().message, HasSubstr("the audit log is append-only")) << sql;
  }
}

TEST_F(SqliteFile, AuditLog_AddedToAnOlderDatabase_TellsHowManyDecisionsHaveNoEntry) {
  {
    static constexpr const char* kFirst[] = {sqlite::kGatewayMigrations[0]};
    static constexpr sqlite::Schema kOld = {"gateway database", sqlite::kGatewaySchema.application_id, kFirst,
                                            sqlite::kGatewaySmallTables};
    auto old = sqlite::OpenWriter(file_, kOld).value();
    ASSERT_TRUE(old.Execute(
        "INSERT INTO payments VALUES (x'00000000000000000000000000000001', 'p', '', '', '', '', 1, 'USD', '', "
        "3, '', '', 1, 1, 1), (x'00000000000000000000000000000002', 'p', '', '', '', '', 1, 'USD', '', "
        "1, '', '', 1, 1, 1)"));
  }
  MakeGateway(0);
  EXPECT_EQ(OpenGatewayReader(file_).value()->Audit().value()->Start().value().decided_before, 1u);
}

TEST_F(SqliteFile, SessionOfAnOlderDatabase_GoesOnWithItsUnusedToken_AndHasLeftTheOthersBehind) {
  {
    static constexpr const char* kFirst[] = {sqlite::kGatewayMigrations[0]};
    static constexpr sqlite::Schema kOld = {"gateway database", sqlite::kGatewaySchema.application_id, kFirst,
                                            sqlite::kGatewaySmallTables};
    auto old = sqlite::OpenWriter(file_, kOld).value();
    const std::string session = "x'00000000000000000000000000000001'";
    const std::string insert = "INSERT INTO sessions VALUES (" + session + ", 'u', zeroblob(32), 1, 9, NULL);" +
                               "INSERT INTO refresh_tokens VALUES (x'" + std::string(64, 'a') + "', " + session +
                               ", 9, 5), (x'" + std::string(64, 'b') + "', " + session + ", 9, NULL)";
    ASSERT_TRUE(old.Execute(insert.c_str()));
  }
  auto store = OpenGatewayStore(file_).value();
  ASSERT_TRUE(store->OpenIncarnation(IdOf(1)));
  Sha256 used, unused;
  used.fill(0xaa);
  unused.fill(0xbb);
  const GatewayRows rows = store->Load({{}, {used, unused}, {}}).value();
  ASSERT_EQ(rows.sessions.size(), 1u);
  EXPECT_EQ(rows.refresh_tokens.at(unused).generation, rows.sessions.begin()->second.generation + 1);
  EXPECT_LT(rows.refresh_tokens.at(used).generation, rows.sessions.begin()->second.generation);
}

TEST_F(SqliteFile, AuditLog_RecordThatCannotBeWritten_LeavesTheChangeUnmade) {
  auto store = OpenGatewayStore(file_).value();
  ASSERT_TRUE(store->OpenIncarnation(IdOf(1)));
  // The place of the next record is taken.
  Tamper("DROP TRIGGER audit_append; INSERT INTO audit VALUES (1, 1, 1, 1, '', '', '', '', zeroblob(32))");
  protocol::PaymentRecord decided = PaymentOf(1);
  decided.state = protocol::PaymentState::kCommitting;
  GatewayRecords records;
  records.payments = {decided};
  records.suspensions = {{SuspendedKind::kUser, "alice", true, "olga", "", At(1)}};
  records.sequence = 1;
  EXPECT_FALSE(store->Commit(records));
  EXPECT_EQ(OpenGatewayReader(file_).value()->FindPayment(IdOf(1)).value(), std::nullopt);
  EXPECT_TRUE(OpenGatewayReader(file_).value()->Suspensions().value().empty());
}

TEST_F(SqliteFile, AuditLogWithoutItsBeginning_IsAnError) {
  MakeGateway(0);
  Tamper("DROP TRIGGER audit_start_delete; DELETE FROM audit_start");
  auto store = OpenGatewayStore(file_).value();
  EXPECT_THAT(store->OpenIncarnation(IdOf(1)).error().message, HasSubstr("has lost the beginning of its audit log"));
}

}  // namespace
}  // namespace strife
