#include "base/uuid.h"

#include <gtest/gtest.h>

namespace strife {
namespace {

TEST(Uuid, TextRoundTripIsCanonical) {
  const auto id = Uuid::Parse("0190163D-8694-739b-AEA5-966c26f8ad91");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->ToString(), "0190163d-8694-739b-aea5-966c26f8ad91");
}

TEST(Uuid, RefusesEverythingThatIsNotTheCanonicalForm) {
  for (const char* bad : {"", "0190163d8694739baea5966c26f8ad91", "0190163d-8694-739b-aea5-966c26f8ad9",
                          "0190163d-8694-739b-aea5-966c26f8ad911", "0190163g-8694-739b-aea5-966c26f8ad91",
                          "0190163d08694-739b-aea5-966c26f8ad91", "00000000-0000-0000-0000-000000000000",
                          "{190163d-8694-739b-aea5-966c26f8ad9}"}) {
    EXPECT_FALSE(Uuid::Parse(bad)) << bad;
  }
}

TEST(Uuid, VersionSevenSortsByTimeAndCarriesVersionAndVariant) {
  const std::array<std::uint8_t, 10> high{255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
  const Uuid early = Uuid::MakeV7(1'700'000'000'000, high);
  const Uuid late = Uuid::MakeV7(1'700'000'000'001, {});
  EXPECT_LT(early, late);
  EXPECT_EQ(early.ToString().substr(0, 15), "018bcfe5-6800-7");
  EXPECT_EQ(late.bytes[8] & 0xc0, 0x80);
}

TEST(Uuid, ComparesAsItsBytesDo) {
  const Uuid zero;
  for (std::size_t first = 0; first < 16; ++first) {
    Uuid one;
    one.bytes[first] = 1;
    EXPECT_NE(zero, one) << "byte " << first;
    EXPECT_LT(zero, one) << "byte " << first;
    for (std::size_t second = 0; second < 16; ++second) {
      Uuid other;
      other.bytes[second] = 0x80;
      EXPECT_EQ(one <=> other, one.bytes <=> other.bytes) << "bytes " << first << " and " << second;
    }
  }
}

}  // namespace
}  // namespace strife
