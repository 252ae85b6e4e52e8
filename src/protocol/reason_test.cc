#include "protocol/reason.h"

#include <gtest/gtest.h>

namespace strife::protocol::reason {
namespace {

TEST(Reason, KnownCodesAreOneSentenceAndUnknownOnesNothing) {
  for (const std::string_view code : All()) {
    const std::string_view text = Describe(code);
    ASSERT_FALSE(text.empty()) << code;
    EXPECT_EQ(text.find('.'), text.size() - 1) << text;
  }
  EXPECT_EQ(Describe("XX99"), "");
}

}  // namespace
}  // namespace strife::protocol::reason
