// What only the memory stores offer: failing on demand.
#include "storage/store_test_support.h"

namespace strife {
namespace {

GatewayRecords BatchOf(std::uint32_t number) {
  GatewayRecords records;
  records.payments = {PaymentOf(number)};
  records.sequence = number;
  return records;
}

TEST(MemoryGatewayStore, FailBeforeEffect_NothingIsThereAfterTheCrash) {
  MemoryMaker maker;
  auto store = maker.Gateway();
  ASSERT_TRUE(store->OpenIncarnation(IdOf(1)));
  maker.gateway_disk->FailCommit(2, CommitFault::kBeforeEffect);
  EXPECT_TRUE(store->Commit(BatchOf(1)));
  EXPECT_EQ(store->Commit(BatchOf(2)).error().code, ErrorCode::kStorage);
  EXPECT_EQ(store->Commit(BatchOf(3)).error().code, ErrorCode::kStorage) << "nothing is written after a failure";
  store = maker.Gateway();
  EXPECT_EQ(store->OpenIncarnation(IdOf(1)).value().sequence, 1u);
  EXPECT_EQ(Drain(maker.GatewayReading()->ScanPayments()).size(), 1u);
}

TEST(MemoryGatewayStore, FailAfterEffect_EverythingIsThereAfterTheCrash) {
  MemoryMaker maker;
  auto store = maker.Gateway();
  ASSERT_TRUE(store->OpenIncarnation(IdOf(1)));
  maker.gateway_disk->FailCommit(1, CommitFault::kAfterEffect);
  EXPECT_EQ(store->Commit(BatchOf(1)).error().code, ErrorCode::kStorage);
  store = maker.Gateway();
  EXPECT_EQ(store->OpenIncarnation(IdOf(1)).value().sequence, 1u);
  EXPECT_TRUE(store->Commit(BatchOf(2)));
}

TEST(MemoryBankStore, FailBeforeAndAfterEffect) {
  for (const CommitFault fault : {CommitFault::kBeforeEffect, CommitFault::kAfterEffect}) {
    MemoryMaker maker;
    auto store = maker.Bank();
    ASSERT_TRUE(store->Open("bank1"));
    maker.bank_disk->FailCommit(1, fault);
    EXPECT_EQ(store->Commit({{TransactionOf(1)}, {}, {}, {}}).error().code, ErrorCode::kStorage);
    store = maker.Bank();
    EXPECT_EQ(store->LoadPrepared().value().size(), fault == CommitFault::kAfterEffect ? 1u : 0u);
  }
}

}  // namespace
}  // namespace strife
