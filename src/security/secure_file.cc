#include "security/secure_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

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

// What has happened to the names in the directory of `path` outlives a crash.
Status SyncDirectoryOf(const std::filesystem::path& path, const char* what) {
  const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
  const FileDescriptor directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) return SystemError(what, path, errno);
  return {};
}

// A file under a temporary name beside its place. What is not in place when this goes, goes with it.
class StagedFile {
 public:
  explicit StagedFile(std::filesystem::path path)
      : path_(std::move(path)), temporary_(path_.string() + "." + HexEncode(RandomBytes<8>()) + ".tmp") {}
  StagedFile(const StagedFile&) = delete;
  StagedFile& operator=(const StagedFile&) = delete;
  ~StagedFile() {
    if (state_ == State::kWritten) ::unlink(temporary_.c_str());
    if (has_old_) ::unlink(old().c_str());
  }

  Status Write(std::string_view contents, mode_t mode) {
    const FileDescriptor file(
        ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kPrivateMode));
    if (file.get() < 0) return SystemError("write", path_, errno);
    state_ = State::kWritten;
    return Fill(file.get(), contents, mode, path_);
  }

  // So that PutBack can.
  Status KeepOld() {
    has_old_ = ::link(path_.c_str(), old().c_str()) == 0;
    if (!has_old_ && errno != ENOENT) return SystemError("write", path_, errno);
    return {};
  }

  Status MoveIntoPlace(Existing existing) {
    if (existing == Existing::kReplace) {
      if (::rename(temporary_.c_str(), path_.c_str()) != 0) return SystemError("write", path_, errno);
    } else {
      // link, unlike rename, fails when the name is taken.
      if (::link(temporary_.c_str(), path_.c_str()) != 0) {
        if (errno == EEXIST)
          return Fail(ErrorCode::kAlreadyExists, path_.string() + " exists already and is not overwritten");
        return SystemError("write", path_, errno);
      }
      ::unlink(temporary_.c_str());
    }
    state_ = State::kInPlace;
    return SyncDirectoryOf(path_, "write");
  }

  // As it was before MoveIntoPlace, as far as that is possible.
  void PutBack() {
    if (state_ != State::kInPlace) return;
    if (has_old_) {
      has_old_ = false;  // what cannot be put back is left beside its place
      static_cast<void>(::rename(old().c_str(), path_.c_str()));
    } else {
      ::unlink(path_.c_str());
    }
    static_cast<void>(SyncDirectoryOf(path_, "write"));
  }

 private:
  enum class State { kNothing, kWritten, kInPlace };
  std::string old() const { return temporary_ + ".old"; }

  const std::filesystem::path path_;
  const std::string temporary_;
  State state_ = State::kNothing;
  bool has_old_ = false;
};

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
  StagedFile file(path);
  if (Status written = file.Write(contents, mode); !written) return written;
  return file.MoveIntoPlace(existing);
}

Status WritePair(const FileContents& first, const FileContents& second, Existing existing) {
  StagedFile one(first.path);
  StagedFile other(second.path);
  Status status = one.Write(first.contents, first.mode);
  if (status) status = other.Write(second.contents, second.mode);
  if (status && existing == Existing::kReplace) status = one.KeepOld();
  if (status && existing == Existing::kReplace) status = other.KeepOld();
  if (status) status = one.MoveIntoPlace(existing);
  if (status) status = other.MoveIntoPlace(existing);
  if (status) return status;
  other.PutBack();
  one.PutBack();
  return status;
}

Status RemoveFile(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) != 0) return SystemError("remove", path, errno);
  return SyncDirectoryOf(path, "remove");
}

Status CheckKeyFile(const std::filesystem::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return SystemError("open", path, errno);
  return CheckPrivate(file.get(), path);
}

}  // namespace strife::security
