#include "cli/metrics_reading.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

namespace strife::cli {
namespace {

constexpr std::size_t kMaxAnswerBytes = std::size_t{16} << 20;

struct Socket {
  int fd = -1;
  ~Socket() {
    if (fd >= 0) ::close(fd);
  }
};

std::unexpected<Error> Failed(const std::string& address, const std::string& why) {
  return Fail(ErrorCode::kUnavailable, "cannot read metrics from " + address + ": " + why);
}

Status Connect(Socket& connection, const std::string& address, Duration timeout) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) return Failed(address, "it is not an IP address and a port");
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), address.c_str() + colon + 1, &hints, &found); error != 0) {
    return Failed(address, ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> guard(found, &::freeaddrinfo);
  connection.fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection.fd < 0) return Failed(address, std::strerror(errno));
  const timeval limit{timeout / std::chrono::seconds(1), timeout.count() % 1'000'000};
  ::setsockopt(connection.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(connection.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (::connect(connection.fd, found->ai_addr, found->ai_addrlen) == 0) return {};
  return Failed(address, std::strerror(errno));
}

}  // namespace

MetricsReading MetricsReading::Parse(std::string_view text) {
  MetricsReading reading;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto space = line.rfind(' ');
    if (line.starts_with('#') || space == std::string_view::npos) continue;
    double value = 0;
    if (std::from_chars(line.data() + space + 1, line.data() + line.size(), value).ec != std::errc()) continue;
    reading.values_[std::string(line.substr(0, space))] = value;
  }
  return reading;
}

double MetricsReading::Value(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? 0 : found->second;
}

double MetricsReading::Sum(std::string_view name) const {
  double sum = 0;
  for (auto at = values_.lower_bound(name); at != values_.end() && at->first.starts_with(name); ++at) {
    if (at->first.size() == name.size() || at->first[name.size()] == '{') sum += at->second;
  }
  return sum;
}

std::vector<std::string> MetricsReading::Labels(std::string_view name, std::string_view label) const {
  std::vector<std::string> labels;
  const std::string start = std::string(label) + "=\"";
  for (auto at = values_.lower_bound(name); at != values_.end() && at->first.starts_with(name); ++at) {
    const auto begin = at->first.find(start, name.size());
    if (begin == std::string::npos) continue;
    const auto end = at->first.find('"', begin + start.size());
    labels.push_back(at->first.substr(begin + start.size(), end - begin - start.size()));
  }
  return labels;
}

Result<MetricsReading> ReadMetrics(const std::string& address, Duration timeout) {
  Socket connection;
  if (Status connected = Connect(connection, address, timeout); !connected) return std::unexpected(connected.error());
  const std::string request = "GET /metrics HTTP/1.0\r\nHost: " + address + "\r\n\r\n";
  if (::send(connection.fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
    return Failed(address, std::strerror(errno));
  }
  std::string answer;
  std::array<char, 65536> chunk;
  while (answer.size() < kMaxAnswerBytes) {
    const ssize_t got = ::recv(connection.fd, chunk.data(), chunk.size(), 0);
    if (got < 0) return Failed(address, std::strerror(errno));
    if (got == 0) break;
    answer.append(chunk.data(), static_cast<std::size_t>(got));
  }
  const auto body = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.") || answer.find(" 200 ") > answer.find('\r') || body == std::string::npos) {
    return Failed(address, "something else answers there");
  }
  return MetricsReading::Parse(std::string_view(answer).substr(body + 4));
}

}  // namespace strife::cli
