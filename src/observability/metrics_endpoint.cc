#include "observability/metrics_endpoint.h"

#include <arpa/inet.h>
#include <prometheus/exposer.h>

#include <charconv>
#include <exception>

#include "observability/metrics_text.h"

namespace strife {
namespace {

constexpr std::size_t kThreads = 1;  // readers wait for each other

std::unexpected<Error> BadAddress(const std::string& address, const std::string& why) {
  return Fail(ErrorCode::kInvalidInput, "`metrics_listen` is \"" + address + "\"" + why);
}

bool IsLoopback(const std::string& host) {
  in_addr v4{};
  in6_addr v6{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6) != 0;
  return false;
}

bool IsAddress(const std::string& host) {
  in6_addr ignored{};
  return inet_pton(AF_INET, host.c_str(), &ignored) == 1 || inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

}  // namespace

Status CheckMetricsAddress(const std::string& address, bool beyond_loopback) {
  const auto colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const char* const end = address.data() + address.size();
  int port = 0;
  if (colon == std::string::npos || !IsAddress(host) ||
      std::from_chars(address.data() + colon + 1, end, port).ptr != end || port < 1 || port > 65535) {
    return BadAddress(address, " but must be an IP address and a port, such as 127.0.0.1:50152");
  }
  if (IsLoopback(host) || beyond_loopback) return {};
  return BadAddress(address,
                    ", which others can reach, and whoever can connect may read: use 127.0.0.1, or set "
                    "`metrics_exposure` to \"network\" if that is wanted");
}

struct MetricsEndpoint::Serving {
  Serving(const std::string& address, MetricCollector collector)
      : families(std::make_shared<MetricFamilies>(std::move(collector))), exposer(address, kThreads) {
    exposer.RegisterCollectable(families);
  }

  std::shared_ptr<MetricFamilies> families;
  prometheus::Exposer exposer;
};

MetricsEndpoint::MetricsEndpoint(std::unique_ptr<Serving> serving) : serving_(std::move(serving)) {}
MetricsEndpoint::~MetricsEndpoint() = default;

Result<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Start(const std::string& address, MetricCollector collector) {
  try {
    return std::unique_ptr<MetricsEndpoint>(
        new MetricsEndpoint(std::make_unique<Serving>(address, std::move(collector))));
  } catch (const std::exception&) {  // says no more than that it did not work
    return Fail(ErrorCode::kUnavailable, "cannot serve metrics on " + address +
                                             ": another process uses the port, or the address is none of this "
                                             "machine's; change `metrics_listen` or stop that process");
  }
}

}  // namespace strife
