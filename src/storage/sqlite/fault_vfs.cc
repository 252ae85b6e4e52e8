#include "storage/sqlite/fault_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace strife::sqlite {
namespace {

using Kind = FileFault::Kind;

// What has been written to a held file and not been synced: offset -> bytes, never overlapping.
class Unsynced {
 public:
  void Write(std::int64_t offset, const char* data, std::int64_t size) {
    const std::scoped_lock lock(mutex_);
    Cut(offset, offset + size);
    pieces_[offset].assign(data, data + size);
  }

  void Truncate(std::int64_t size) {
    const std::scoped_lock lock(mutex_);
    Cut(size, std::max(size, EndLocked()));
  }

  // Lays the pieces over `data`, which holds what the file has from `offset` on.
  void Overlay(std::int64_t offset, char* data, std::int64_t size) {
    const std::scoped_lock lock(mutex_);
    for (const auto& [start, bytes] : pieces_) {
      const std::int64_t from = std::max(start, offset);
      const std::int64_t to = std::min(start + static_cast<std::int64_t>(bytes.size()), offset + size);
      if (from < to) std::memcpy(data + (from - offset), bytes.data() + (from - start), Size(to - from));
    }
  }

  std::int64_t End() {
    const std::scoped_lock lock(mutex_);
    return EndLocked();
  }

  // Hands every piece to write(offset, data, size) and forgets it; stops at the first code that is not SQLITE_OK.
  int Flush(const std::function<int(std::int64_t, const std::vector<char>&)>& write) {
    const std::scoped_lock lock(mutex_);
    for (auto at = pieces_.begin(); at != pieces_.end(); at = pieces_.erase(at)) {
      if (const int code = write(at->first, at->second); code != SQLITE_OK) return code;
    }
    return SQLITE_OK;
  }

 private:
  static std::size_t Size(std::int64_t size) { return static_cast<std::size_t>(size); }

  std::int64_t EndLocked() const {
    if (pieces_.empty()) return 0;
    const auto& [start, bytes] = *pieces_.rbegin();
    return start + static_cast<std::int64_t>(bytes.size());
  }

  // Removes [from, to) from the pieces.
  void Cut(std::int64_t from, std::int64_t to) {
    auto at = pieces_.lower_bound(from);
    if (at != pieces_.begin()) --at;  // may reach into the range
    while (at != pieces_.end() && at->first < to) {
      const std::int64_t start = at->first;
      const std::int64_t end = start + static_cast<std::int64_t>(at->second.size());
      if (end <= from) {
        ++at;
        continue;
      }
      const std::vector<char> bytes = std::move(at->second);
      at = pieces_.erase(at);
      if (start < from) pieces_.emplace(start, std::vector<char>(bytes.begin(), bytes.begin() + (from - start)));
      if (end > to) pieces_.emplace(to, std::vector<char>(bytes.begin() + (to - start), bytes.end()));
    }
  }

