// What the sparing page cache must not spare: pages beyond the end go, and everything else stays.
#include "storage/sqlite/page_cache.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <map>

namespace strife::sqlite {
namespace {

// A cache that keeps numbers only and counts how often it is told to forget some.
struct Numbers {
  std::map<unsigned, sqlite3_pcache_page> pages;
  int truncations = 0;
};
Numbers* numbers = nullptr;

sqlite3_pcache_methods2 Counting() {
  sqlite3_pcache_methods2 methods{};
  methods.xCreate = [](int, int, int) { return reinterpret_cast<sqlite3_pcache*>(numbers); };
  methods.xFetch = [](sqlite3_pcache*, unsigned key, int) { return &numbers->pages[key]; };
  methods.xRekey = [](sqlite3_pcache*, sqlite3_pcache_page*, unsigned before, unsigned now) {
    auto node = numbers->pages.extract(before);
    node.key() = now;
    numbers->pages.erase(now);
    numbers->pages.insert(std::move(node));
  };
  methods.xTruncate = [](sqlite3_pcache*, unsigned limit) {
    ++numbers->truncations;
    numbers->pages.erase(numbers->pages.lower_bound(limit), numbers->pages.end());
  };
  methods.xDestroy = [](sqlite3_pcache*) {};
  return methods;
}

class SparingPageCacheTest : public ::testing::Test {
 public:
  SparingPageCacheTest() : methods_(Use()), cache_(methods_.xCreate(4096, 0, 1)) {}
  ~SparingPageCacheTest() override { methods_.xDestroy(cache_); }

 protected:
  sqlite3_pcache_methods2 Use() {
    numbers = &under_;
    return SparingPageCache(Counting());
  }
  void Fetch(unsigned key) { methods_.xFetch(cache_, key, 1); }
  void Renumber(unsigned before, unsigned now) { methods_.xRekey(cache_, nullptr, before, now); }
  int Truncate(unsigned limit) {
    const int before = under_.truncations;
    methods_.xTruncate(cache_, limit);
    return under_.truncations - before;
  }

  Numbers under_;
  sqlite3_pcache_methods2 methods_;
  sqlite3_pcache* cache_;
};

TEST_F(SparingPageCacheTest, NothingBeyondTheEndIsNotLookedFor) {
  for (unsigned key = 1; key <= 10; ++key) Fetch(key);
  EXPECT_EQ(Truncate(11), 0);
  EXPECT_EQ(under_.pages.size(), 10u);
}

TEST_F(SparingPageCacheTest, APageThatWasElsewhereForAMomentIsNotLookedFor) {
  for (unsigned key = 1; key <= 10; ++key) Fetch(key);
  Renumber(9, 262145);  // as SQLite swaps the numbers of two pages
  Renumber(10, 9);
  Renumber(262145, 10);
  EXPECT_EQ(Truncate(11), 0);
}

TEST_F(SparingPageCacheTest, WhatIsBeyondTheEndGoes) {
  for (unsigned key = 1; key <= 10; ++key) Fetch(key);
  EXPECT_EQ(Truncate(8), 1);
  EXPECT_EQ(under_.pages.rbegin()->first, 7u);
  EXPECT_EQ(Truncate(8), 0);
}

TEST_F(SparingPageCacheTest, APageThatStaysElsewhereGoes) {
  for (unsigned key = 1; key <= 10; ++key) Fetch(key);
  Renumber(10, 20);
  Renumber(9, 30);
  EXPECT_EQ(Truncate(25), 1);
  EXPECT_EQ(under_.pages.rbegin()->first, 20u);
  EXPECT_EQ(Truncate(11), 1);
  EXPECT_EQ(under_.pages.rbegin()->first, 8u);
}

TEST_F(SparingPageCacheTest, AfterAPageHasComeBackAnotherStillGoes) {
  for (unsigned key = 1; key <= 10; ++key) Fetch(key);
  Renumber(10, 20);
  Renumber(9, 30);
  Renumber(30, 9);
  EXPECT_EQ(Truncate(11), 1);
  EXPECT_EQ(under_.pages.rbegin()->first, 9u);
}

}  // namespace
}  // namespace strife::sqlite
