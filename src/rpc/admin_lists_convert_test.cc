#include <gtest/gtest.h>

#include "rpc/admin_convert.h"

namespace strife::rpc {
namespace {

WallTime At(int seconds) { return WallTime(std::chrono::seconds(seconds)); }

Uuid Id(std::uint8_t n) {
  Uuid id;
  id.bytes[15] = n;
  return id;
}

TEST(AdminListsConvert, Banks_GoRound_WhatIsAbsentStaysAbsent) {
  const SuspensionRecord suspension{SuspendedKind::kBank, "bank1", true, "olga", "review", At(9)};
  BanksOverview overview;
  overview.banks.push_back({{"bank1", "host:1", true, At(5), Duration(1'234'567), 3}, 7, suspension});
  overview.banks.push_back({{"bank2", "host:2", false, std::nullopt, {}, 0}, 0, std::nullopt});
  overview.draining = true;
  overview.suspended_users = {{SuspendedKind::kUser, "alice", true, "otto", "", At(8)}};
  v1::ListBanksResponse message;
  ToProto(overview, message);
  const auto read = FromProto(message);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->banks.size(), 2u);
  EXPECT_EQ(read->banks[0].health.bank_id, "bank1");
  EXPECT_TRUE(read->banks[0].health.up);
  EXPECT_EQ(read->banks[0].health.last_heartbeat, At(5));
  EXPECT_EQ(read->banks[0].health.latency, Duration(1'234'567));
  EXPECT_EQ(read->banks[0].health.queued, 3u);
  EXPECT_EQ(read->banks[0].open, 7u);
  EXPECT_EQ(read->banks[0].suspension, suspension);
  EXPECT_EQ(read->banks[1].health.last_heartbeat, std::nullopt);
  EXPECT_EQ(read->banks[1].suspension, std::nullopt);
  EXPECT_TRUE(read->draining);
  EXPECT_EQ(read->suspended_users, overview.suspended_users);
}

TEST(AdminListsConvert, TransactionsRequest_GoesRound_AndNonsenseIsRefused) {
  TransactionsRequest request;
  request.state = protocol::PaymentState::kAborted;
  request.bank_id = "bank1";
  request.username = "alice";
  request.since = At(1);
  request.min_minor_units = 5;
  request.page_size = 10;
  request.page_token = "token";
  v1::ListTransactionsRequest message;
  ToProto(request, message);
  const auto read = FromProto(message);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->state, request.state);
  EXPECT_EQ(read->bank_id, "bank1");
  EXPECT_EQ(read->username, "alice");
  EXPECT_EQ(read->since, At(1));
  EXPECT_EQ(read->until, std::nullopt);
  EXPECT_EQ(read->min_minor_units, 5);
  EXPECT_EQ(read->page_size, 10);
  EXPECT_EQ(read->page_token, "token");
  message.set_state(static_cast<v1::PaymentState>(77));
  EXPECT_FALSE(FromProto(message));
  message.set_state(v1::PAYMENT_STATE_UNSPECIFIED);
  EXPECT_TRUE(FromProto(message));
  message.mutable_until()->set_nanos(-1);
  EXPECT_FALSE(FromProto(message));
}

TEST(AdminListsConvert, TransactionsAndSessions_GoRoundWithTheirUsers) {
  TransactionsPage page;
  protocol::PaymentRecord payment;
  payment.order = {Id(2), "alice", {"bank1", "a"}, {"bank2", "b"}, {5, *Currency::Parse("USD")}, "rent"};
  payment.state = protocol::PaymentState::kCompleted;
  page.payments = {payment};
  page.next_page_token = "next";
  v1::ListTransactionsResponse transactions;
  ToProto(page, transactions);
  const auto read = FromProto(transactions);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->payments, page.payments);
  EXPECT_EQ(read->next_page_token, "next");

  SessionRecord session;
  session.session_id = Id(3);
  session.username = "bob";
  session.certificate_thumbprint.fill(0xab);
  session.created_at = At(1);
  session.expires_at = At(2);
  v1::ListSessionsResponse sessions;
  ToProto(SessionsPage{{session}, ""}, sessions);
  const auto again = FromProto(sessions);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->sessions, std::vector{session});
  sessions.mutable_sessions(0)->set_certificate_sha256("xyz");
  EXPECT_FALSE(FromProto(sessions));
}

TEST(AdminListsConvert, SuspensionOfNothing_IsRefused) {
  v1::Suspension message;
  message.set_name("alice");
  EXPECT_FALSE(FromProto(message));
  message.set_kind(static_cast<v1::Suspension::Kind>(9));
  EXPECT_FALSE(FromProto(message));
  message.set_kind(v1::Suspension::KIND_USER);
  EXPECT_TRUE(FromProto(message));
}

}  // namespace
}  // namespace strife::rpc
