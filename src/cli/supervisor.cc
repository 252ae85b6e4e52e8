#include "cli/supervisor.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

#include "base/text.h"
#include "cli/output.h"
#include "rpc/health_client.h"

extern char** environ;

namespace strife::cli {
namespace {

namespace fs = std::filesystem;

constexpr Duration kDrainTime = std::chrono::seconds(15);
constexpr Duration kHealthInterval = std::chrono::milliseconds(50);
constexpr Duration kHealthTimeout = std::chrono::seconds(2);

sigset_t HandledSignals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) ::sigaddset(&set, signal);
  return set;
}

// The environment without STRIFE_* variables: they would override every server's own file in the same way.
std::vector<char*> ChildEnvironment() {
  std::vector<char*> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with("STRIFE_")) variables.push_back(*variable);
  }
  variables.push_back(nullptr);
  return variables;
}

// In the child, between fork and exec: async-signal-safe calls only.
[[noreturn]] void BecomeServer(pid_t parent, int console, char* const* arguments, char* const* environment) {
  ::setpgid(0, 0);  // Ctrl-C goes to the supervisor, which stops them in order
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(1);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  int null = ::open("/dev/null", O_RDONLY);
  if (null < 0 || ::dup2(null, STDIN_FILENO) < 0) ::_exit(126);
  ::dup2(console, STDOUT_FILENO);
  ::dup2(console, STDERR_FILENO);
  ::execve("/proc/self/exe", arguments, environment);
  ::_exit(127);
}

std::string HowItEnded(int status) {
  if (WIFSIGNALED(status)) return std::string("was killed by signal ") + std::to_string(WTERMSIG(status));
  return "ended with exit status " + std::to_string(WEXITSTATUS(status));
}

std::string_view CommandOf(const NetworkServer& server) {
  return server.role == security::Role::kGateway ? "gateway" : "bank";
}

}  // namespace

Supervisor::Supervisor(const Network& network) : network_(network), children_(network.servers.size()) {
  sigset_t set = HandledSignals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Supervisor::~Supervisor() { Stop(); }

fs::path Supervisor::ConsoleLog(const NetworkServer& server) const {
  return server.log_dir / (server.name + ".console.log");
}

Status Supervisor::Start() {
  for (const NetworkServer& server : network_.servers) {
    if (auto pid = RunningProcess(network_.PidFile(server))) {
      return Fail(ErrorCode::kAlreadyExists, server.name + " of " + network_.dir.string() +
                                                 " is running already, as process " + std::to_string(*pid) +
                                                 "; stop it first");
    }
    if (auto free = CheckListenAddress(server); !free) return free;
  }
  for (std::size_t i = 0; i < children_.size(); ++i) {
    if (auto started = Spawn(i); !started) return started;
  }
  return {};
}

Status Supervisor::Spawn(std::size_t index) {
  const NetworkServer& server = network_.servers[index];
  fs::path pid_file = network_.PidFile(server), log = ConsoleLog(server);
  std::error_code error;
  fs::create_directories(pid_file.parent_path(), error);
  fs::create_directories(log.parent_path(), error);
  int console = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (console < 0) return Fail(ErrorCode::kStorage, "cannot write " + log.string() + ": " + std::strerror(errno));
  std::vector<std::string> words = {"strife", std::string(CommandOf(server)), "--config", server.config_file.string()};
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::vector<char*> environment = ChildEnvironment();
  pid_t parent = ::getpid();
  pid_t pid = ::fork();
  if (pid == 0) BecomeServer(parent, console, arguments.data(), environment.data());
  ::close(console);
  if (pid < 0) return Fail(ErrorCode::kInternal, "cannot start " + server.name + ": " + std::strerror(errno));
  children_[index].pid = pid;
  std::ofstream file(pid_file, std::ios::trunc);
  if (!(file << pid << "\n" << std::flush)) {
    return Fail(ErrorCode::kStorage, "cannot write " + pid_file.string() + "; check the folder's permissions");
  }
  return {};
}

int Supervisor::NextSignal(Duration patience) {
  sigset_t set = HandledSignals();
  timespec limit{.tv_sec = patience / std::chrono::seconds(1),
                 .tv_nsec = (patience % std::chrono::seconds(1)).count() * 1000};
  int signal = ::sigtimedwait(&set, nullptr, &limit);
  return signal < 0 ? 0 : signal;
}

std::vector<std::size_t> Supervisor::Reap() {
  std::vector<std::size_t> ended;
  for (std::size_t i = 0; i < children_.size(); ++i) {
    int status = 0;
    if (children_[i].pid == 0 || ::waitpid(children_[i].pid, &status, WNOHANG) != children_[i].pid) continue;
    children_[i].ended = HowItEnded(status);
    fs::path pid_file = network_.PidFile(network_.servers[i]);
    pid_t recorded = 0;
    // Somebody may have started it again by hand and written a pid file of their own.
    if (std::ifstream(pid_file) >> recorded && recorded == children_[i].pid) {
      std::error_code ignored;
      fs::remove(pid_file, ignored);
    }
    children_[i].pid = 0;
    ended.push_back(i);
  }
  return ended;
}

Status Supervisor::WaitUntilServing(Duration patience) {
  auto loaded = security::LoadCredentials(
      network_.operator_files, security::Role::kOperator,
      WallTime(std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch())));
  if (!loaded) return std::unexpected(loaded.error());
  const auto own = std::make_shared<const security::Credentials>(*std::move(loaded));
  auto give_up = std::chrono::steady_clock::now() + patience;
  for (std::size_t i = 0; i < children_.size(); ++i) {
    const NetworkServer& server = network_.servers[i];
    security::Identity expected{own->certificate.identity.trust_domain, server.role,
                                server.role == security::Role::kBank ? server.name : ""};
    while (true) {
      auto healthy = rpc::CheckHealth(server.listen, *own, expected, kHealthTimeout);
      for (std::size_t ended : Reap()) {
        const NetworkServer& dead = network_.servers[ended];
        return Fail(ErrorCode::kUnavailable, dead.name + " " + children_[ended].ended + " while starting" +
                                                 LastWords(dead) + "; see " + ConsoleLog(dead).string());
      }
      if (healthy) break;
      if (std::chrono::steady_clock::now() > give_up) {
        return Fail(ErrorCode::kUnavailable, server.name + " is not serving on " + server.listen + " (" +
                                                 healthy.error().message + "); see " + server.log_dir.string());
      }
      int signal = NextSignal(kHealthInterval);
      if (signal == SIGINT || signal == SIGTERM) return Fail(ErrorCode::kUnavailable, "stopped while starting");
    }
  }
  return {};
}

