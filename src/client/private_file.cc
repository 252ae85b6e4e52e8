#include "client/private_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace strife::client {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> SystemError(const std::string& what, const fs::path& file) {
  int error = errno;
  ErrorCode code = error == EACCES || error == EPERM ? ErrorCode::kPermissionDenied : ErrorCode::kStorage;
  return Fail(code, "cannot " + what + " " + file.string() + ": " + std::strerror(error));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

bool WriteAll(int fd, std::string_view content) {
  while (!content.empty()) {
    ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

Status SyncFolder(const fs::path& folder) {
  Descriptor descriptor(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() < 0 || ::fsync(descriptor.get()) != 0) return SystemError("sync the folder", folder);
  return {};
}

}  // namespace

Status MakePrivateFolder(const fs::path& folder) {
  std::error_code error;
  if (fs::is_directory(folder, error)) return {};
  if (folder.has_parent_path()) fs::create_directories(folder.parent_path(), error);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return SystemError("create the folder", folder);
  return {};
}

Status WritePrivateFile(const fs::path& file, std::string_view content) {
  std::string temporary = file.string() + ".XXXXXX";
  Descriptor descriptor(::mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600
  if (descriptor.get() < 0) return SystemError("create a file beside", file);
  if (!WriteAll(descriptor.get(), content) || ::fsync(descriptor.get()) != 0) {
    auto failed = SystemError("write", temporary);
    ::unlink(temporary.c_str());
    return failed;
  }
  if (::rename(temporary.c_str(), file.c_str()) != 0) {
    auto failed = SystemError("replace", file);
    ::unlink(temporary.c_str());
    return failed;
  }
  return SyncFolder(file.parent_path());
}

Result<std::string> ReadPrivateFile(const fs::path& file) {
  Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0 && errno == ENOENT) return Fail(ErrorCode::kNotFound, file.string() + " does not exist");
  struct stat status {};
  if (descriptor.get() < 0 || ::fstat(descriptor.get(), &status) != 0) return SystemError("read", file);
  if ((status.st_mode & 077) != 0) {
    return Fail(ErrorCode::kPermissionDenied,
                file.string() + " can be read by others; run chmod 600 on it, and log in again if it was not you");
  }
  if (status.st_uid != ::geteuid()) {
    return Fail(ErrorCode::kPermissionDenied, file.string() + " belongs to another user; name a data_dir of your own");
  }
  std::string content(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t filled = 0;
  while (filled < content.size()) {
    ssize_t got = ::read(descriptor.get(), content.data() + filled, content.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("read", file);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  content.resize(filled);
  return content;
}

Result<FileLock> FileLock::Acquire(const fs::path& file) {
  int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return SystemError("open", file);
  FileLock lock(fd);
  while (::flock(fd, LOCK_EX) != 0) {
    if (errno != EINTR) return SystemError("lock", file);
  }
  return lock;
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace strife::client
