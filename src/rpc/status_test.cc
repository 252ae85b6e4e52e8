#include "rpc/status.h"

#include <gtest/gtest.h>

#include "protocol/test_support.h"
#include "rpc/convert.h"

namespace strife::rpc {
namespace {

TEST(Status, Error_BecomesItsDetail) {
  const ApiError error{.code = ApiCode::kInvalidArgument,
                       .reason_code = "INVALID_ARGUMENT",
                       .message = "memo is too long",
                       .retryable = true,
                       .field = "memo"};
  const auto detail = ErrorDetailOf(SerializedStatus(error));
  ASSERT_TRUE(detail);
  EXPECT_EQ(detail->reason_code(), "INVALID_ARGUMENT");
  EXPECT_EQ(detail->message(), "memo is too long");
  EXPECT_TRUE(detail->retryable());
  EXPECT_EQ(detail->field(), "memo");
  EXPECT_FALSE(detail->has_prior());
}

TEST(Status, DetailsBytes_AreAGoogleRpcStatusThatAgreesWithTheCall) {
  v1::RpcStatus details;
  ASSERT_TRUE(details.ParseFromString(SerializedStatus({.code = ApiCode::kUnavailable, .message = "draining"})));
  EXPECT_EQ(details.code(), static_cast<int>(ApiCode::kUnavailable));
  EXPECT_EQ(details.message(), "draining");
  ASSERT_EQ(details.details_size(), 1);
  EXPECT_EQ(details.details(0).type_url(), "type.googleapis.com/strife.v1.ErrorDetail");
}

TEST(Status, DuplicatePayment_BringsThePriorOutcomeAlong) {
  protocol::PaymentRecord prior;
  prior.order = protocol::testing::Order(protocol::testing::Id(1));
  prior.order.payer = "";
  prior.state = protocol::PaymentState::kAborted;
  prior.reason_code = "AM04";
  prior.message = "no money";
  const auto detail = ErrorDetailOf(SerializedStatus({.code = ApiCode::kAlreadyExists, .prior = prior}));
  ASSERT_TRUE(detail);
  EXPECT_EQ(FromProto(detail->prior()), prior);
}

TEST(Status, StatusOfAnotherMake_HasNoDetail) {
  EXPECT_FALSE(ErrorDetailOf(""));
  EXPECT_FALSE(ErrorDetailOf("\xff\xff garbage"));
  v1::RpcStatus other;
  other.add_details()->PackFrom(v1::Money());
  EXPECT_FALSE(ErrorDetailOf(other.SerializeAsString()));
}

}  // namespace
}  // namespace strife::rpc