  std::mutex mutex_;
  std::map<std::int64_t, std::vector<char>> pieces_;
};

struct State {
  sqlite3_vfs* real = nullptr;
  sqlite3_vfs vfs{};
  sqlite3_io_methods methods{};
  std::mutex mutex;
  std::shared_ptr<const FaultDecider> decider;
  // All connections of the process see what one of them has written.
  std::map<std::string, std::weak_ptr<Unsynced>, std::less<>> held;
};

State& TheState() {
  static auto* state = new State;  // files may be closed after main has ended
  return *state;
}

// Lies in the memory SQLite gives each file; the real VFS's own follows it.
struct FaultFile {
  sqlite3_file base;
  std::string* path;
  std::shared_ptr<Unsynced>* unsynced;  // null unless the file is held

  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

FaultFile* Of(sqlite3_file* file) { return reinterpret_cast<FaultFile*>(file); }

std::shared_ptr<const FaultDecider> Decider() {
  State& state = TheState();
  const std::scoped_lock lock(state.mutex);
  return state.decider;
}

Kind Ask(FileOperation operation, std::string_view path) {
  const auto decider = Decider();
  if (!decider->fault) return Kind::kNone;
  const FileFault fault = decider->fault(operation, path);
  if (fault.delay > Duration{}) std::this_thread::sleep_for(fault.delay);
  return fault.kind;
}

int CodeOf(Kind kind, int io_error) { return kind == Kind::kDiskFull ? SQLITE_FULL : io_error; }

// ---- One file

int Flush(FaultFile& file) {
  return (*file.unsynced)->Flush([&file](std::int64_t offset, const std::vector<char>& bytes) {
    return file.real()->pMethods->xWrite(file.real(), bytes.data(), static_cast<int>(bytes.size()), offset);
  });
}

int Close(sqlite3_file* file) {
  FaultFile* self = Of(file);
  // Closing loses nothing, unless the disk is gone by then; only the end of the process does.
  if (self->unsynced != nullptr && self->unsynced->use_count() == 1 &&
      Ask(FileOperation::kWrite, *self->path) == Kind::kNone) {
    static_cast<void>(Flush(*self));
  }
  const int code = self->real()->pMethods->xClose(self->real());
  delete self->unsynced;
  delete self->path;
  self->base.pMethods = nullptr;
  return code;
}

int Read(sqlite3_file* file, void* data, int size, sqlite3_int64 offset) {
  FaultFile* self = Of(file);
  if (const Kind kind = Ask(FileOperation::kRead, *self->path); kind != Kind::kNone) return SQLITE_IOERR_READ;
  const int code = self->real()->pMethods->xRead(self->real(), data, size, offset);
  if (self->unsynced == nullptr || (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ)) return code;
  (*self->unsynced)->Overlay(offset, static_cast<char*>(data), size);
  return (*self->unsynced)->End() >= offset + size ? SQLITE_OK : code;
}

int Write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  FaultFile* self = Of(file);
  const auto write = [&](int bytes) {
    if (self->unsynced == nullptr) return self->real()->pMethods->xWrite(self->real(), data, bytes, offset);
    (*self->unsynced)->Write(offset, static_cast<const char*>(data), bytes);
    return SQLITE_OK;
  };
  const Kind kind = Ask(FileOperation::kWrite, *self->path);
  if (kind == Kind::kNone) return write(size);
  if (kind == Kind::kShortWrite) static_cast<void>(write(size / 2));
  return CodeOf(kind, SQLITE_IOERR_WRITE);
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  FaultFile* self = Of(file);
  if (const Kind kind = Ask(FileOperation::kTruncate, *self->path); kind != Kind::kNone) {
    return CodeOf(kind, SQLITE_IOERR_TRUNCATE);
  }
  if (self->unsynced != nullptr) (*self->unsynced)->Truncate(size);
  return self->real()->pMethods->xTruncate(self->real(), size);
}

int Sync(sqlite3_file* file, int flags) {
  FaultFile* self = Of(file);
  if (const Kind kind = Ask(FileOperation::kSync, *self->path); kind != Kind::kNone) {
    return CodeOf(kind, SQLITE_IOERR_FSYNC);
  }
  if (self->unsynced != nullptr) {
    if (const int code = Flush(*self); code != SQLITE_OK) return code;
  }
  return self->real()->pMethods->xSync(self->real(), flags);
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  FaultFile* self = Of(file);
  const int code = self->real()->pMethods->xFileSize(self->real(), size);
  if (code == SQLITE_OK && self->unsynced != nullptr) {
    *size = std::max<sqlite3_int64>(*size, (*self->unsynced)->End());
  }
  return code;
}

int Lock(sqlite3_file* file, int level) { return Of(file)->real()->pMethods->xLock(Of(file)->real(), level); }
int Unlock(sqlite3_file* file, int level) { return Of(file)->real()->pMethods->xUnlock(Of(file)->real(), level); }
int CheckReservedLock(sqlite3_file* file, int* result) {
  return Of(file)->real()->pMethods->xCheckReservedLock(Of(file)->real(), result);
}
int FileControl(sqlite3_file* file, int operation, void* argument) {
  return Of(file)->real()->pMethods->xFileControl(Of(file)->real(), operation, argument);
}
int SectorSize(sqlite3_file* file) { return Of(file)->real()->pMethods->xSectorSize(Of(file)->real()); }
int DeviceCharacteristics(sqlite3_file* file) {
  return Of(file)->real()->pMethods->xDeviceCharacteristics(Of(file)->real());
}
int ShmMap(sqlite3_file* file, int page, int page_size, int extend, void volatile** memory) {
  return Of(file)->real()->pMethods->xShmMap(Of(file)->real(), page, page_size, extend, memory);
}
int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
  return Of(file)->real()->pMethods->xShmLock(Of(file)->real(), offset, count, flags);
}
void ShmBarrier(sqlite3_file* file) { Of(file)->real()->pMethods->xShmBarrier(Of(file)->real()); }
int ShmUnmap(sqlite3_file* file, int remove) { return Of(file)->real()->pMethods->xShmUnmap(Of(file)->real(), remove); }

