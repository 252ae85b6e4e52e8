// What operators do to the gateway.
#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "gateway/admin.h"
#include "runtime/parked.h"

namespace strife::gateway {
namespace {

using rpc::ApiCode;
using ParkedDone = runtime::Parked<bool>;

constexpr int kMaxSessionsEnded = 1000;  // by one call; more of them take another one
using rpc::ApiError;
using rpc::InvalidField;

std::string NameOf(const rpc::Caller& caller) { return caller.certificate->identity.name; }

protocol::AuditOrigin OriginOf(const rpc::Caller& caller) {
  return {"operator/" + NameOf(caller), caller.peer_address};
}

ApiError NotFound(std::string message) {
  return {.code = ApiCode::kNotFound, .reason_code = "NOT_FOUND", .message = std::move(message)};
}

// The sessions of a user, or one, on their way to their end; the last answer is the call's.
struct Ending {
  Ending(std::size_t count, rpc::Done<std::size_t> done_in) : left(count), done(std::move(done_in)) {}

  void One(bool answered, bool found) {
    if (!answered) lost = true;
    if (answered && found) ++ended;
    if (left.fetch_sub(1) > 1) return;
    if (lost) return done(std::unexpected(rpc::Overloaded("the gateway")));
    if (ended == 0) return done(std::unexpected(NotFound("there is no such session; see strife admin sessions")));
    done(ended.load());
  }

  std::atomic<std::size_t> left;
  std::atomic<std::size_t> ended = 0;
  std::atomic<bool> lost = false;
  rpc::Done<std::size_t> done;
};

}  // namespace

template <typename Make>
void GatewayAdmin::WhenDurable(Make make, std::move_only_function<void(bool)> then) {
  const protocol::ReplyTo reply_to = ParkedDone::Park(std::move(then));
  if (parts_.submit(GatewayInput(make(reply_to)))) return;
  ParkedDone::Take(reply_to)(false);
}

void GatewayAdmin::EndSessions(rpc::Caller caller, std::string session_id, std::string username,
                               rpc::Done<std::size_t> done) {
  if (session_id.empty() == username.empty()) {
    return done(std::unexpected(InvalidField("session_id", "or username must be set, and not both")));
  }
  const auto end = [this, origin = OriginOf(caller)](const std::vector<Uuid>& ids, rpc::Done<std::size_t> answer) {
    auto ending = std::make_shared<Ending>(ids.size(), std::move(answer));
    for (const Uuid& id : ids) {
      parts_.logins.End(id, origin, [ending](const std::optional<security::SessionOutcome>& outcome) {
        ending->One(outcome.has_value(), outcome && outcome->result == security::SessionResult::kOk);
      });
    }
  };
  if (!session_id.empty()) {
    const auto id = Uuid::Parse(session_id);
    if (!id) return done(std::unexpected(InvalidField("session_id", "must be a UUID")));
    return end({*id}, std::move(done));
  }
  auto shared_done = std::make_shared<rpc::Done<std::size_t>>(std::move(done));
  SessionsQuery query;
  query.now = parts_.clock.Read().wall;
  query.username = username;
  query.limit = kMaxSessionsEnded;
  const bool accepted = parts_.workers.Submit([this, query, end, shared_done] {
    auto sessions = parts_.reader.Sessions(query);
    if (!sessions) {
      return (*shared_done)(std::unexpected(ApiError{
          .code = ApiCode::kInternal, .reason_code = "STORAGE", .message = "the gateway cannot read its store"}));
    }
    if (sessions->empty()) return (*shared_done)(std::unexpected(NotFound(*query.username + " has no session")));
    std::vector<Uuid> ids;
    for (const SessionRecord& session : *sessions) ids.push_back(session.session_id);
    end(ids, std::move(*shared_done));
  });
  if (!accepted) (*shared_done)(std::unexpected(rpc::Overloaded("the gateway")));
}

void GatewayAdmin::SetSuspension(rpc::Caller caller, SuspensionRecord record, rpc::Done<SuspensionRecord> done) {
  const bool bank = record.kind == SuspendedKind::kBank;
  if (!IsIdentifier(record.name, bank ? limits::kMaxBankIdBytes : limits::kMaxUsernameBytes)) {
    return done(std::unexpected(InvalidField("suspension.name", bank ? "is not a bank id" : "is not a user name")));
  }
  if (record.reason.size() > limits::kMaxSuspensionReasonBytes || !IsPrintableUtf8(record.reason)) {
    return done(std::unexpected(InvalidField(
        "suspension.reason", "must be text of at most " + std::to_string(limits::kMaxSuspensionReasonBytes) +
                                 " bytes without control characters")));
  }
  const WallTime now = parts_.clock.Read().wall;
  const auto banks = parts_.links.Health(now, parts_.patience);
  const auto found = std::ranges::find(banks, record.name, &rpc::BankHealth::bank_id);
  const bool known = bank ? found != banks.end() : parts_.logins.Knows(record.name);
  if (record.suspended && !known) {
    return done(std::unexpected(NotFound("there is no " + std::string(bank ? "bank " : "user ") + record.name)));
  }
  const bool ahead = bank && known && found->ahead;
  if (!record.suspended && !ahead && !parts_.suspensions.Has(record.kind, record.name)) {
    return done(std::unexpected(NotFound(record.name + " is not suspended")));
  }
  record.by = NameOf(caller);
  record.at = now;
  WhenDurable([&](protocol::ReplyTo reply_to) { return SuspensionInput{reply_to, record}; },
              [record, done = std::move(done)](bool durable) mutable {
                if (!durable) return done(std::unexpected(rpc::Overloaded("the gateway")));
                done(std::move(record));
              });
}

void GatewayAdmin::SetDraining(rpc::Caller caller, bool draining, rpc::Done<rpc::DrainState> done) {
  protocol::AuditRecord record;
  record.event = draining ? protocol::AuditEvent::kDrainStarted : protocol::AuditEvent::kDrainEnded;
  record.at = parts_.clock.Read().wall;
  const protocol::AuditOrigin origin = OriginOf(caller);
  record.actor = origin.actor;
  record.peer = origin.peer;
  WhenDurable([&](protocol::ReplyTo reply_to) { return protocol::AuditInput{reply_to, std::move(record)}; },
              [this, draining, done = std::move(done)](bool durable) mutable {
                if (!durable) return done(std::unexpected(rpc::Overloaded("the gateway")));
                parts_.service.SetDrained(draining);
                done(rpc::DrainState{draining, parts_.service.open_payments()});
              });
}

}  // namespace strife::gateway