Status Supervisor::Watch() {
  while (true) {
    int signal = NextSignal(std::chrono::hours(1));
    if (signal == SIGINT || signal == SIGTERM) return {};
    if (signal == SIGHUP) {
      for (std::size_t i = 0; i < children_.size(); ++i) Signal(i, SIGHUP);
    }
    for (std::size_t i : Reap()) {
      const NetworkServer& server = network_.servers[i];
      PrintError(server.name + " " + children_[i].ended + LastWords(server) + "; its logs are in " +
                 server.log_dir.string() + "; start it again with strife " + std::string(CommandOf(server)) +
                 " --config " + server.config_file.string());
    }
    if (!AnyRunning(0, children_.size())) {
      return Fail(ErrorCode::kUnavailable, "none of the servers that were started is left");
    }
  }
}

void Supervisor::Signal(std::size_t server, int signal) {
  if (children_[server].pid != 0) ::kill(children_[server].pid, signal);
}

bool Supervisor::AnyRunning(std::size_t first, std::size_t last) const {
  for (std::size_t i = first; i < last; ++i) {
    if (children_[i].pid != 0) return true;
  }
  return false;
}

void Supervisor::StopRange(std::size_t first, std::size_t last) {
  for (std::size_t i = first; i < last; ++i) Signal(i, SIGTERM);
  auto give_up = std::chrono::steady_clock::now() + kDrainTime;
  while (true) {
    Reap();
    if (!AnyRunning(first, last)) return;
    int signal = NextSignal(std::chrono::milliseconds(200));
    bool impatient = signal == SIGINT || signal == SIGTERM || std::chrono::steady_clock::now() > give_up;
    if (!impatient) continue;
    for (std::size_t i = first; i < last; ++i) {
      if (children_[i].pid == 0) continue;
      PrintError(network_.servers[i].name + " did not stop in time and is killed");
      Signal(i, SIGKILL);
    }
  }
}

void Supervisor::Stop() {
  if (children_.empty()) return;
  StopRange(0, 1);
  StopRange(1, children_.size());
}

std::string Supervisor::LastWords(const NetworkServer& server) const {
  std::ifstream log(ConsoleLog(server));
  std::string line, last;
  while (std::getline(log, line)) {
    if (!line.empty()) last = line;
  }
  return last.empty() ? "" : " (" + Sanitize(last, 300) + ")";
}

}  // namespace strife::cli
