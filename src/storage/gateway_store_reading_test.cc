// Every promise of env/gateway_store.h about lists and readers, on every implementation.
#include <atomic>
#include <thread>

#include "storage/gateway_store_test_support.h"

namespace strife {
namespace {

using protocol::PaymentRecord;
using protocol::PaymentState;
using ::testing::ElementsAre;

template <typename Maker>
class GatewayStoreReading : public GatewayStoreTest<Maker> {};
TYPED_TEST_SUITE(GatewayStoreReading, Makers);

TYPED_TEST(GatewayStoreReading, History_Pages_AreNewestFirstWithoutGapsOrRepeats) {
  std::vector<PaymentRecord> payments;
  for (std::uint32_t i = 1; i <= 10; ++i) {
    payments.push_back(PaymentOf(i));
    payments.back().created_at = At(1000 + i / 3);  // several at the same moment
    payments.push_back(PaymentOf(100 + i, "bob"));
  }
  this->CommitPayments(payments);
  std::vector<Uuid> seen;
  HistoryQuery query{.payer = "alice", .state = {}, .since = {}, .until = {}, .after = {}, .limit = 3};
  for (;;) {
    const auto page = this->maker_.GatewayReading()->History(query).value();
    for (const PaymentRecord& payment : page) seen.push_back(payment.order.id);
    if (page.size() < 3) break;
    query.after = HistoryQuery::Position{page.back().created_at, page.back().order.id};
  }
  std::vector<Uuid> expected;
  for (std::uint32_t i = 10; i >= 1; --i) expected.push_back(IdOf(i));
  EXPECT_EQ(seen, expected);
}

TYPED_TEST(GatewayStoreReading, History_SinceIsInclusiveUntilIsExclusive) {
  this->CommitPayments({PaymentOf(1), PaymentOf(2), PaymentOf(3), PaymentOf(4)});
  HistoryQuery query{.payer = "alice", .state = {}, .since = At(1002), .until = At(1004), .after = {}};
  EXPECT_EQ(this->History(query), (std::vector{IdOf(3), IdOf(2)}));
  query.after = HistoryQuery::Position{At(1003), IdOf(3)};
  EXPECT_EQ(this->History(query), std::vector{IdOf(2)});
  query.after = HistoryQuery::Position{At(1004), IdOf(4)};  // outside: `until` still holds
  EXPECT_EQ(this->History(query), (std::vector{IdOf(3), IdOf(2)}));
  query.limit = 0;
  EXPECT_TRUE(this->History(query).empty());
}

TYPED_TEST(GatewayStoreReading, History_EachStateFilter_FindsThatStateOnly) {
  std::vector<PaymentRecord> payments;
  for (std::uint32_t i = 0; i < 10; ++i) payments.push_back(this->InState(i + 1, static_cast<PaymentState>(i % 5 + 1)));
  this->CommitPayments(payments);
  for (std::uint32_t state = 1; state <= 5; ++state) {
    const HistoryQuery query{
        .payer = "alice", .state = static_cast<PaymentState>(state), .since = {}, .until = {}, .after = {}};
    EXPECT_EQ(this->History(query), (std::vector{IdOf(state + 5), IdOf(state)})) << state;
  }
}

TYPED_TEST(GatewayStoreReading, History_AfterAStateChange_FollowsIt) {
  this->CommitPayments({PaymentOf(1)});
  this->CommitPayments({this->InState(1, PaymentState::kAborted)});
  HistoryQuery query{.payer = "alice", .state = PaymentState::kInitiated, .since = {}, .until = {}, .after = {}};
  EXPECT_TRUE(this->History(query).empty());
  query.state = PaymentState::kAborted;
  EXPECT_EQ(this->History(query), std::vector{IdOf(1)});
}

TYPED_TEST(GatewayStoreReading, SessionsRevokedSince_FindsThoseRevokedThenOrLater) {
  std::vector<SessionRecord> sessions;
  for (std::uint32_t i = 1; i <= 4; ++i) sessions.push_back(this->SessionOf(i));
  sessions[0].revoked_at = At(10);
  sessions[1].revoked_at = At(20);
  sessions[2].revoked_at = At(30);
  ASSERT_TRUE(this->Commit({{}, {}, sessions, {}}));
  EXPECT_EQ(this->maker_.GatewayReading()->SessionsRevokedSince(At(20)).value(), (std::vector{IdOf(2), IdOf(3)}));
}

TYPED_TEST(GatewayStoreReading, ScanPayments_IsInIdOrderAndASnapshot) {
  this->CommitPayments({PaymentOf(3), PaymentOf(1)});
  auto reader = this->maker_.GatewayReading();
  auto cursor = reader->ScanPayments();
  this->CommitPayments({PaymentOf(2), this->InState(3, PaymentState::kAborted)});
  EXPECT_EQ(Drain(std::move(cursor)), (std::vector{PaymentOf(1), PaymentOf(3)}));
  EXPECT_EQ(Drain(reader->ScanPayments()).size(), 3u);
  EXPECT_EQ(reader->CountPayments().value(), 3u);
}

TYPED_TEST(GatewayStoreReading, ScanPayments_CursorOutlivesItsReader) {
  this->CommitPayments({PaymentOf(1), PaymentOf(2)});
  auto cursor = this->maker_.GatewayReading()->ScanPayments();
  EXPECT_EQ(Drain(std::move(cursor)).size(), 2u);
}

TYPED_TEST(GatewayStoreReading, Reader_UsedByManyThreads_SeesWhatWasCommittedBefore) {
  auto reader = this->maker_.GatewayReading();
  std::vector<std::thread> threads;
  std::atomic<std::uint32_t> committed = 0;
  std::atomic<int> missing = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (std::uint32_t known = 0; known < 100;) {
        known = committed;
        if (known == 0) continue;
        const auto found = reader->FindPayment(IdOf(known));
        if (!found || !*found) ++missing;
      }
    });
  }
  for (std::uint32_t i = 1; i <= 100; ++i) {
    this->CommitPayments({PaymentOf(i)});
    committed = i;
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(missing, 0);
}

