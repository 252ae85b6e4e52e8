#include "storage/memory/memory_gateway_store.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "audit/audit_of.h"
#include "base/assert.h"
#include "base/limits.h"
#include "protocol/defect.h"
#include "storage/memory/vector_cursor.h"

namespace strife {
namespace {

using protocol::PaymentRecord;

void Upsert(std::map<Uuid, PaymentRecord>& payments, const PaymentRecord& payment) {
  const auto [place, inserted] = payments.try_emplace(payment.order.id, payment);
  if (inserted) return;
  PaymentRecord& known = place->second;
  known.state = payment.state;
  known.reason_code = payment.reason_code;
  known.message = payment.message;
  known.epoch = payment.epoch;
  known.updated_at = payment.updated_at;
}

// Deletes the oldest rows whose `end`, a time of theirs, was before then.
template <typename Rows, typename Row>
void Forget(Rows& rows, WallTime Row::* end, WallTime before) {
  std::vector<std::pair<WallTime, typename Rows::key_type>> forgotten;
  for (const auto& [key, row] : rows) {
    if (row.*end < before) forgotten.emplace_back(row.*end, key);
  }
  std::ranges::sort(forgotten);
  forgotten.resize(std::min(forgotten.size(), static_cast<std::size_t>(limits::kMaxForgottenRows)));
  for (const auto& [at, key] : forgotten) rows.erase(key);
}

bool Matches(const PaymentRecord& payment, const HistoryQuery& query) {
  if (payment.order.payer != query.payer) return false;
  if (query.state && payment.state != *query.state) return false;
  if (query.since && payment.created_at < *query.since) return false;
  if (query.until && payment.created_at >= *query.until) return false;
  return !query.after ||
         std::tie(payment.created_at, payment.order.id) < std::tie(query.after->created_at, query.after->id);
}

bool Matches(const PaymentRecord& payment, const PaymentsQuery& query) {
  HistoryQuery rest;
  rest.payer = query.payer.value_or(payment.order.payer);
  rest.state = query.state;
  rest.since = query.since;
  rest.until = query.until;
  rest.after = query.after;
  const std::int64_t amount = payment.order.amount.minor_units;
  return Matches(payment, rest) &&
         (!query.bank_id || payment.order.from.bank_id == *query.bank_id ||
          payment.order.to.bank_id == *query.bank_id) &&
         amount >= query.min_minor_units.value_or(amount) && amount <= query.max_minor_units.value_or(amount);
}

bool IsSucceeded(const MemoryGatewayContents& contents, std::uint64_t epoch) {
  return contents.epoch != epoch && !Mutated(protocol::Defect::kSucceededGatewayWrites);
}

Error Succeeded() { return {ErrorCode::kFenced, "another gateway has taken over the memory disk: this one must stop"}; }

class MemoryGatewayStore final : public GatewayStore {
 public:
  explicit MemoryGatewayStore(std::shared_ptr<MemoryGatewayDisk> disk) : disk_(std::move(disk)) {}

  Result<GatewayIncarnation> OpenIncarnation(const Uuid& store_id_if_new) override {
    GatewayIncarnation incarnation;
    disk_->Access([&](MemoryGatewayContents& contents) {
      if (!contents.store_id) contents.store_id = store_id_if_new;
      ++contents.epoch;
      incarnation = {*contents.store_id, contents.epoch, contents.sequence};
    });
    epoch_ = incarnation.epoch;
    return incarnation;
  }

  Result<std::vector<PaymentRecord>> LoadOpenPayments() override {
    std::vector<PaymentRecord> open;
    disk_->Access([&](MemoryGatewayContents& contents) {
      for (const auto& [id, payment] : contents.payments) {
        if (!IsFinal(payment.state)) open.push_back(payment);
      }
    });
    return open;
  }

  Result<GatewayRows> Load(const GatewayKeys& keys) override {
    GatewayRows rows;
    bool succeeded = false;
    disk_->Access([&](MemoryGatewayContents& contents) {
      succeeded = epoch_ > 0 && IsSucceeded(contents, epoch_);
      if (!succeeded) Find(contents, keys, rows);
    });
    if (succeeded) return std::unexpected(Succeeded());
    return rows;
  }

  Status Commit(const GatewayRecords& records) override {
    STRIFE_ASSERT(epoch_ > 0);
    if (failed_) return std::unexpected(*failed_);
    Status written = disk_->Commit(epoch_, records);
    if (!written && written.error().code == ErrorCode::kStorage) failed_ = written.error();
    return written;
  }

