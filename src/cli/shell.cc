#include "cli/shell.h"

#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <iostream>
#include <mutex>
#include <set>
#include <thread>

#include "cli/command_tree.h"
#include "cli/line_editor.h"
#include "cli/open_client.h"
#include "cli/payment_view.h"
#include "cli/queue_view.h"
#include "cli/shell_line.h"
#include "client/courier.h"
#include "client/session_keeper.h"

namespace strife::cli {
namespace {

constexpr int kPayeesFromHistory = 200;
constexpr auto kFirstLook = std::chrono::milliseconds(700);

const char* const kHelp =
    "login USER · logout · whoami           who you are\n"
    "pay --to BANK/ACCOUNT --from BANK --amount 12.50 --currency USD [--memo TEXT]\n"
    "pay --file payments.csv                many payments\n"
    "balance [BANK] · history · payment ID  look things up\n"
    "queue list|show|flush|cancel|retry|ack what waits for the gateway\n"
    "status                                 connection and queue\n"
    "exit, or Ctrl-D                        leave; what is queued stays queued\n"
    "Every command takes --help. Tab completes; Ctrl-C drops the line or stops the command.\n";

class Shell {
 public:
  explicit Shell(const ShellOptions& options) : options_(options) {}

  int Run();

 private:
  std::unique_ptr<LineEditor> MakeEditor();
  // So that the first prompt, or the first command, finds the connection made if it can be made.
  void WaitForFirstLook();
  int RunOnTerminal();
  int RunScript();
  // The status of the command, or nothing when the line holds none.
  std::optional<int> Execute(const std::string& line, const Confirm& confirm);
  int PrintStatus();
  std::string Prompt();
  std::string News();
  Vocabulary Words();
  void LearnPayees();
  client::CourierEvents Events();
  std::string User() const {
    auto session = client::StoredSession(options_.config);
    return session ? session->username : "";
  }

  const ShellOptions& options_;
  std::unique_ptr<client::Queue> queue_;
  std::unique_ptr<client::Courier> courier_;
  std::unique_ptr<LineEditor> editor_;
  std::mutex mutex_;
  std::condition_variable changed_;
  protocol::OutboxStatus status_;     // guarded by mutex_
  std::set<std::string> payees_;      // guarded by mutex_
  std::atomic<bool> failed_ = false;  // the courier has stopped
};

client::CourierEvents Shell::Events() {
  return {.settled = {},
          .attempted = {},
          .status =
              [this](const protocol::OutboxStatus& status) {
                {
                  const std::scoped_lock lock(mutex_);
                  status_ = status;
                }
                changed_.notify_all();
                if (editor_) editor_->Wake();
              },
          .failed =
              [this](const Error& error) {
                failed_ = true;
                PrintError(error.message);
              }};
}

std::string Shell::Prompt() {
  const std::string user = User();
  if (user.empty()) return "strife (not logged in)> ";
  const std::scoped_lock lock(mutex_);
  std::string text = user + " (";
  if (status_.needs_login) {
    text += "log in again";
  } else {
    text += status_.online ? "online" : "offline";
  }
  if (status_.waiting > 0) text += ", " + std::to_string(status_.waiting) + " queued";
  return text + ")> ";
}

std::string Shell::News() {
  const std::string user = User();
  if (user.empty()) return "";
  auto untold = queue_->TakeUntold(user);
  if (!untold) return "";
  std::string news;
  for (const OutboxItem& item : *untold) news += OutcomeSentence(item) + "\n";
  return news;
}

int Shell::PrintStatus() {
  const std::string user = User();
  if (user.empty()) {
    PrintText("not logged in\n");
    return kExitDone;
  }
  const std::scoped_lock lock(mutex_);
  const bool troubled = !status_.online && !status_.last_failure.empty();
  PrintText(RenderFields({{"user", user},
                          {"connection", status_.online ? "online" : "offline"},
                          {"why", troubled ? status_.last_failure : ""},
                          {"queued", std::to_string(status_.waiting)},
                          {"on their way", status_.followed > 0 ? std::to_string(status_.followed) : ""}}));
  if (status_.needs_login) PrintError(LoginAdvice(status_.waiting, user));
  return kExitDone;
}

std::optional<int> Shell::Execute(const std::string& line, const Confirm& confirm) {
  auto words = SplitWords(line);
  if (!words) return ReportUsage(words.error().message);
  if (!words->empty() && words->front() == "strife") words->erase(words->begin());
  if (words->empty()) return std::nullopt;
  if (words->front() == "help") {
    PrintText(kHelp);
    return kExitDone;
  }
  int status = kExitDone;
  if (words->front() == "status") {
    status = PrintStatus();
  } else {
    words->insert(words->end(), options_.flags.begin(), options_.flags.end());
    status = RunShellCommand(*words, confirm);
  }
  std::fflush(stdout);
  if (!failed_) courier_->Wake();
  return status;
}

Vocabulary Shell::Words() {
  Vocabulary words;
  auto session = client::StoredSession(options_.config);
  if (!session) return words;
  for (const auto& account : session->accounts) words.banks.push_back(account.bank_id);
  if (auto items = queue_->List(session->username)) {
    for (const OutboxItem& item : *items) {
      words.queued.push_back(item.order.id.ToString());
      words.payees.push_back(AccountText(item.order.to));
    }
  }
  const std::scoped_lock lock(mutex_);
  words.payees.insert(words.payees.end(), payees_.begin(), payees_.end());
  return words;
}

void Shell::LearnPayees() {
  client::ClientConfig config = options_.config;
  config.max_retries = 0;
  config.timeout = std::chrono::seconds(2);
  auto client = client::Client::Open(config);
  if (!client) return;
  auto page = (*client)->History({.page_size = kPayeesFromHistory,
                                  .page_token = {},
                                  .state = protocol::PaymentState::kCompleted,
                                  .since = {},
                                  .until = {}});
  if (!page) return;
  const std::scoped_lock lock(mutex_);
  for (const auto& payment : page->payments) payees_.insert(AccountText(payment.order.to));
}

std::unique_ptr<LineEditor> Shell::MakeEditor() {
  LineEditor::Hooks hooks{.prompt = [this] { return Prompt(); },
                          .news = [this] { return News(); },
                          .complete =
                              [this, commands = ShellCommands()](const std::string& line) {
                                Typed typed = SplitTyped(line);
                                return Complete(commands, Words(), typed.before, typed.prefix);
                              }};
  return std::make_unique<LineEditor>(std::move(hooks), options_.config.data_dir / "shell_history");
}

void Shell::WaitForFirstLook() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kFirstLook, [this] { return status_.online || status_.failures > 0; });
}

