#include "storage/sqlite/wal_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <mutex>
#include <new>

#include "base/assert.h"

namespace strife::sqlite {
namespace {

constexpr char kName[] = "strife-wal";
// Some 30 pages. SQLite's unix file system keeps 17 bits of a size: what is larger would be cut without a word.
constexpr std::size_t kGatheredBytes = 124 << 10;
static_assert(kGatheredBytes <= 0x1ffff);
constexpr sqlite3_int64 kLongestStepBytes = 1 << 20;
constexpr std::array<char, kGatheredBytes> kZeros = {};

std::atomic<sqlite3_vfs*> real_vfs = nullptr;

// Bytes that belong at `offset` and have not been written yet.
struct Gathered {
  sqlite3_int64 offset = 0;
  std::size_t size = 0;
  std::array<char, kGatheredBytes> bytes;
};

// Lies in the memory SQLite gives each file; the real file system's own follows it.
struct WalFile {
  sqlite3_file base;
  Gathered* gathered;
  sqlite3_int64 end;  // of the file as this connection has found and made it; if it is shorter, no zeros are written

  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  const sqlite3_io_methods& methods() { return *real()->pMethods; }
};

WalFile& Of(sqlite3_file* file) { return *reinterpret_cast<WalFile*>(file); }

// Writes as many zeros after `offset` as there are bytes before it, up to the longest step. A disk without room for
// them may have room for what is to follow.
int Grow(WalFile& file, sqlite3_int64 offset) {
  const sqlite3_int64 end = offset + std::min(offset, kLongestStepBytes);
  file.end = offset;
  while (file.end < end) {
    const auto size = std::min<sqlite3_int64>(end - file.end, kZeros.size());
    const int code = file.methods().xWrite(file.real(), kZeros.data(), static_cast<int>(size), file.end);
    if (code != SQLITE_OK) return (code & 0xff) == SQLITE_FULL ? SQLITE_OK : code;
    file.end += size;
  }
  return SQLITE_OK;
}

int WriteOut(WalFile& file) {
  Gathered& gathered = *file.gathered;
  if (gathered.size == 0) return SQLITE_OK;
  const int size = static_cast<int>(gathered.size);
  gathered.size = 0;  // also after a failure: SQLite takes the transaction back
  const int code = file.methods().xWrite(file.real(), gathered.bytes.data(), size, gathered.offset);
  if (code != SQLITE_OK || gathered.offset + size <= file.end) return code;
  return Grow(file, gathered.offset + size);
}

int Write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  WalFile& self = Of(file);
  Gathered& gathered = *self.gathered;
  const auto bytes = static_cast<std::size_t>(size);
  const bool follows = offset == gathered.offset + static_cast<sqlite3_int64>(gathered.size);
  if (!follows || gathered.size + bytes > kGatheredBytes) {
    if (const int code = WriteOut(self); code != SQLITE_OK) return code;
    if (bytes > kGatheredBytes) return self.methods().xWrite(self.real(), data, size, offset);
    gathered.offset = offset;
  }
  std::memcpy(gathered.bytes.data() + gathered.size, data, bytes);
  gathered.size += bytes;
  return SQLITE_OK;
}

// Everything else sees a file that is written.
template <auto kMethod, typename... Arguments>
int AfterWriting(sqlite3_file* file, Arguments... arguments) {
  WalFile& self = Of(file);
  if (const int code = WriteOut(self); code != SQLITE_OK) return code;
  return (self.methods().*kMethod)(self.real(), arguments...);
}

int Close(sqlite3_file* file) {
  WalFile& self = Of(file);
  const int written = WriteOut(self);
  const int closed = self.methods().xClose(self.real());
  delete self.gathered;
  self.base.pMethods = nullptr;
  return written != SQLITE_OK ? written : closed;
}

int SectorSize(sqlite3_file* file) { return Of(file).methods().xSectorSize(Of(file).real()); }
int DeviceCharacteristics(sqlite3_file* file) { return Of(file).methods().xDeviceCharacteristics(Of(file).real()); }

// Version 1: shared memory and memory-mapped pages belong to the database's own file.
constexpr sqlite3_io_methods kMethods = {.iVersion = 1,
                                         .xClose = Close,
                                         .xRead = AfterWriting<&sqlite3_io_methods::xRead>,
                                         .xWrite = Write,
                                         .xTruncate = AfterWriting<&sqlite3_io_methods::xTruncate>,
                                         .xSync = AfterWriting<&sqlite3_io_methods::xSync>,
                                         .xFileSize = AfterWriting<&sqlite3_io_methods::xFileSize>,
                                         .xLock = AfterWriting<&sqlite3_io_methods::xLock>,
                                         .xUnlock = AfterWriting<&sqlite3_io_methods::xUnlock>,
                                         .xCheckReservedLock = AfterWriting<&sqlite3_io_methods::xCheckReservedLock>,
                                         .xFileControl = AfterWriting<&sqlite3_io_methods::xFileControl>,
                                         .xSectorSize = SectorSize,
                                         .xDeviceCharacteristics = DeviceCharacteristics,
                                         .xShmMap = nullptr,
                                         .xShmLock = nullptr,
                                         .xShmBarrier = nullptr,
                                         .xShmUnmap = nullptr,
                                         .xFetch = nullptr,
                                         .xUnfetch = nullptr};

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  sqlite3_vfs* const real = real_vfs;
  if ((flags & SQLITE_OPEN_WAL) == 0) return real->xOpen(real, name, file, flags, out_flags);
  WalFile& self = Of(file);
  file->pMethods = nullptr;
  auto* gathered = new (std::nothrow) Gathered;
  if (gathered == nullptr) return SQLITE_NOMEM;
  int code = real->xOpen(real, name, self.real(), flags, out_flags);
  if (code == SQLITE_OK) code = self.methods().xFileSize(self.real(), &self.end);
  if (code != SQLITE_OK) {
    if (self.real()->pMethods != nullptr) self.methods().xClose(self.real());
    delete gathered;
    return code;
  }
  self.gathered = gathered;
  file->pMethods = &kMethods;
  return SQLITE_OK;
}

}  // namespace

const char* WalVfs() {
  static std::mutex mutex;
  static sqlite3_vfs vfs;
  const std::scoped_lock lock(mutex);
  sqlite3_vfs* const found = sqlite3_vfs_find(nullptr);
  STRIFE_ASSERT(found != nullptr);
  if (found == real_vfs) return kName;
  if (real_vfs != nullptr) sqlite3_vfs_unregister(&vfs);
  real_vfs = found;
  vfs = *found;  // what is not named below needs no file and goes to the real one
  vfs.szOsFile = static_cast<int>(sizeof(WalFile)) + found->szOsFile;
  vfs.zName = kName;
  vfs.pNext = nullptr;
  vfs.xOpen = Open;
  STRIFE_ASSERT(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
  return kName;
}

}  // namespace strife::sqlite
