#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <utility>

#include "base/limits.h"
#include "storage/sqlite/audit_snapshot.h"
#include "storage/sqlite/bind.h"
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
using sqlite::Micros;
using sqlite::Statement;

struct Connection {
  Database database;
  Statement find_payment, history, history_completed, history_aborted, history_open, banks, revoked_sessions,
      newest_payments, open_payments, live_sessions, sessions_of_user, suspensions;

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
                                                  {&connection->revoked_sessions, sqlite::kRevokedSessions},
                                                  {&connection->newest_payments, sqlite::kNewestPayments},
                                                  {&connection->open_payments, sqlite::kOpenPayments},
                                                  {&connection->live_sessions, sqlite::kLiveSessions},
                                                  {&connection->sessions_of_user, sqlite::kSessionsOfUser},
                                                  {&connection->suspensions, sqlite::kSuspensions}});
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

  template <typename Query>
  explicit Bound(const Query& query) {
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

bool IsOpen(const std::optional<PaymentState>& state) { return state && !protocol::IsFinal(*state); }

// Whether a payment is one that is looked for; in time it is already.
bool Matches(const PaymentRecord& payment, const PaymentsQuery& query) {
  const std::int64_t amount = payment.order.amount.minor_units;
  return (!query.payer || payment.order.payer == *query.payer) && (!query.state || payment.state == *query.state) &&
         (!query.bank_id || payment.order.from.bank_id == *query.bank_id ||
          payment.order.to.bank_id == *query.bank_id) &&
         (!query.min_minor_units || amount >= *query.min_minor_units) &&
         (!query.max_minor_units || amount <= *query.max_minor_units);
}

HistoryQuery::Position PositionOf(const PaymentRecord& payment) { return {payment.created_at, payment.order.id}; }

// Steps through a bound statement until the page is full or enough rows have been looked at.
Result<PaymentsPage> Page(Statement& statement, const PaymentsQuery& query) {
  const sqlite::ResetAtEnd reset(statement);
  const auto limit = static_cast<std::size_t>(std::max(query.limit, 0));
  PaymentsPage page;
  for (int examined = 0;; ++examined) {
    auto row = statement.Step();
    if (!row) return std::unexpected(std::move(row.error()));
    if (!*row) {
      page.next.reset();
      return page;
    }
    auto payment = sqlite::ReadPayment(statement);
    if (!payment) return std::unexpected(std::move(payment.error()));
    const bool matches = Matches(*payment, query);
    if (examined == limits::kMaxRowsExamined || (matches && page.payments.size() == limit)) return page;
    page.next = PositionOf(*payment);
    if (matches) page.payments.push_back(*std::move(payment));
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

  Result<PaymentsPage> Payments(const PaymentsQuery& query) override {
    auto connection = pool_->Take();
    if (!connection) return std::unexpected(std::move(connection.error()));
    if (IsOpen(query.state)) return OpenPaymentsPage((*connection)->open_payments, query);
    const Bound bound(query);
    Statement& statement = query.payer ? (*connection)->history : (*connection)->newest_payments;
    int index = 1;
    if (query.payer) statement.Bind(index++, *query.payer);
    statement.Bind(index++, bound.created_at);
    statement.Bind(index++, std::span(bound.id).first(bound.id_bytes));
    statement.Bind(index++, query.since ? Micros(*query.since) : std::numeric_limits<std::int64_t>::min());
    if (query.payer) statement.Bind(index, std::int64_t{limits::kMaxRowsExamined} + 1);
    return Page(statement, query);
  }

  Result<std::vector<SessionRecord>> Sessions(const SessionsQuery& query) override {
    auto connection = pool_->Take();
    if (!connection) return std::unexpected(std::move(connection.error()));
    Statement& statement = query.username ? (*connection)->sessions_of_user : (*connection)->live_sessions;
    statement.Bind(1, Micros(query.now));
    statement.Bind(2, query.after ? Micros(query.after->expires_at) : std::numeric_limits<std::int64_t>::max());
    const Uuid before = query.after ? query.after->session_id : Uuid{};  // bound as it is, not copied
    statement.Bind(3, before.bytes);
    statement.Bind(4, std::max(query.limit, 0));
    if (query.username) statement.Bind(5, *query.username);
    return sqlite::ReadMany<SessionRecord>(statement, &sqlite::ReadSession);
  }

  Result<std::vector<SuspensionRecord>> Suspensions() override {
    auto connection = pool_->Take();
    if (!connection) return std::unexpected(std::move(connection.error()));
    return sqlite::ReadMany<SuspensionRecord>((*connection)->suspensions, &sqlite::ReadSuspension);
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
  // What is open is little: all of it is read and sorted.
  static Result<PaymentsPage> OpenPaymentsPage(Statement& statement, const PaymentsQuery& query) {
    auto open = sqlite::ReadMany<PaymentRecord>(statement, &sqlite::ReadPayment);
    if (!open) return std::unexpected(std::move(open.error()));
    std::erase_if(*open, [&](const PaymentRecord& payment) {
      const auto place = std::pair(payment.created_at, payment.order.id);
      return !Matches(payment, query) || (query.since && payment.created_at < *query.since) ||
             (query.until && payment.created_at >= *query.until) ||
             (query.after && place >= std::pair(query.after->created_at, query.after->id));
    });
    std::ranges::sort(*open, std::ranges::greater(),
                      [](const PaymentRecord& payment) { return std::pair(payment.created_at, payment.order.id); });
    PaymentsPage page{*std::move(open), std::nullopt};
    const auto limit = static_cast<std::size_t>(std::max(query.limit, 0));
    if (page.payments.size() <= limit) return page;
    page.payments.resize(limit);
    if (limit > 0) page.next = PositionOf(page.payments.back());
    return page;
  }

  std::shared_ptr<Pool> pool_;
};

}  // namespace

Result<std::unique_ptr<GatewayReader>> OpenGatewayReader(const std::filesystem::path& file) {
  auto pool = Pool::Open(file);
  if (!pool) return std::unexpected(std::move(pool.error()));
  return std::make_unique<GatewayReaderSqlite>(std::move(*pool));
}

}  // namespace strife