TYPED_TEST(GatewayStoreReading, Payments_OfEverybody_AreNewestFirstInPagesWithoutGaps) {
  for (std::uint32_t i = 1; i <= 10; ++i) this->CommitPayments({PaymentOf(i, i % 2 == 0 ? "alice" : "bob")});
  std::vector<Uuid> seen, expected;
  PaymentsQuery query;
  query.limit = 3;
  for (std::optional<HistoryQuery::Position> next;; query.after = next) {
    const PaymentsPage page = this->maker_.GatewayReading()->Payments(query).value();
    for (const PaymentRecord& payment : page.payments) seen.push_back(payment.order.id);
    EXPECT_LE(page.payments.size(), 3u);
    next = page.next;
    if (!next) break;
  }
  for (std::uint32_t i = 10; i >= 1; --i) expected.push_back(IdOf(i));
  EXPECT_EQ(seen, expected);
}

TYPED_TEST(GatewayStoreReading, Payments_EachFilter_LeavesWhatItSays) {
  PaymentRecord other = this->InState(3, PaymentState::kAborted, "bob");
  other.order.from.bank_id = "bank3";
  other.order.amount.minor_units = 5;
  this->CommitPayments({PaymentOf(1), PaymentOf(2, "bob"), other, this->InState(4, PaymentState::kCompleted)});
  const auto found = [&](auto set) {
    PaymentsQuery query;
    set(query);
    std::vector<Uuid> ids;
    const PaymentsPage page = this->maker_.GatewayReading()->Payments(query).value();
    for (const PaymentRecord& payment : page.payments) ids.push_back(payment.order.id);
    return ids;
  };
  using Query = PaymentsQuery;
  EXPECT_THAT(found([](Query& query) { query.payer = "bob"; }), ElementsAre(IdOf(3), IdOf(2)));
  EXPECT_THAT(found([](Query& query) { query.bank_id = "bank3"; }), ElementsAre(IdOf(3)));
  EXPECT_THAT(found([](Query& query) { query.bank_id = "bank2"; }), ElementsAre(IdOf(4), IdOf(3), IdOf(2), IdOf(1)));
  EXPECT_THAT(found([](Query& query) { query.state = PaymentState::kInitiated; }), ElementsAre(IdOf(2), IdOf(1)));
  EXPECT_THAT(found([](Query& query) { query.state = PaymentState::kCompleted; }), ElementsAre(IdOf(4)));
  EXPECT_THAT(found([](Query& query) {
                query.state = PaymentState::kInitiated;
                query.after = HistoryQuery::Position{At(1002), IdOf(2)};
              }),
              ElementsAre(IdOf(1)));
  EXPECT_THAT(found([](Query& query) {
                query.since = At(1002);
                query.until = At(1004);
              }),
              ElementsAre(IdOf(3), IdOf(2)));
  EXPECT_THAT(found([](Query& query) { query.min_minor_units = 6; }), ElementsAre(IdOf(4), IdOf(2), IdOf(1)));
  EXPECT_THAT(found([](Query& query) { query.max_minor_units = 5; }), ElementsAre(IdOf(3)));
}

TYPED_TEST(GatewayStoreReading, Sessions_LiveOnes_AreListedByUserAndAltogether) {
  std::vector<SessionRecord> sessions;
  for (std::uint32_t i = 1; i <= 6; ++i) {
    sessions.push_back(this->SessionOf(i));
    sessions.back().expires_at = At(100 + i);
    sessions.back().username = i % 2 == 0 ? "alice" : "bob";
  }
  sessions[2].revoked_at = At(5);
  ASSERT_TRUE(this->Commit({{}, {}, sessions, {}}));
  const auto found = [&](int now, auto set) {
    SessionsQuery query;
    query.now = At(now);
    set(query);
    std::vector<Uuid> ids;
    const auto page = this->maker_.GatewayReading()->Sessions(query).value();
    for (const SessionRecord& session : page) ids.push_back(session.session_id);
    return ids;
  };
  using Query = SessionsQuery;
  EXPECT_THAT(found(101, [](Query&) {}), ElementsAre(IdOf(6), IdOf(5), IdOf(4), IdOf(2)));
  EXPECT_THAT(found(0, [](Query& query) { query.username = "bob"; }), ElementsAre(IdOf(5), IdOf(1)));
  EXPECT_THAT(found(0, [](Query& query) { query.limit = 2; }), ElementsAre(IdOf(6), IdOf(5)));
  EXPECT_THAT(found(0, [](Query& query) { query.after = SessionsQuery::Position{At(105), IdOf(5)}; }),
              ElementsAre(IdOf(4), IdOf(2), IdOf(1)));
}

}  // namespace
}  // namespace strife
