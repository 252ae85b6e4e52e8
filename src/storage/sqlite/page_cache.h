// A page cache for SQLite that stands on another, usually SQLite's own, and spares it walking through all its pages.
//
// At the end of each write transaction SQLite tells its cache to forget pages beyond the end of the file. Its own cache
// walks through everything it holds for that whenever a page has had a number beyond the end, if only for a moment: and
// so it is, in files below 1 GiB, whenever a tree has been balanced (balance_nonroot renumbers pages by way of the
// locking page's number). With a cache of 16,000 pages this was a twentieth of a busy bank's engine, and more the
// smaller the transactions.
#pragma once

#include <sqlite3.h>

namespace strife::sqlite {

// For sqlite3_config(SQLITE_CONFIG_PCACHE2); `under` is what it stands on, copied. There is one for the process: a
// second call replaces what caches of the first would use, so make it before there are any.
sqlite3_pcache_methods2 SparingPageCache(const sqlite3_pcache_methods2& under);

}  // namespace strife::sqlite
