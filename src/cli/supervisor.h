// Supervisor: the processes of a local network, started, watched and stopped together.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "cli/network.h"

namespace strife::cli {

// Start and stop from one thread, and start before anything makes threads: it forks. Children get SIGTERM when this
// process dies in whatever way.
class Supervisor {
 public:
  // Blocks SIGINT, SIGTERM, SIGHUP and SIGCHLD for the process from now on; Wait hands them out.
  explicit Supervisor(const Network& network);
  // Stops what still runs.
  ~Supervisor();

  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Refuses when one of the servers runs already or its port is taken; then nothing has been started.
  Status Start();
  // Returns when every server says that it is serving; an error when one ends first or `patience` is over.
  Status WaitUntilServing(Duration patience);
  // Reports servers that end, on standard error, until a signal asks to stop (no error) or none is left.
  Status Watch();
  // The gateway first, so that it can finish what it has begun with the banks, then the banks. What has not ended when
  // the drain time is over, or when a second signal comes, is killed.
  void Stop();

  pid_t pid(std::size_t server) const { return children_[server].pid; }
  std::filesystem::path ConsoleLog(const NetworkServer& server) const;

 private:
  struct Child {
    pid_t pid = 0;  // 0: not running
    std::string ended;
  };

  Status Spawn(std::size_t server);
  // The next signal, or 0 after `patience`.
  int NextSignal(Duration patience);
  // Takes note of children that have ended; returns which.
  std::vector<std::size_t> Reap();
  void Signal(std::size_t server, int signal);
  bool AnyRunning(std::size_t first, std::size_t last) const;
  void StopRange(std::size_t first, std::size_t last);
  std::string LastWords(const NetworkServer& server) const;

  const Network& network_;
  std::vector<Child> children_;  // as network_.servers
};

}  // namespace strife::cli
