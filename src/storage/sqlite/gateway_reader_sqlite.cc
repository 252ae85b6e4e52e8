#include <array>
#include <limits>
#include <span>
#include <utility>

#include "storage/sqlite/audit_snapshot.h"
#include "storage/sqlite/gateway_rows.h"
#include "storage/sqlite/gateway_schema.h"
#include "storage/sqlite/gateway_sqlite.h"
#include "storage/sqlite/prepare.h"
#include "storage/sqlite/row.h"
#include "storage/sqlite/snapshot.h"

namespace strife {
namespace {

using protocol::PaymentRecord;
using protocol::PaymentState;
using sqlite::Database;
using sqlite::Statement;

struct Connection {
  Database database;
  Statement find_payment, history, history_completed, history_aborted, history_open, banks, revoked_sessions;

  static Result<std::unique_ptr<Connection>> Open(const std::filesystem::path& file) {
    auto database = sqlite::OpenReader(file, sqlite::kGatewaySchema);
    if (!database) return std::unexpected(std::move(database.error()));
    auto connection = std::make_unique<Connection>();
    connection->database = std::move(*database);
    auto prepared =
        sqlite::PrepareAll(connection->database, {{&connection->find_payment, sqlite::kFindPayment},
                                                  {&connection->history, sqlite::kHistory},
                                                  {&connection->history_completed, sqlite::kHistoryCompleted},
                                                  {&connection->history_aborted, sqlite::kHistoryAborted},
                                                  {&connection->history_open, sqlite::kHistoryOpen},
                                                  {&connection->banks, sqlite::kBanks},
                                                  {&connection->revoked_sessions, sqlite::kRevokedSessions}});
    if (!prepared) return std::unexpected(std::move(prepared.error()));
    return connection;
  }
};

using Pool = sqlite::ReaderPool<Connection>;

// A page starts before this place: (created_at, id), and an id sorts before all longer ones that begin with it.
struct Bound {
  std::int64_t created_at = std::numeric_limits<std::int64_t>::max();
  std::array<std::uint8_t, 17> id{};
  std::size_t id_bytes = 0;

  explicit Bound(const HistoryQuery& query) {
    if (!query.until && !query.after) {
      id.fill(0xff);  // after every id
      id_bytes = id.size();
      return;
    }
    if (query.until) created_at = query.until->time_since_epoch().count();  // with no id: before every payment of then
    if (!query.after) return;
    const std::int64_t after = query.after->created_at.time_since_epoch().count();
    if (query.until && after >= created_at) return;
    created_at = after;
    id_bytes = query.after->id.bytes.size();
    std::copy(query.after->id.bytes.begin(), query.after->id.bytes.end(), id.begin());
  }
};

Statement& StatementFor(const Pool::Lease& connection, const HistoryQuery& query) {
  if (!query.state) return connection->history;
  switch (*query.state) {
    case PaymentState::kCompleted:
      return connection->history_completed;
    case PaymentState::kAborted:
      return connection->history_aborted;
    default:
      return connection->history_open;
  }
}

class GatewayReaderSqlite final : public GatewayReader {
 public:
  explicit GatewayReaderSqlite(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}

  Result<std::optional<PaymentRecord>> FindPayment(const Uuid& id) override {
    auto connection = pool_->Take();
    if (!connection) return std::unexpected(std::move(connection.error()));
    Statement& find = (*connection)->find_payment;
    find.Bind(1, id.bytes);
    return sqlite::ReadOne<PaymentRecord>(find, &sqlite::ReadPayment);
  }

  Result<std::vector<PaymentRecord>> History(const HistoryQuery& query) override {
    auto connection = pool_->Take();
    if (!connection) return std::unexpected(std::move(connection.error()));
    const Bound bound(query);
    Statement& history = StatementFor(*connection, query);
    history.Bind(1, query.payer);
    history.Bind(2, bound.created_at);
    history.Bind(3, std::span(bound.id).first(bound.id_bytes));
    history.Bind(4, query.since ? query.since->time_since_epoch().count() : std::numeric_limits<std::int64_t>::min());
    history.Bind(5, std::max(query.limit, 0));
    if (&history == &(*connection)->history_open) history.Bind(6, static_cast<std::int64_t>(*query.state));
    return sqlite::ReadMany<PaymentRecord>(history, &sqlite::ReadPayment);
  }

  Result<std::vector<protocol::BankRecord>> Banks() override {
    auto connection = pool_->Take();
    if (!connection) return std::unexpected(std::move(connection.error()));
    return sqlite::ReadMany<protocol::BankRecord>((*connection)->banks, &sqlite::ReadBank);
  }

  Result<std::vector<Uuid>> SessionsRevokedSince(WallTime since) override {
    auto connection = pool_->Take();
    if (!connection) return std::unexpected(std::move(connection.error()));
    Statement& revoked = (*connection)->revoked_sessions;
    revoked.Bind(1, since.time_since_epoch().count());
    return sqlite::ReadMany<Uuid>(revoked, [](const Statement& statement) {
      sqlite::Row row(statement, "sessions");
      return row.Finish(row.Id(0));
    });
  }

  Result<std::uint64_t> CountPayments() override {
    auto connection = pool_->Take();
    if (!connection) return std::unexpected(std::move(connection.error()));
    auto count = (*connection)->database.QueryInteger(sqlite::kCountPayments);
    if (!count) return std::unexpected(std::move(count.error()));
    return static_cast<std::uint64_t>(*count);
  }

  Result<std::unique_ptr<Cursor<PaymentRecord>>> ScanPayments() override {
    auto connection = pool_->Take();
    if (!connection) return std::unexpected(std::move(connection.error()));
    auto snapshot = sqlite::ReadSnapshot<Connection>::Begin(std::move(*connection));
    if (!snapshot) return std::unexpected(std::move(snapshot.error()));
    return sqlite::StatementCursor<Connection, PaymentRecord>::Open(std::move(*snapshot), sqlite::kScanPayments,
                                                                    &sqlite::ReadPayment);
  }

  Result<std::unique_ptr<AuditSnapshot>> Audit() override {
    auto connection = pool_->Take();
    if (!connection) return std::unexpected(std::move(connection.error()));
    return sqlite::AuditSnapshotSqlite<Connection>::Begin(std::move(*connection));
  }

 private:
  std::shared_ptr<Pool> pool_;
};

}  // namespace

Result<std::unique_ptr<GatewayReader>> OpenGatewayReader(const std::filesystem::path& file) {
  auto pool = Pool::Open(file);
  if (!pool) return std::unexpected(std::move(pool.error()));
  return std::make_unique<GatewayReaderSqlite>(std::move(*pool));
}

}  // namespace strife