// Version 2: with shared memory, without memory-mapped pages, which would pass by xRead.
sqlite3_io_methods Methods() {
  return {.iVersion = 2,
          .xClose = Close,
          .xRead = Read,
          .xWrite = Write,
          .xTruncate = Truncate,
          .xSync = Sync,
          .xFileSize = FileSize,
          .xLock = Lock,
          .xUnlock = Unlock,
          .xCheckReservedLock = CheckReservedLock,
          .xFileControl = FileControl,
          .xSectorSize = SectorSize,
          .xDeviceCharacteristics = DeviceCharacteristics,
          .xShmMap = ShmMap,
          .xShmLock = ShmLock,
          .xShmBarrier = ShmBarrier,
          .xShmUnmap = ShmUnmap,
          .xFetch = nullptr,
          .xUnfetch = nullptr};
}

// ---- The file system

std::shared_ptr<Unsynced> Held(const std::string& path) {
  State& state = TheState();
  const std::scoped_lock lock(state.mutex);
  auto& slot = state.held[path];
  auto held = slot.lock();
  if (!held) slot = held = std::make_shared<Unsynced>();
  return held;
}

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  State& state = TheState();
  FaultFile* self = Of(file);
  file->pMethods = nullptr;
  const std::string path = name == nullptr ? "" : name;
  if (const Kind kind = Ask(FileOperation::kOpen, path); kind != Kind::kNone) {
    return CodeOf(kind, SQLITE_CANTOPEN);
  }
  const int code = state.real->xOpen(state.real, name, self->real(), flags, out_flags);
  if (code != SQLITE_OK && self->real()->pMethods == nullptr) return code;
  self->path = new std::string(path);
  const auto decider = Decider();
  const bool hold = decider->hold && decider->hold(path);
  self->unsynced = hold ? new std::shared_ptr<Unsynced>(Held(path)) : nullptr;
  file->pMethods = &state.methods;
  return code;
}

int Delete(sqlite3_vfs*, const char* name, int sync_directory) {
  State& state = TheState();
  if (const Kind kind = Ask(FileOperation::kDelete, name); kind != Kind::kNone) return SQLITE_IOERR_DELETE;
  return state.real->xDelete(state.real, name, sync_directory);
}

}  // namespace

void InstallFaultVfs(FaultDecider decider) {
  State& state = TheState();
  const std::scoped_lock lock(state.mutex);
  state.decider = std::make_shared<const FaultDecider>(std::move(decider));
  if (state.real != nullptr) return;
  state.real = sqlite3_vfs_find(nullptr);
  STRIFE_ASSERT(state.real != nullptr);
  state.methods = Methods();
  state.vfs = *state.real;  // what is not named below needs no file and goes to the real one
  state.vfs.szOsFile = static_cast<int>(sizeof(FaultFile)) + state.real->szOsFile;
  state.vfs.zName = "strife-faults";
  state.vfs.pNext = nullptr;
  state.vfs.xOpen = Open;
  state.vfs.xDelete = Delete;
  const int code = sqlite3_vfs_register(&state.vfs, 1);
  STRIFE_ASSERT(code == SQLITE_OK);
}

}  // namespace strife::sqlite