int Shell::RunOnTerminal() {
  PrintText("Strife. `help` lists the commands; Ctrl-D leaves.\n");
  std::jthread learning;
  if (!User().empty()) learning = std::jthread([this] { LearnPayees(); });
  for (;;) {
    PrintText(News());
    LineEditor::Line line = editor_->Read();
    if (line.kind == LineEditor::Line::Kind::kInterrupted) continue;
    if (line.kind == LineEditor::Line::Kind::kEnd || line.text == "exit" || line.text == "quit") {
      if (line.kind == LineEditor::Line::Kind::kEnd) PrintText("\n");
      return kExitDone;
    }
    editor_->Remember(line.text);
    Execute(line.text, [this](const std::string& question) {
      const std::string answer = editor_->Ask(question + " [y/N] ").text;
      return answer == "y" || answer == "Y" || answer == "yes";
    });
  }
}

int Shell::RunScript() {
  int failed = kExitDone;
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "exit" || line == "quit") break;
    const auto status = Execute(line, {});
    if (status && failed == kExitDone) failed = *status;
  }
  if (const std::string user = User(); !user.empty()) TellOutcomes(*queue_, user);
  return failed;
}

int Shell::Run() {
  auto queue = client::Queue::Open(options_.config.data_dir);
  if (!queue) return Report(queue.error());
  queue_ = std::move(*queue);
  // Before any thread, so that Ctrl-C is only seen where it is waited for.
  sigset_t signals, before;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, &before);
  const bool person = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
  if (person) editor_ = MakeEditor();
  auto courier = client::Courier::Start(options_.config, Events(), true);
  if (!courier) return Report(courier.error());
  courier_ = std::move(*courier);
  WaitForFirstLook();
  const int status = person ? RunOnTerminal() : RunScript();
  courier_->Stop();
  editor_.reset();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return status;
}

}  // namespace

int RunShell(const ShellOptions& options) { return Shell(options).Run(); }

}  // namespace strife::cli
