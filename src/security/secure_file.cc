#include "security/secure_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "security/encoding.h"
#include "security/random.h"

namespace strife::security {
namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<Error> SystemError(const char* what, const std::filesystem::path& path, int error) {
  const ErrorCode code = error == ENOENT   ? ErrorCode::kNotFound
                         : error == EEXIST ? ErrorCode::kAlreadyExists
                         : error == EACCES ? ErrorCode::kPermissionDenied
                                           : ErrorCode::kStorage;
  return Fail(code, std::string("Cannot ") + what + " " + path.string() + ": " + std::strerror(error));
}

Status CheckPrivate(int fd, const std::filesystem::path& path) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return SystemError("look at", path, errno);
  if (!S_ISREG(info.st_mode)) return Fail(ErrorCode::kInvalidInput, path.string() + " is not a regular file");
  if (info.st_uid != ::geteuid() && info.st_uid != 0) {
    return Fail(ErrorCode::kPermissionDenied,
                "The key file " + path.string() + " belongs to another user; chown it to the user Strife runs as");
  }
  if ((info.st_mode & 077) != 0) {
    return Fail(ErrorCode::kPermissionDenied,
                "The key file " + path.string() + " can be used by others than its owner; run chmod 600 on it");
  }
  return {};
}

Result<std::string> ReadAll(int fd, const std::filesystem::path& path, std::size_t max_bytes) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return SystemError("look at", path, errno);
  if (!S_ISREG(info.st_mode)) return Fail(ErrorCode::kInvalidInput, path.string() + " is not a regular file");
  std::string contents;
  char buffer[16384];
  while (true) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("read", path, errno);
    if (got == 0) return contents;
    contents.append(buffer, static_cast<std::size_t>(got));
    if (contents.size() > max_bytes) {
      return Fail(ErrorCode::kInvalidInput, path.string() + " is larger than " + std::to_string(max_bytes) + " bytes");
    }
  }
}

// Writes, sets the mode whatever the umask says, and syncs.
Status Fill(int fd, std::string_view contents, mode_t mode, const std::filesystem::path& path) {
  while (!contents.empty()) {
    const ssize_t wrote = ::write(fd, contents.data(), contents.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return SystemError("write", path, errno);
    contents.remove_prefix(static_cast<std::size_t>(wrote));
  }
  if (::fchmod(fd, mode) != 0) return SystemError("set the mode of", path, errno);
  if (::fsync(fd) != 0) return SystemError("write", path, errno);
  return {};
}

Status MoveIntoPlace(const std::string& temporary, const std::filesystem::path& path, Existing existing) {
  if (existing == Existing::kReplace) {
    if (::rename(temporary.c_str(), path.c_str()) != 0) return SystemError("write", path, errno);
  } else {
    // link, unlike rename, fails when the name is taken.
    if (::link(temporary.c_str(), path.c_str()) != 0) {
      if (errno == EEXIST)
        return Fail(ErrorCode::kAlreadyExists, path.string() + " exists already and is not overwritten");
      return SystemError("write", path, errno);
    }
    ::unlink(temporary.c_str());
  }
  const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
  const FileDescriptor directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) return SystemError("write", path, errno);
  return {};
}

}  // namespace

Result<std::string> ReadFile(const std::filesystem::path& path, std::size_t max_bytes) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return SystemError("open", path, errno);
  return ReadAll(file.get(), path, max_bytes);
}

Result<std::string> ReadKeyFile(const std::filesystem::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return SystemError("open", path, errno);
  if (Status status = CheckPrivate(file.get(), path); !status) return std::unexpected(status.error());
  return ReadAll(file.get(), path, std::size_t{1} << 20);
}

Status WriteFile(const std::filesystem::path& path, std::string_view contents, mode_t mode, Existing existing) {
  const std::string temporary = path.string() + "." + HexEncode(RandomBytes<8>()) + ".tmp";
  const FileDescriptor file(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kPrivateMode));
  if (file.get() < 0) return SystemError("write", path, errno);
  Status status = Fill(file.get(), contents, mode, path);
  if (status) status = MoveIntoPlace(temporary, path, existing);
  if (!status) ::unlink(temporary.c_str());
  return status;
}

Status CheckKeyFile(const std::filesystem::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return SystemError("open", path, errno);
  return CheckPrivate(file.get(), path);
}

}  // namespace strife::security
