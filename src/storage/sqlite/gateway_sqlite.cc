#include "storage/sqlite/gateway_sqlite.h"

#include <utility>

#include "audit/audit_of.h"
#include "base/assert.h"
#include "base/limits.h"
#include "storage/sqlite/audit_table.h"
#include "storage/sqlite/bind.h"
#include "storage/sqlite/checkpointer.h"
#include "storage/sqlite/gateway_rows.h"
#include "storage/sqlite/gateway_schema.h"
#include "storage/sqlite/prepare.h"
#include "storage/sqlite/row.h"

namespace strife {
namespace {

using protocol::AuditRecord;
using protocol::BankRecord;
using protocol::PaymentRecord;
using protocol::PaymentState;
using protocol::TraceRecord;
using sqlite::BindOptional;
using sqlite::BindTrace;
using sqlite::Database;
using sqlite::Micros;
using sqlite::Signed;
using sqlite::Statement;

class GatewaySqlite final : public GatewayStore {
 public:
  static Result<std::unique_ptr<GatewayStore>> Open(const std::filesystem::path& file) {
    auto database = sqlite::OpenWriter(file, sqlite::kGatewaySchema);
    if (!database) return std::unexpected(std::move(database.error()));
    std::unique_ptr<GatewaySqlite> store(new GatewaySqlite(file, std::move(*database)));
    if (auto prepared = store->Prepare(); !prepared) return std::unexpected(std::move(prepared.error()));
    auto checkpointer = sqlite::Checkpointer::Start(file, store->database_);
    if (!checkpointer) return std::unexpected(std::move(checkpointer.error()));
    store->checkpointer_ = std::move(*checkpointer);
    return std::unique_ptr<GatewayStore>(std::move(store));
  }

  Result<GatewayIncarnation> OpenIncarnation(const Uuid& store_id_if_new) override;
  Result<std::vector<PaymentRecord>> LoadOpenPayments() override;
  Result<GatewayRows> Load(const GatewayKeys& keys) override;
  Status Commit(const GatewayRecords& records) override;

 private:
  GatewaySqlite(std::filesystem::path file, Database database)
      : file_(std::move(file)), database_(std::move(database)) {}

  Status Prepare();
  Result<std::optional<GatewayIncarnation>> ReadMeta();
  // kFenced when another incarnation has raised the epoch.
  Status StillOwner();
  Error Succeeded() const {
    return {ErrorCode::kFenced, "another gateway has taken over " + file_.string() + ": this one must stop"};
  }
  Status Write(const GatewayRecords& records);
  Status WritePayments(const GatewayRecords& records);
  // `trace`: none leaves it as it is.
  Status WritePayment(const PaymentRecord& payment, const TraceRecord* trace);
  Result<bool> UpdatePayment(const PaymentRecord& payment, const TraceRecord* trace);
  Status WriteTrace(const TraceRecord& trace);
  Status WriteBank(const BankRecord& bank);
  Status WriteSession(const SessionRecord& session);
  Status WriteRefreshToken(const RefreshTokenRecord& token);
  Status WriteLoginCounter(const LoginCounterRecord& counter);
  // Runs `forget`, one of those that delete a few rows of before then.
  static Status Forget(Statement& forget, WallTime before);
  Status WriteSuspension(const SuspensionRecord& suspension);
  Status LoadSession(const Uuid& id, GatewayRows& rows);

