#include "cli/terminal.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include "base/limits.h"

namespace strife::cli {
namespace {

// The first line of what `fd` gives, byte by byte so that nothing behind it is taken away; nullopt on a read error or
// when there is none.
std::optional<std::string> ReadLine(int fd) {
  std::string line;
  char c = 0;
  while (line.size() <= limits::kMaxPasswordBytes) {
    ssize_t got = ::read(fd, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 || (got == 0 && line.empty())) return std::nullopt;
    if (got == 0 || c == '\n') break;
    line += c;
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace

Result<std::string> ReadPassword(const std::string& file, const std::string& prompt, bool twice) {
  std::optional<std::string> password;
  if (!file.empty()) {
    int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
      return Fail(ErrorCode::kNotFound, "cannot read the password file " + file + ": " + std::strerror(errno));
    }
    password = ReadLine(fd);
    ::close(fd);
  } else if (::isatty(STDIN_FILENO) == 1) {
    std::array<char, limits::kMaxPasswordBytes + 1> buffer{};
    // OpenSSL's prompt puts the terminal right again when it is interrupted, which the shell otherwise holds back.
    sigset_t interrupt, before;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    pthread_sigmask(SIG_UNBLOCK, &interrupt, &before);
    if (EVP_read_pw_string(buffer.data(), static_cast<int>(buffer.size()), prompt.c_str(), twice ? 1 : 0) == 0) {
      password = buffer.data();
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    OPENSSL_cleanse(buffer.data(), buffer.size());
  } else {
    password = ReadLine(STDIN_FILENO);
  }
  if (!password || password->empty()) {
    return Fail(ErrorCode::kInvalidInput,
                "no password was given; type it at the prompt, name a file with --password-file, or pipe it in");
  }
  return *password;
}

}  // namespace strife::cli