 private:
  static void Find(const MemoryGatewayContents& contents, const GatewayKeys& keys, GatewayRows& rows) {
    for (const Uuid& id : keys.payments) {
      const auto found = contents.payments.find(id);
      if (found == contents.payments.end()) continue;
      rows.payments.insert(*found);
      if (const auto trace = contents.traces.find(id); trace != contents.traces.end()) rows.traces.insert(*trace);
    }
    const auto find_session = [&](const Uuid& id) {
      if (const auto found = contents.sessions.find(id); found != contents.sessions.end()) rows.sessions.insert(*found);
    };
    for (const Sha256& hash : keys.refresh_tokens) {
      const auto found = contents.refresh_tokens.find(hash);
      if (found == contents.refresh_tokens.end()) continue;
      rows.refresh_tokens.insert(*found);
      find_session(found->second.session_id);
    }
    std::ranges::for_each(keys.sessions, find_session);
    for (const LoginCounterKey& key : keys.login_counters) {
      const auto found = contents.login_counters.find(key);
      if (found != contents.login_counters.end()) rows.login_counters.insert(*found);
    }
  }

  std::shared_ptr<MemoryGatewayDisk> disk_;
  std::uint64_t epoch_ = 0;
  std::optional<Error> failed_;
};

class MemoryGatewayReader final : public GatewayReader {
 public:
  explicit MemoryGatewayReader(std::shared_ptr<MemoryGatewayDisk> disk) : disk_(std::move(disk)) {}

  Result<std::optional<PaymentRecord>> FindPayment(const Uuid& id) override {
    std::optional<PaymentRecord> payment;
    disk_->Access([&](MemoryGatewayContents& contents) {
      if (const auto found = contents.payments.find(id); found != contents.payments.end()) payment = found->second;
    });
    return payment;
  }

  Result<std::vector<PaymentRecord>> History(const HistoryQuery& query) override {
    std::vector<PaymentRecord> page = NewestFirst(query);
    page.resize(std::min(page.size(), static_cast<std::size_t>(std::max(query.limit, 0))));
    return page;
  }

  Result<PaymentsPage> Payments(const PaymentsQuery& query) override {
    PaymentsPage page{NewestFirst(query), std::nullopt};
    const auto limit = static_cast<std::size_t>(std::max(query.limit, 0));
    if (page.payments.size() <= limit) return page;
    page.payments.resize(limit);
    if (limit > 0) page.next = {page.payments.back().created_at, page.payments.back().order.id};
    return page;
  }

  Result<std::vector<SessionRecord>> Sessions(const SessionsQuery& query) override {
    const auto place = [](const SessionRecord& session) { return std::pair(session.expires_at, session.session_id); };
    std::vector<SessionRecord> page;
    disk_->Access([&](MemoryGatewayContents& contents) {
      for (const auto& [id, session] : contents.sessions) {
        if (session.revoked_at || session.expires_at <= query.now) continue;
        if (query.username && session.username != *query.username) continue;
        if (query.after && place(session) >= std::pair(query.after->expires_at, query.after->session_id)) continue;
        page.push_back(session);
      }
    });
    std::ranges::sort(page, std::ranges::greater(), place);
    page.resize(std::min(page.size(), static_cast<std::size_t>(std::max(query.limit, 0))));
    return page;
  }

  Result<std::vector<SuspensionRecord>> Suspensions() override {
    std::vector<SuspensionRecord> suspensions;
    disk_->Access([&](MemoryGatewayContents& contents) {
      for (const auto& [key, suspension] : contents.suspensions) suspensions.push_back(suspension);
    });
    return suspensions;
  }

  Result<std::vector<protocol::BankRecord>> Banks() override {
    std::vector<protocol::BankRecord> banks;
    disk_->Access([&](MemoryGatewayContents& contents) {
      for (const auto& [id, bank] : contents.banks) banks.push_back(bank);
    });
    return banks;
  }

  Result<std::vector<Uuid>> SessionsRevokedSince(WallTime since) override {
    std::vector<std::pair<WallTime, Uuid>> revoked;
    disk_->Access([&](MemoryGatewayContents& contents) {
      for (const auto& [id, session] : contents.sessions) {
        if (session.revoked_at && *session.revoked_at >= since) revoked.emplace_back(*session.revoked_at, id);
      }
    });
    std::ranges::sort(revoked);
    std::vector<Uuid> ids;
    ids.reserve(revoked.size());
    for (const auto& [at, id] : revoked) ids.push_back(id);
    return ids;
  }

  Result<std::uint64_t> CountPayments() override {
    std::uint64_t count = 0;
    disk_->Access([&](MemoryGatewayContents& contents) { count = contents.payments.size(); });
    return count;
  }

