#include "base/text.h"

#include <gtest/gtest.h>

namespace strife {
namespace {

TEST(IsPrintableUtf8, AcceptsTextOfAnyLanguage) {
  for (const char* good : {"", "rent May", "Zürich", "日本語", "🍰 cake"}) EXPECT_TRUE(IsPrintableUtf8(good)) << good;
}

TEST(IsPrintableUtf8, RefusesControlsForgeriesAndMalformedBytes) {
  for (const char* bad : {"a\nb", "\x1b[31m", "\x7f", "\xc2\x85", "\xe2\x80\xae", "\xe2\x80\xa8", "\xff", "\xc0\xaf",
                          "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    EXPECT_FALSE(IsPrintableUtf8(bad)) << bad;
  }
  EXPECT_FALSE(IsPrintableUtf8(std::string_view("a\0b", 3)));
}

TEST(IsIdentifier, IsNarrow) {
  EXPECT_TRUE(IsIdentifier("bank1", 32));
  EXPECT_TRUE(IsIdentifier("a.b_c-d", 32));
  for (const char* bad : {"", "-a", ".a", "a b", "a/b", "a:b", "ä"}) EXPECT_FALSE(IsIdentifier(bad, 32)) << bad;
  EXPECT_FALSE(IsIdentifier("abcd", 3));
}

TEST(Sanitize, ReplacesWhatCouldForgeALogLineAndCutsOnACharacterBoundary) {
  EXPECT_EQ(Sanitize("a\nb\x1b[0m", 64), "a?b?[0m");
  EXPECT_EQ(Sanitize("üü", 3), "ü");
}

}  // namespace
}  // namespace strife
