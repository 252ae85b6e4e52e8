// What operators list at the gateway.
#include <utility>

#include "rpc/admin_convert.h"
#include "rpc/convert.h"
#include "security/encoding.h"

namespace strife::rpc {
namespace {

static_assert(static_cast<int>(SuspendedKind::kBank) == v1::Suspension::KIND_BANK);
static_assert(static_cast<int>(SuspendedKind::kUser) == v1::Suspension::KIND_USER);

// Absent is absent; what is there must be a time.
bool ReadTime(bool present, const google::protobuf::Timestamp& in, std::optional<WallTime>& out) {
  if (!present) return true;
  out = FromProto(in);
  return out.has_value();
}

std::optional<Sha256> ReadDigest(const std::string& hex) {
  Sha256 digest{};
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < hex.size(); ++i) {
    const char c = hex[i];
    const int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (value < 0) return std::nullopt;
    digest[i / 2] = static_cast<std::uint8_t>(digest[i / 2] << 4 | value);
  }
  return digest;
}

std::optional<BankOverview> FromProto(const v1::ListBanksResponse::Bank& in) {
  BankOverview out;
  out.health.bank_id = in.bank_id();
  out.health.endpoint = in.endpoint();
  out.health.up = in.up();
  if (!ReadTime(in.has_last_heartbeat(), in.last_heartbeat(), out.health.last_heartbeat)) return std::nullopt;
  if (in.latency().seconds() < 0 || in.latency().seconds() > 1'000'000) return std::nullopt;
  out.health.latency = std::chrono::seconds(in.latency().seconds()) + Duration(in.latency().nanos() / 1000);
  out.health.queued = in.queued();
  out.open = in.open();
  out.health.ahead = in.ahead();
  if (in.has_suspension()) {
    out.suspension = rpc::FromProto(in.suspension());
    if (!out.suspension) return std::nullopt;
  }
  return out;
}

}  // namespace

void ToProto(const SuspensionRecord& record, v1::Suspension& out) {
  out.set_kind(static_cast<v1::Suspension::Kind>(record.kind));
  out.set_name(record.name);
  out.set_by(record.by);
  out.set_reason(record.reason);
  ToProto(record.at, *out.mutable_at());
}

void ToProto(const BanksOverview& overview, v1::ListBanksResponse& out) {
  for (const BankOverview& bank : overview.banks) {
    v1::ListBanksResponse::Bank& one = *out.add_banks();
    one.set_bank_id(bank.health.bank_id);
    one.set_endpoint(bank.health.endpoint);
    one.set_up(bank.health.up);
    if (bank.health.last_heartbeat) ToProto(*bank.health.last_heartbeat, *one.mutable_last_heartbeat());
    one.mutable_latency()->set_seconds(bank.health.latency.count() / 1'000'000);
    one.mutable_latency()->set_nanos(static_cast<std::int32_t>(bank.health.latency.count() % 1'000'000 * 1000));
    one.set_queued(bank.health.queued);
    one.set_open(bank.open);
    one.set_ahead(bank.health.ahead);
    if (bank.suspension) ToProto(*bank.suspension, *one.mutable_suspension());
  }
  out.set_draining(overview.draining);
  for (const SuspensionRecord& user : overview.suspended_users) ToProto(user, *out.add_suspended_users());
}

void ToProto(const TransactionsRequest& request, v1::ListTransactionsRequest& out) {
  if (request.state) out.set_state(ToProto(*request.state));
  out.set_bank_id(request.bank_id);
  out.set_username(request.username);
  if (request.since) ToProto(*request.since, *out.mutable_since());
  if (request.until) ToProto(*request.until, *out.mutable_until());
  out.set_min_minor_units(request.min_minor_units);
  out.set_max_minor_units(request.max_minor_units);
  out.set_page_size(request.page_size);
  out.set_page_token(request.page_token);
}

void ToProto(const TransactionsPage& page, v1::ListTransactionsResponse& out) {
  for (const protocol::PaymentRecord& payment : page.payments) {
    v1::ListTransactionsResponse::Transaction& one = *out.add_transactions();
    ToProto(payment, *one.mutable_payment());
    one.set_username(payment.order.payer);
  }
  out.set_next_page_token(page.next_page_token);
}

void ToProto(const SessionsPage& page, v1::ListSessionsResponse& out) {
  for (const SessionRecord& session : page.sessions) {
    v1::ListSessionsResponse::Session& one = *out.add_sessions();
    one.set_session_id(session.session_id.ToString());
    one.set_username(session.username);
    one.set_certificate_sha256(security::HexEncode(session.certificate_thumbprint));
    ToProto(session.created_at, *one.mutable_created_at());
    ToProto(session.expires_at, *one.mutable_expires_at());
  }
  out.set_next_page_token(page.next_page_token);
}

std::optional<SuspensionRecord> FromProto(const v1::Suspension& in) {
  if (in.kind() != v1::Suspension::KIND_BANK && in.kind() != v1::Suspension::KIND_USER) return std::nullopt;
  std::optional<WallTime> at;
  if (!ReadTime(in.has_at(), in.at(), at)) return std::nullopt;
  return SuspensionRecord{
      static_cast<SuspendedKind>(in.kind()), in.name(), true, in.by(), in.reason(), at.value_or(WallTime())};
}

std::optional<BanksOverview> FromProto(const v1::ListBanksResponse& in) {
  BanksOverview out;
  for (const auto& bank : in.banks()) {
    auto read = FromProto(bank);
    if (!read) return std::nullopt;
    out.banks.push_back(*std::move(read));
  }
  out.draining = in.draining();
  for (const v1::Suspension& user : in.suspended_users()) {
    auto read = FromProto(user);
    if (!read) return std::nullopt;
    out.suspended_users.push_back(*std::move(read));
  }
  return out;
}

std::optional<TransactionsRequest> FromProto(const v1::ListTransactionsRequest& in) {
  TransactionsRequest out;
  if (in.state() != v1::PAYMENT_STATE_UNSPECIFIED) {
    out.state = FromProto(in.state());
    if (!out.state) return std::nullopt;
  }
  if (!ReadTime(in.has_since(), in.since(), out.since) || !ReadTime(in.has_until(), in.until(), out.until)) {
    return std::nullopt;
  }
  out.bank_id = in.bank_id();
  out.username = in.username();
  out.min_minor_units = in.min_minor_units();
  out.max_minor_units = in.max_minor_units();
  out.page_size = in.page_size();
  out.page_token = in.page_token();
  return out;
}

std::optional<TransactionsPage> FromProto(const v1::ListTransactionsResponse& in) {
  TransactionsPage out;
  for (const auto& one : in.transactions()) {
    auto payment = FromProto(one.payment());
    if (!payment) return std::nullopt;
    payment->order.payer = one.username();
    out.payments.push_back(*std::move(payment));
  }
  out.next_page_token = in.next_page_token();
  return out;
}

std::optional<SessionsPage> FromProto(const v1::ListSessionsResponse& in) {
  SessionsPage out;
  for (const auto& one : in.sessions()) {
    const auto id = Uuid::Parse(one.session_id());
    const auto digest = ReadDigest(one.certificate_sha256());
    const auto created_at = FromProto(one.created_at()), expires_at = FromProto(one.expires_at());
    if (!id || !digest || !created_at || !expires_at) return std::nullopt;
    SessionRecord& session = out.sessions.emplace_back();
    session.session_id = *id;
    session.username = one.username();
    session.certificate_thumbprint = *digest;
    session.created_at = *created_at;
    session.expires_at = *expires_at;
  }
  out.next_page_token = in.next_page_token();
  return out;
}

}  // namespace strife::rpc