  Result<std::unique_ptr<Cursor<PaymentRecord>>> ScanPayments() override {
    std::vector<PaymentRecord> payments;
    disk_->Access([&](MemoryGatewayContents& contents) {
      for (const auto& [id, payment] : contents.payments) payments.push_back(payment);
    });
    return std::make_unique<VectorCursor<PaymentRecord>>(std::move(payments));
  }

  Result<std::unique_ptr<AuditSnapshot>> Audit() override {
    MemoryAuditLog log;
    disk_->Access([&](MemoryGatewayContents& contents) { log = contents.audit; });
    return std::make_unique<MemoryAuditSnapshot>(std::move(log));
  }

 private:
  template <typename Query>
  std::vector<PaymentRecord> NewestFirst(const Query& query) {
    std::vector<PaymentRecord> found;
    disk_->Access([&](MemoryGatewayContents& contents) {
      for (const auto& [id, payment] : contents.payments) {
        if (Matches(payment, query)) found.push_back(payment);
      }
    });
    std::ranges::sort(found, [](const PaymentRecord& a, const PaymentRecord& b) {
      return std::tie(a.created_at, a.order.id) > std::tie(b.created_at, b.order.id);
    });
    return found;
  }

  std::shared_ptr<MemoryGatewayDisk> disk_;
};

}  // namespace

void MemoryGatewayDisk::FailCommit(std::uint64_t nth, CommitFault fault) {
  const std::scoped_lock lock(mutex_);
  fault_.Set(nth, fault);
}

void MemoryGatewayDisk::Access(const std::function<void(MemoryGatewayContents&)>& use) {
  const std::scoped_lock lock(mutex_);
  use(contents_);
}

Status MemoryGatewayDisk::Commit(std::uint64_t epoch, const GatewayRecords& records) {
  const std::scoped_lock lock(mutex_);
  const bool fails = fault_.Due();
  if (fails && fault_.fault() == CommitFault::kBeforeEffect) {
    return Fail(ErrorCode::kStorage, "the memory disk failed before the commit, as planned: restart");
  }
  if (IsSucceeded(contents_, epoch)) return std::unexpected(Succeeded());
  for (const PaymentRecord& payment : records.payments) {
    if (payment.order.amount.minor_units < 0) {
      return Fail(ErrorCode::kInternal, "payment " + payment.order.id.ToString() + " is negative: this is a bug");
    }
  }
  for (const PaymentRecord& payment : records.payments) Upsert(contents_.payments, payment);
  for (const protocol::TraceRecord& trace : records.traces) {
    if (contents_.payments.contains(trace.id)) contents_.traces[trace.id] = trace.bytes;
  }
  for (const protocol::BankRecord& bank : records.banks) contents_.banks[bank.bank_id] = bank;
  for (const SessionRecord& session : records.sessions) contents_.sessions[session.session_id] = session;
  for (const RefreshTokenRecord& token : records.refresh_tokens) contents_.refresh_tokens[token.token_hash] = token;
  for (const LoginCounterRecord& counter : records.login_counters) contents_.login_counters[counter.key] = counter;
  for (const SuspensionRecord& suspension : records.suspensions) {
    if (suspension.suspended) {
      contents_.suspensions[{suspension.kind, suspension.name}] = suspension;
    } else {
      contents_.suspensions.erase({suspension.kind, suspension.name});
    }
  }
  if (records.forget_before) {
    Forget(contents_.login_counters, &LoginCounterRecord::forget_at, *records.forget_before);
  }
  if (records.forget_sessions_before) {
    Forget(contents_.refresh_tokens, &RefreshTokenRecord::expires_at, *records.forget_sessions_before);
    Forget(contents_.sessions, &SessionRecord::expires_at, *records.forget_sessions_before);
  }
  contents_.sequence = records.sequence;
  const auto append = [this](protocol::AuditRecord record) -> Status {
    contents_.audit.Append(std::move(record));
    return {};
  };
  static_cast<void>(audit::ForEachAudit(records, append));
  if (fails) return Fail(ErrorCode::kStorage, "the memory disk failed after the commit, as planned: restart");
  return {};
}

std::unique_ptr<GatewayStore> OpenMemoryGatewayStore(std::shared_ptr<MemoryGatewayDisk> disk) {
  return std::make_unique<MemoryGatewayStore>(std::move(disk));
}

std::unique_ptr<GatewayReader> OpenMemoryGatewayReader(std::shared_ptr<MemoryGatewayDisk> disk) {
  return std::make_unique<MemoryGatewayReader>(std::move(disk));
}

}  // namespace strife
