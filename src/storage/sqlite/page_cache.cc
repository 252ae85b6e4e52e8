#include "storage/sqlite/page_cache.h"

#include <algorithm>
#include <new>

namespace strife::sqlite {
namespace {

sqlite3_pcache_methods2 g_under{};

// What SQLite knows as a cache. It calls for one cache from one thread at a time.
struct Cache {
  sqlite3_pcache* under;
  unsigned largest = 0;  // no page has a greater number, but for:
  unsigned outlier = 0;  // a page renumbered beyond that, most likely for a moment; 0: none
};

Cache& Of(sqlite3_pcache* cache) { return *reinterpret_cast<Cache*>(cache); }

int Init(void* /*argument*/) { return g_under.xInit == nullptr ? SQLITE_OK : g_under.xInit(g_under.pArg); }
void Shutdown(void* /*argument*/) {
  if (g_under.xShutdown != nullptr) g_under.xShutdown(g_under.pArg);
}

sqlite3_pcache* Create(int page_bytes, int extra_bytes, int purgeable) {
  auto* cache = new (std::nothrow) Cache{.under = g_under.xCreate(page_bytes, extra_bytes, purgeable)};
  if (cache != nullptr && cache->under == nullptr) {
    delete cache;
    cache = nullptr;
  }
  return reinterpret_cast<sqlite3_pcache*>(cache);
}

void SetSize(sqlite3_pcache* cache, int pages) { g_under.xCachesize(Of(cache).under, pages); }
int Count(sqlite3_pcache* cache) { return g_under.xPagecount(Of(cache).under); }

sqlite3_pcache_page* Fetch(sqlite3_pcache* cache, unsigned key, int create) {
  if (create != 0) Of(cache).largest = std::max(Of(cache).largest, key);
  return g_under.xFetch(Of(cache).under, key, create);
}

void Unpin(sqlite3_pcache* cache, sqlite3_pcache_page* page, int discard) {
  g_under.xUnpin(Of(cache).under, page, discard);
}

void Renumber(sqlite3_pcache* cache, sqlite3_pcache_page* page, unsigned before, unsigned now) {
  Cache& own = Of(cache);
  if (before == own.outlier) own.outlier = 0;
  if (now > own.largest) {
    own.largest = std::max(own.largest, own.outlier);  // a second one: both count
    own.outlier = now;
  }
  g_under.xRekey(own.under, page, before, now);
}

void Truncate(sqlite3_pcache* cache, unsigned limit) {
  Cache& own = Of(cache);
  if (own.largest < limit && own.outlier < limit) return;
  g_under.xTruncate(own.under, limit);
  own.largest = std::min(own.largest, limit == 0 ? 0 : limit - 1);
  if (own.outlier >= limit) own.outlier = 0;
}

void Destroy(sqlite3_pcache* cache) {
  g_under.xDestroy(Of(cache).under);
  delete &Of(cache);
}

void Shrink(sqlite3_pcache* cache) { g_under.xShrink(Of(cache).under); }

}  // namespace

sqlite3_pcache_methods2 SparingPageCache(const sqlite3_pcache_methods2& under) {
  g_under = under;
  return {.iVersion = 1,
          .pArg = nullptr,
          .xInit = Init,
          .xShutdown = Shutdown,
          .xCreate = Create,
          .xCachesize = SetSize,
          .xPagecount = Count,
          .xFetch = Fetch,
          .xUnpin = Unpin,
          .xRekey = Renumber,
          .xTruncate = Truncate,
          .xDestroy = Destroy,
          .xShrink = Shrink};
}

}  // namespace strife::sqlite