  const std::filesystem::path file_;
  Database database_;
  Statement find_payment_, find_trace_, update_trace_, open_payments_, find_session_, find_refresh_token_,
      find_login_counter_, read_meta_;
  Statement update_payment_, insert_payment_, upsert_bank_, upsert_session_, upsert_refresh_token_;
  Statement upsert_login_counter_, upsert_suspension_, delete_suspension_;
  Statement forget_login_counters_, forget_refresh_tokens_, forget_sessions_;
  Statement insert_meta_, raise_epoch_, advance_;
  sqlite::AuditTable audit_;
  std::uint64_t epoch_ = 0;
  std::optional<Error> failed_;                         // after a storage error nothing is written any more
  std::unique_ptr<sqlite::Checkpointer> checkpointer_;  // goes first: it uses the connection
};

Status GatewaySqlite::Prepare() {
  if (auto prepared = audit_.Prepare(database_); !prepared) return prepared;
  return sqlite::PrepareAll(database_, {{&find_payment_, sqlite::kFindPayment},
                                        {&find_trace_, sqlite::kFindPaymentTrace},
                                        {&update_trace_, sqlite::kUpdatePaymentTrace},
                                        {&open_payments_, sqlite::kOpenPayments},
                                        {&find_session_, sqlite::kFindSession},
                                        {&find_refresh_token_, sqlite::kFindRefreshToken},
                                        {&find_login_counter_, sqlite::kFindLoginCounter},
                                        {&read_meta_, sqlite::kReadMeta},
                                        {&update_payment_, sqlite::kUpdatePayment},
                                        {&insert_payment_, sqlite::kInsertPayment},
                                        {&upsert_bank_, sqlite::kUpsertBank},
                                        {&upsert_session_, sqlite::kUpsertSession},
                                        {&upsert_refresh_token_, sqlite::kUpsertRefreshToken},
                                        {&upsert_login_counter_, sqlite::kUpsertLoginCounter},
                                        {&forget_login_counters_, sqlite::kForgetLoginCounters},
                                        {&forget_refresh_tokens_, sqlite::kForgetRefreshTokens},
                                        {&forget_sessions_, sqlite::kForgetSessions},
                                        {&upsert_suspension_, sqlite::kUpsertSuspension},
                                        {&delete_suspension_, sqlite::kDeleteSuspension},
                                        {&insert_meta_, sqlite::kInsertMeta},
                                        {&raise_epoch_, sqlite::kRaiseEpoch},
                                        {&advance_, sqlite::kAdvance}});
}

Result<std::optional<GatewayIncarnation>> GatewaySqlite::ReadMeta() {
  return sqlite::ReadOne<GatewayIncarnation>(read_meta_, [](const Statement& statement) {
    sqlite::Row row(statement, "meta");
    return row.Finish(GatewayIncarnation{row.Id(0), row.Unsigned(1), row.Unsigned(2)});
  });
}

Result<GatewayIncarnation> GatewaySqlite::OpenIncarnation(const Uuid& store_id_if_new) {
  auto transaction = sqlite::WriteTransaction::Begin(database_);
  if (!transaction) return std::unexpected(std::move(transaction.error()));
  auto before = ReadMeta();
  if (!before) return std::unexpected(std::move(before.error()));
  if (!*before) insert_meta_.Bind(1, store_id_if_new.bytes);
  if (auto written = (*before ? raise_epoch_ : insert_meta_).Run(); !written) {
    return std::unexpected(std::move(written.error()));
  }
  auto now = ReadMeta();
  if (!now) return std::unexpected(std::move(now.error()));
  // From here on every earlier incarnation is fenced, so the log's end moves only with this one's commits.
  if (auto opened = audit_.Open(); !opened) return std::unexpected(std::move(opened.error()));
  if (auto committed = transaction->Commit(); !committed) return std::unexpected(std::move(committed.error()));
  STRIFE_ASSERT(now->has_value());
  epoch_ = (*now)->epoch;
  return **now;
}

Result<std::vector<PaymentRecord>> GatewaySqlite::LoadOpenPayments() {
  return sqlite::ReadMany<PaymentRecord>(open_payments_, &sqlite::ReadPayment);
}

Status GatewaySqlite::LoadSession(const Uuid& id, GatewayRows& rows) {
  if (rows.sessions.contains(id)) return {};
  find_session_.Bind(1, id.bytes);
  auto session = sqlite::ReadOne<SessionRecord>(find_session_, &sqlite::ReadSession);
  if (!session) return std::unexpected(std::move(session.error()));
  if (*session) rows.sessions.emplace(id, std::move(**session));
  return {};
}

Status GatewaySqlite::StillOwner() {
  auto meta = ReadMeta();
  if (!meta) return std::unexpected(std::move(meta.error()));
  if (epoch_ == 0 || ((*meta) && (*meta)->epoch == epoch_)) return {};
  return std::unexpected(Succeeded());
}

Result<GatewayRows> GatewaySqlite::Load(const GatewayKeys& keys) {
  // One read transaction for all keys: cheaper than one for each.
  auto transaction = sqlite::ReadTransaction::Begin(database_);
  if (!transaction) return std::unexpected(std::move(transaction.error()));
  if (auto owner = StillOwner(); !owner) return std::unexpected(std::move(owner.error()));
  GatewayRows rows;
  rows.payments.reserve(keys.payments.size());
  for (const Uuid& id : keys.payments) {
    find_payment_.Bind(1, id.bytes);
    auto payment = sqlite::ReadOne<PaymentRecord>(find_payment_, &sqlite::ReadPayment);
    if (!payment) return std::unexpected(std::move(payment.error()));
    if (!*payment) continue;
    rows.payments.emplace(id, std::move(**payment));
    find_trace_.Bind(1, id.bytes);
    auto trace = sqlite::ReadOne<std::string>(find_trace_, &sqlite::ReadTrace);
    if (!trace) return std::unexpected(std::move(trace.error()));
    if (*trace && !(*trace)->empty()) rows.traces.emplace(id, std::move(**trace));
  }
  for (const Sha256& hash : keys.refresh_tokens) {
    find_refresh_token_.Bind(1, hash);
    auto token = sqlite::ReadOne<RefreshTokenRecord>(find_refresh_token_, &sqlite::ReadRefreshToken);
    if (!token) return std::unexpected(std::move(token.error()));
    if (!*token) continue;
    if (auto session = LoadSession((*token)->session_id, rows); !session) {
      return std::unexpected(std::move(session.error()));
    }
    rows.refresh_tokens.emplace(hash, **token);
  }
  for (const Uuid& id : keys.sessions) {
    if (auto session = LoadSession(id, rows); !session) return std::unexpected(std::move(session.error()));
  }
  for (const LoginCounterKey& key : keys.login_counters) {
    find_login_counter_.Bind(1, static_cast<std::int64_t>(key.scope));
    find_login_counter_.Bind(2, key.subject);
    auto counter = sqlite::ReadOne<LoginCounterRecord>(find_login_counter_, &sqlite::ReadLoginCounter);
    if (!counter) return std::unexpected(std::move(counter.error()));
    if (*counter) rows.login_counters.emplace(key, std::move(**counter));
  }
  return rows;
}

Status GatewaySqlite::Commit(const GatewayRecords& records) {
  STRIFE_ASSERT(epoch_ > 0);
  if (failed_) return std::unexpected(*failed_);
  Status written = Write(records);
  if (!written && written.error().code == ErrorCode::kInternal) {
    // Nothing was written, so the log ends where it did.
    if (auto reopened = audit_.Open(); !reopened) return reopened;
  }
  if (written) written = checkpointer_->AfterCommit();
  if (!written && written.error().code == ErrorCode::kStorage) failed_ = written.error();
  return written;
}

Status GatewaySqlite::Write(const GatewayRecords& records) {
  auto transaction = sqlite::WriteTransaction::Begin(database_);
  if (!transaction) return std::unexpected(std::move(transaction.error()));
  advance_.Bind(1, Signed(records.sequence));
  advance_.Bind(2, Signed(epoch_));
  if (auto advanced = advance_.Run(); !advanced) return advanced;
  if (database_.Changes() != 1) return std::unexpected(Succeeded());
  if (auto written = WritePayments(records); !written) return written;
  for (const BankRecord& bank : records.banks) {
    if (auto written = WriteBank(bank); !written) return written;
  }
  for (const SessionRecord& session : records.sessions) {
    if (auto written = WriteSession(session); !written) return written;
  }
  for (const RefreshTokenRecord& token : records.refresh_tokens) {
    if (auto written = WriteRefreshToken(token); !written) return written;
  }
  for (const LoginCounterRecord& counter : records.login_counters) {
    if (auto written = WriteLoginCounter(counter); !written) return written;
  }
  for (const SuspensionRecord& suspension : records.suspensions) {
    if (auto written = WriteSuspension(suspension); !written) return written;
  }
  if (records.forget_before) {
    if (auto forgotten = Forget(forget_login_counters_, *records.forget_before); !forgotten) return forgotten;
  }
  if (records.forget_sessions_before) {
    for (Statement* forget : {&forget_refresh_tokens_, &forget_sessions_}) {
      if (auto forgotten = Forget(*forget, *records.forget_sessions_before); !forgotten) return forgotten;
    }
  }
  const auto append = [this](AuditRecord record) { return audit_.Append(std::move(record)); };
  if (auto written = audit::ForEachAudit(records, append); !written) return written;
  return transaction->Commit();
}

Status GatewaySqlite::WritePayments(const GatewayRecords& records) {
  auto trace = records.traces.begin();
  for (const PaymentRecord& payment : records.payments) {
    const bool with_trace = trace != records.traces.end() && trace->id == payment.order.id;
    if (auto written = WritePayment(payment, with_trace ? &*trace++ : nullptr); !written) return written;
  }
  for (; trace != records.traces.end(); ++trace) {
    if (auto written = WriteTrace(*trace); !written) return written;
  }
  return {};
}

Status GatewaySqlite::WriteTrace(const TraceRecord& trace) {
  update_trace_.Bind(1, trace.id.bytes);
  update_trace_.Bind(2, sqlite::BytesOf(trace.bytes));
  return update_trace_.Run();
}

Result<bool> GatewaySqlite::UpdatePayment(const PaymentRecord& payment, const TraceRecord* trace) {
  Statement& update = update_payment_;
  update.Bind(1, payment.order.id.bytes);
  update.Bind(2, static_cast<std::int64_t>(payment.state));
  update.Bind(3, payment.reason_code);
  update.Bind(4, payment.message);
  update.Bind(5, Signed(payment.epoch));
  update.Bind(6, Micros(payment.updated_at));
  BindTrace(update, 7, trace);
  if (auto run = update.Run(); !run) return std::unexpected(std::move(run.error()));
  return database_.Changes() == 1;
}

Status GatewaySqlite::WritePayment(const PaymentRecord& payment, const TraceRecord* trace) {
  // A payment begins as kInitiated, so any other state is most likely there already and an update is the cheaper try.
  if (payment.state != PaymentState::kInitiated) {
    auto updated = UpdatePayment(payment, trace);
    if (!updated) return std::unexpected(std::move(updated.error()));
    if (*updated) return {};
  }
  Statement& insert = insert_payment_;
  const protocol::PaymentOrder& order = payment.order;
  insert.Bind(1, order.id.bytes);
  insert.Bind(2, order.payer);
  insert.Bind(3, order.from.bank_id);
  insert.Bind(4, order.from.account_id);
  insert.Bind(5, order.to.bank_id);
  insert.Bind(6, order.to.account_id);
  insert.Bind(7, order.amount.minor_units);
  insert.Bind(8, order.amount.currency.code());
  insert.Bind(9, order.memo);
  insert.Bind(10, static_cast<std::int64_t>(payment.state));
  insert.Bind(11, payment.reason_code);
  insert.Bind(12, payment.message);
  insert.Bind(13, Signed(payment.epoch));
  insert.Bind(14, Micros(payment.created_at));
  insert.Bind(15, Micros(payment.updated_at));
  BindTrace(insert, 16, trace);
  return insert.Run();
}

Status GatewaySqlite::WriteBank(const BankRecord& bank) {
  const std::string currencies = sqlite::JoinNames(bank.currencies);
  const std::string capabilities = sqlite::JoinNames(bank.capabilities);
  upsert_bank_.Bind(1, bank.bank_id);
  upsert_bank_.Bind(2, bank.display_name);
  upsert_bank_.Bind(3, bank.endpoint);
  upsert_bank_.Bind(4, currencies);
  upsert_bank_.Bind(5, capabilities);
  upsert_bank_.Bind(6, Micros(bank.registered_at));
  upsert_bank_.Bind(7, Signed(bank.ahead));
  return upsert_bank_.Run();
}

Status GatewaySqlite::WriteSession(const SessionRecord& session) {
  upsert_session_.Bind(1, session.session_id.bytes);
  upsert_session_.Bind(2, session.username);
  upsert_session_.Bind(3, session.certificate_thumbprint);
  upsert_session_.Bind(4, Micros(session.created_at));
  upsert_session_.Bind(5, Micros(session.expires_at));
  BindOptional(upsert_session_, 6, session.revoked_at);
  upsert_session_.Bind(7, session.credential);
  upsert_session_.Bind(8, session.generation);
  return upsert_session_.Run();
}

Status GatewaySqlite::WriteRefreshToken(const RefreshTokenRecord& token) {
  upsert_refresh_token_.Bind(1, token.token_hash);
  upsert_refresh_token_.Bind(2, token.session_id.bytes);
  upsert_refresh_token_.Bind(3, Micros(token.expires_at));
  BindOptional(upsert_refresh_token_, 4, token.used_at);
  upsert_refresh_token_.Bind(5, token.generation);
  return upsert_refresh_token_.Run();
}

Status GatewaySqlite::WriteLoginCounter(const LoginCounterRecord& counter) {
  upsert_login_counter_.Bind(1, static_cast<std::int64_t>(counter.key.scope));
  upsert_login_counter_.Bind(2, counter.key.subject);
  upsert_login_counter_.Bind(3, counter.failures);
  upsert_login_counter_.Bind(4, Micros(counter.counted_at));
  BindOptional(upsert_login_counter_, 5, counter.blocked_until);
  BindOptional(upsert_login_counter_, 6, counter.succeeded_at);
  upsert_login_counter_.Bind(7, Micros(counter.forget_at));
  return upsert_login_counter_.Run();
}

Status GatewaySqlite::WriteSuspension(const SuspensionRecord& suspension) {
  Statement& write = suspension.suspended ? upsert_suspension_ : delete_suspension_;
  write.Bind(1, static_cast<std::int64_t>(suspension.kind));
  write.Bind(2, suspension.name);
  if (!suspension.suspended) return write.Run();
  write.Bind(3, suspension.by);
  write.Bind(4, suspension.reason);
  write.Bind(5, Micros(suspension.at));
  return write.Run();
}

Status GatewaySqlite::Forget(Statement& forget, WallTime before) {
  forget.Bind(1, Micros(before));
  forget.Bind(2, limits::kMaxForgottenRows);
  return forget.Run();
}

}  // namespace

Result<std::unique_ptr<GatewayStore>> OpenGatewayStore(const std::filesystem::path& file) {
  return GatewaySqlite::Open(file);
}

}  // namespace strife
