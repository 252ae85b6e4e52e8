// What operators look at.
#include "gateway/admin.h"

#include <map>
#include <memory>
#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "gateway/validate.h"
#include "runtime/parked.h"

namespace strife::gateway {
namespace {

using Parked = runtime::Parked<protocol::ListOpenAnswer>;
using rpc::ApiResult;
using rpc::InvalidField;

rpc::ApiError ReadFailed() {
  return {.code = rpc::ApiCode::kInternal,
          .reason_code = "STORAGE",
          .message = "the gateway cannot read its store; its operator finds the reason in gateway.log"};
}

ApiResult<int> PageSize(int asked) {
  if (asked < 0 || asked > limits::kMaxHistoryPageRows) {
    return std::unexpected(InvalidField("page_size", "must be 0 to " + std::to_string(limits::kMaxHistoryPageRows)));
  }
  return asked == 0 ? limits::kDefaultHistoryPageRows : asked;
}

ApiResult<PaymentsQuery> Validate(const rpc::TransactionsRequest& request) {
  PaymentsQuery query;
  const auto size = PageSize(request.page_size);
  if (!size) return std::unexpected(size.error());
  query.limit = *size;
  query.state = request.state;
  query.since = request.since;
  query.until = request.until;
  if (!request.bank_id.empty()) {
    if (!IsIdentifier(request.bank_id, limits::kMaxBankIdBytes)) {
      return std::unexpected(InvalidField("bank_id", "is not a bank id"));
    }
    query.bank_id = request.bank_id;
  }
  if (!request.username.empty()) {
    if (!IsIdentifier(request.username, limits::kMaxUsernameBytes)) {
      return std::unexpected(InvalidField("username", "is not a user name"));
    }
    query.payer = request.username;
  }
  if (request.min_minor_units < 0 || request.max_minor_units < 0) {
    return std::unexpected(InvalidField("min_minor_units", "and max_minor_units must not be negative"));
  }
  if (request.min_minor_units > 0) query.min_minor_units = request.min_minor_units;
  if (request.max_minor_units > 0) query.max_minor_units = request.max_minor_units;
  if (!request.page_token.empty()) {
    auto after = ParsePageToken(request.page_token);
    if (!after) return std::unexpected(after.error());
    query.after = *after;
  }
  return query;
}

}  // namespace

void GatewayAdmin::AskOpen(std::size_t limit, WallTime created_before, rpc::Done<protocol::ListOpenAnswer> done) {
  auto shared_done = std::make_shared<rpc::Done<protocol::ListOpenAnswer>>(std::move(done));
  const protocol::ReplyTo reply_to =
      Parked::Park([shared_done](protocol::ListOpenAnswer answer) { (*shared_done)(std::move(answer)); });
  if (parts_.submit(protocol::CoordinatorInput(protocol::ListOpenInput{reply_to, limit, created_before}))) return;
  static_cast<void>(Parked::Take(reply_to));
  (*shared_done)(std::unexpected(rpc::Overloaded("the gateway")));
}

void GatewayAdmin::ListInDoubt(rpc::Caller, Duration min_age, std::size_t limit,
                               rpc::Done<protocol::ListOpenAnswer> done) {
  AskOpen(limit, parts_.clock.Read().wall - min_age, std::move(done));
}

void GatewayAdmin::ListBanks(rpc::Caller, rpc::Done<rpc::BanksOverview> done) {
  const WallTime now = parts_.clock.Read().wall;
  auto show = [this, now, done = std::move(done)](ApiResult<protocol::ListOpenAnswer> open) mutable {
    if (!open) return done(std::unexpected(std::move(open.error())));
    std::map<std::string, std::size_t> open_at;
    for (const auto& payment : open->payments) {
      for (const auto& bank : payment.banks) ++open_at[bank.bank_id];
    }
    rpc::BanksOverview overview;
    for (rpc::BankHealth& health : parts_.links.Health(now, parts_.patience)) {
      rpc::BankOverview& bank = overview.banks.emplace_back();
      bank.health = std::move(health);
      bank.open = open_at[bank.health.bank_id];
      bank.suspension = parts_.suspensions.Find(SuspendedKind::kBank, bank.health.bank_id);
    }
    overview.draining = parts_.service.drained();
    overview.suspended_users = parts_.suspensions.All(SuspendedKind::kUser);
    done(std::move(overview));
  };
  AskOpen(limits::kMaxOpenPayments, WallTime::max(), std::move(show));
}

void GatewayAdmin::ListTransactions(rpc::Caller, rpc::TransactionsRequest request,
                                    rpc::Done<rpc::TransactionsPage> done) {
  auto query = Validate(request);
  if (!query) return done(std::unexpected(query.error()));
  auto shared_done = std::make_shared<rpc::Done<rpc::TransactionsPage>>(std::move(done));
  const bool accepted = parts_.workers.Submit([this, query = *std::move(query), shared_done] {
    auto page = parts_.reader.Payments(query);
    if (!page) return (*shared_done)(std::unexpected(ReadFailed()));
    rpc::TransactionsPage out{std::move(page->payments), {}};
    if (page->next) out.next_page_token = PageToken(page->next->created_at, page->next->id);
    (*shared_done)(std::move(out));
  });
  if (!accepted) (*shared_done)(std::unexpected(rpc::Overloaded("the gateway")));
}

void GatewayAdmin::ListSessions(rpc::Caller, std::string username, int page_size, std::string page_token,
                                rpc::Done<rpc::SessionsPage> done) {
  const auto size = PageSize(page_size);
  if (!size) return done(std::unexpected(size.error()));
  SessionsQuery query;
  query.now = parts_.clock.Read().wall;
  query.limit = *size + 1;  // one more tells whether there is a next page
  if (!username.empty()) query.username = std::move(username);
  if (!page_token.empty()) {
    const auto after = ParsePageToken(page_token);
    if (!after) return done(std::unexpected(after.error()));
    query.after = SessionsQuery::Position{after->created_at, after->id};
  }
  auto shared_done = std::make_shared<rpc::Done<rpc::SessionsPage>>(std::move(done));
  const bool accepted = parts_.workers.Submit([this, query = std::move(query), size = *size, shared_done] {
    auto sessions = parts_.reader.Sessions(query);
    if (!sessions) return (*shared_done)(std::unexpected(ReadFailed()));
    rpc::SessionsPage page{*std::move(sessions), {}};
    if (page.sessions.size() > static_cast<std::size_t>(size)) {
      page.sessions.resize(static_cast<std::size_t>(size));
      page.next_page_token = PageToken(page.sessions.back().expires_at, page.sessions.back().session_id);
    }
    (*shared_done)(std::move(page));
  });
  if (!accepted) (*shared_done)(std::unexpected(rpc::Overloaded("the gateway")));
}

void GatewayAdmin::TracePayment(rpc::Caller, std::string transaction_id, rpc::Done<rpc::PaymentTrace> done) {
  const auto id = ValidateTransactionId(transaction_id);
  if (!id) return done(std::unexpected(id.error()));
  parts_.tracing.Trace(*id, std::nullopt, std::move(done));
}

}  // namespace strife::gateway
