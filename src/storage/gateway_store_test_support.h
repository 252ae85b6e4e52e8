// A gateway's store under test, for every implementation of env/gateway_store.h.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/store_test_support.h"

namespace strife {

template <typename Maker>
class GatewayStoreTest : public ::testing::Test {
 protected:
  GatewayStoreTest() { Reopen(); }

  // As after a crash or restart: only what was committed is there.
  GatewayIncarnation Reopen() {
    store_.reset();
    store_ = maker_.Gateway();
    const GatewayIncarnation incarnation = store_->OpenIncarnation(IdOf(42)).value();
    sequence_ = incarnation.sequence;
    return incarnation;
  }
  Status Commit(GatewayRecords records) {
    records.sequence = ++sequence_;
    return store_->Commit(records);
  }
  void CommitPayments(std::vector<protocol::PaymentRecord> payments) {
    const Status done = Commit({.payments = std::move(payments), .banks = {}, .sessions = {}, .refresh_tokens = {}});
    ASSERT_TRUE(done) << done.error().message;
  }
  protocol::PaymentRecord InState(std::uint32_t number, protocol::PaymentState state, std::string payer = "alice") {
    protocol::PaymentRecord payment = PaymentOf(number, std::move(payer));
    payment.state = state;
    return payment;
  }
  std::vector<Uuid> History(const HistoryQuery& query) {
    std::vector<Uuid> ids;
    const auto page = maker_.GatewayReading()->History(query).value();
    for (const protocol::PaymentRecord& payment : page) ids.push_back(payment.order.id);
    return ids;
  }
  SessionRecord SessionOf(std::uint32_t number) {
    SessionRecord session;
    session.session_id = IdOf(number);
    session.username = "alice";
    session.certificate_thumbprint.fill(static_cast<std::uint8_t>(number));
    session.created_at = At(1);
    session.expires_at = At(900);
    session.credential.fill(7);
    return session;
  }
  RefreshTokenRecord TokenOf(std::uint32_t number, std::uint32_t session) {
    RefreshTokenRecord token;
    token.token_hash.fill(static_cast<std::uint8_t>(number));
    token.session_id = IdOf(session);
    token.expires_at = At(800);
    return token;
  }

  Maker maker_;
  std::unique_ptr<GatewayStore> store_;
  std::uint64_t sequence_ = 0;
};

}  // namespace strife
