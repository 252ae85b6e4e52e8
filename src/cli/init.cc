#include "cli/init.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "base/private_directory.h"
#include "cli/init_files.h"
#include "security/encoding.h"
#include "security/password.h"
#include "security/pki.h"
#include "security/random.h"
#include "security/secure_file.h"

namespace strife::cli {
namespace {

namespace fs = std::filesystem;
using security::Existing;

constexpr Duration kNetworkCertificateLifetime = std::chrono::hours(24 * 365);

std::unexpected<Error> SystemError(const std::string& what, const fs::path& path, const std::error_code& error) {
  return Fail(ErrorCode::kStorage, "Cannot " + what + " " + path.string() + ": " + error.message());
}

Status CheckRange(const char* what, int value, int minimum, int maximum) {
  if (value >= minimum && value <= maximum) return {};
  return Fail(ErrorCode::kInvalidInput, std::string("The ") + what + " must be " + std::to_string(minimum) + " to " +
                                            std::to_string(maximum) + ", not " + std::to_string(value));
}

Status CheckOptions(const NetworkOptions& options) {
  if (Status status = CheckRange("number of banks", options.banks, 1, 64); !status) return status;
  if (Status status = CheckRange("number of users", options.users, 1, 10'000); !status) return status;
  const int last = 65535 - options.banks;
  if (Status status = CheckRange("gateway's port", options.port_base, 1, last); !status) return status;
  const int metrics = options.FirstMetricsPort();
  if (Status status = CheckRange("gateway's metrics port", metrics, 1, last); !status) return status;
  if (std::abs(metrics - options.port_base) <= options.banks) {
    return Fail(ErrorCode::kInvalidInput,
                "Ports and metrics ports overlap; leave " + std::to_string(options.banks + 1) + " for each");
  }
  return {};
}

Status WriteCertificates(const fs::path& dir, int banks, WallTime now) {
  security::AuthorityOptions authority_options{.trust_domain = "strife.local"};
  authority_options.revocation_list_lifetime = authority_options.lifetime;
  auto authority = security::CertificateAuthority::Create(dir / "certs", authority_options, now);
  if (!authority) return std::unexpected(authority.error());

  std::vector<security::CertificateRequest> requests;
  requests.push_back({.role = security::Role::kGateway, .name = "gateway"});
  for (int bank = 1; bank <= banks; ++bank) {
    requests.push_back({.role = security::Role::kBank, .name = BankId(bank)});
  }
  requests.push_back({.role = security::Role::kClient, .name = "client"});
  for (const char* name : kOperators) requests.push_back({.role = security::Role::kOperator, .name = name});
  for (security::CertificateRequest& request : requests) {
    request.lifetime = kNetworkCertificateLifetime;
    if (auto issued = authority->Issue(request, now); !issued) return std::unexpected(issued.error());
  }
  return {};
}

// 100 random bits as "k7m2q-9xw4t-…": nothing in it is easily mistaken for something else.
std::string MakePassword() {
  constexpr std::string_view kLetters = "abcdefghijkmnpqrstuvwxyz23456789";  // 32, five bits each
  static_assert(kLetters.size() == 32);
  std::string password;
  for (std::uint8_t byte : security::RandomBytes<20>()) {
    if (password.size() % 6 == 5) password += '-';
    password += kLetters[byte % 32];
  }
  return password;
}

// Hashes on all processors: 10,000 users would otherwise take minutes.
Result<std::vector<std::string>> HashAll(const std::vector<std::string>& passwords) {
  // Of many users the cheaper hash is taken, which is safe because the passwords are random.
  constexpr std::size_t kMaxUsersAtFullCost = 256;
  const security::PasswordCost cost =
      passwords.size() <= kMaxUsersAtFullCost ? security::kDefaultPasswordCost : security::kRandomPasswordCost;
  std::vector<Result<std::string>> results(passwords.size());
  std::atomic<std::size_t> next = 0;
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < std::clamp(std::thread::hardware_concurrency(), 1u, 16u); ++i) {
      threads.emplace_back([&] {
        for (std::size_t at = next++; at < passwords.size(); at = next++) {
          results[at] = security::HashPassword(passwords[at], cost);
        }
      });
    }
  }
  std::vector<std::string> hashes;
  for (Result<std::string>& result : results) {
    if (!result) return std::unexpected(result.error());
    hashes.push_back(*std::move(result));
  }
  return hashes;
}

Status WriteUsers(const fs::path& dir, const NetworkOptions& options) {
  std::vector<std::string> passwords;
  for (int user = 1; user <= options.users; ++user) passwords.push_back(MakePassword());
  const auto hashes = HashAll(passwords);
  if (!hashes) return std::unexpected(hashes.error());

  Status status = security::WriteFile(dir / "users.json", UsersJson(options.banks, *hashes), security::kPrivateMode,
                                      Existing::kRefuse);
  if (!status) return status;
  return security::WriteFile(dir / "passwords.csv", PasswordsCsv(passwords), security::kPrivateMode, Existing::kRefuse);
}

Status WriteSettings(const fs::path& dir, const NetworkOptions& options) {
  const auto write = [&](const std::string& name, const std::string& contents) {
    return security::WriteFile(dir / name, contents, security::kPublicMode, Existing::kRefuse);
  };
  Status status = write("gateway.toml", GatewayToml(options.port_base, options.FirstMetricsPort()));
  if (status) status = write("client.toml", ClientToml(options.port_base));
  for (const std::string name : kOperators) {
    if (status) status = write(name + ".toml", OperatorToml(name, options.banks, options.port_base));
  }
  for (int bank = 1; status && bank <= options.banks; ++bank) {
    status = write("bank-" + BankId(bank) + ".toml", BankToml(bank, options.port_base, options.FirstMetricsPort()));
    if (!status) break;
    status = write("bank_data-" + BankId(bank) + ".json", BankDataJson(bank, options.banks, options.users));
  }
  return status;
}

Status WriteInto(const fs::path& dir, const NetworkOptions& options, WallTime now) {
  for (const char* name : {"data", "logs", "run"}) {
    if (Status status = MakePrivateDirectory(dir / name); !status) return status;
  }
  Status status = WriteCertificates(dir, options.banks, now);
  if (status) status = WriteUsers(dir, options);
  if (status) status = WriteSettings(dir, options);
  return status;
}

// Where the network is written before it is moved into place; gone with everything in it when it goes out of scope.
class Staging {
 public:
  explicit Staging(fs::path path) : path_(std::move(path)) {}
  ~Staging() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Moves everything in `from` up into the empty `dir`, or nothing.
Status MoveContents(const fs::path& from, const fs::path& dir) {
  std::error_code error;
  std::vector<fs::path> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(from, error)) names.push_back(entry.path().filename());
  for (std::size_t i = 0; !error && i < names.size(); ++i) {
    fs::rename(from / names[i], dir / names[i], error);
    if (!error) continue;
    std::error_code ignored;
    while (i-- > 0) fs::rename(dir / names[i], from / names[i], ignored);
    break;
  }
  if (error) return SystemError("write", dir, error);
  return {};
}

}  // namespace

Status WriteNetwork(const NetworkOptions& options, WallTime now) {
  if (Status status = CheckOptions(options); !status) return status;
  std::error_code error;
  fs::path dir = fs::absolute(options.dir, error).lexically_normal();
  if (options.dir.empty() || error) return Fail(ErrorCode::kInvalidInput, "No directory was given; use --dir");
  if (!dir.has_filename()) dir = dir.parent_path();

  const bool exists = fs::exists(fs::symlink_status(dir, error));
  if (exists) {
    fs::directory_iterator first(dir, error);
    if (error) return SystemError("use the directory", dir, error);
    if (first != fs::directory_iterator()) {
      return Fail(ErrorCode::kAlreadyExists, first->path().string() +
                                                 " exists already and nothing is overwritten; choose a directory that "
                                                 "is empty or does not exist");
    }
  } else {
    fs::create_directories(dir.parent_path(), error);
    if (error) return SystemError("make the directory", dir.parent_path(), error);
  }
  // An existing directory is filled rather than replaced: it may be a mount point or somebody's working directory.
  const std::string suffix = "strife-init-" + security::HexEncode(security::RandomBytes<8>());
  const Staging staging(exists ? dir / ("." + suffix)
                               : dir.parent_path() / ("." + dir.filename().string() + "." + suffix));
  Status status = MakePrivateDirectory(staging.path());
  if (status) status = WriteInto(staging.path(), options, now);
  if (!status) return status;
  if (exists) return MoveContents(staging.path(), dir);
  fs::rename(staging.path(), dir, error);
  if (error) return SystemError("write", dir, error);
  return {};
}

}  // namespace strife::cli
