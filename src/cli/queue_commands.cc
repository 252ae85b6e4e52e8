// queue …
#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/command.h"
#include "cli/configs.h"
#include "cli/duration.h"
#include "cli/interrupt.h"
#include "cli/payment_view.h"
#include "cli/queue_flush.h"
#include "cli/queue_view.h"
#include "client/queue.h"
#include "client/session_keeper.h"

namespace strife::cli {
namespace {

using protocol::OutboxOutcome;

struct QueueOptions : ClientCommandOptions {
  std::string id;
  bool all = false;
  bool wait = false;
};

// The queue and whose part of it is meant.
struct Opened {
  client::ClientConfig config;
  client::Session session;
  std::unique_ptr<client::Queue> queue;
};

Result<Opened> Open(QueueOptions& options) {
  auto config = options.client->Load();
  if (!config) return std::unexpected(config.error());
  auto session = client::StoredSession(*config);
  if (!session) return std::unexpected(session.error());
  auto queue = client::Queue::Open(config->data_dir);
  if (!queue) return std::unexpected(queue.error());
  return Opened{std::move(*config), std::move(*session), std::move(*queue)};
}

int List(QueueOptions& options) {
  auto opened = Open(options);
  if (!opened) return Report(opened.error());
  auto items = opened->queue->List(opened->session.username);
  if (!items) return Report(items.error());
  if (options.output == OutputFormat::kJson) {
    Json list = Json::array();
    for (const OutboxItem& item : *items) list.push_back(QueueItemJson(item));
    PrintJson({{"user", opened->session.username}, {"payments", list}});
  } else if (items->empty()) {
    PrintText("the queue of " + opened->session.username + " is empty\n");
  } else {
    PrintText(QueueTable(*items).RenderForOutput());
  }
  // Whoever has seen the list has been told.
  auto told = opened->queue->TakeUntold(opened->session.username);
  return told ? static_cast<int>(kExitDone) : Report(told.error());
}

// The payment named by id, or by its place in the queue.
Result<OutboxItem> FindItem(Opened& opened, const std::string& name) {
  auto items = opened.queue->List(opened.session.username);
  if (!items) return std::unexpected(items.error());
  const auto id = Uuid::Parse(name);
  for (OutboxItem& item : *items) {
    if ((id && item.order.id == *id) || std::to_string(item.sequence) == name) return std::move(item);
  }
  return Fail(ErrorCode::kNotFound, "there is no payment " + Sanitize(name, 40) + " in the queue of " +
                                        opened.session.username + "; see strife queue list");
}

void PrintItem(const OutboxItem& item, OutputFormat output) {
  if (output == OutputFormat::kJson) {
    PrintJson(QueueItemJson(item));
  } else {
    PrintText(QueueItemText(item));
  }
}

int Show(QueueOptions& options) {
  auto opened = Open(options);
  if (!opened) return Report(opened.error());
  auto item = FindItem(*opened, options.id);
  if (!item) return Report(item.error());
  PrintItem(*item, options.output);
  return kExitDone;
}

std::string WhyNot(const protocol::OutboxAnswer& answer) {
  const std::string id = answer.item.order.id.ToString();
  switch (answer.outcome) {
    case OutboxOutcome::kTooLate:
      if (protocol::IsEnded(answer.item.state)) return "payment " + id + " has ended already";
      return "payment " + id + " may have been sent already, so it cannot be taken back";
    case OutboxOutcome::kNotEnded:
      return "payment " + id +
             " has not ended yet; deliver it with strife queue flush or take it back with strife queue "
             "cancel";
    case OutboxOutcome::kHasEnded:
      return "payment " + id + " has ended; to try again pay anew, with a new id";
    case OutboxOutcome::kInvalid:
      return "payment " + id + " cannot be sent: " + answer.message;
    default:
      return "there is no such payment in the queue; see strife queue list";
  }
}

using Change = Result<protocol::OutboxAnswer> (client::Queue::*)(const std::string& user, const Uuid& id);

int ChangeOne(QueueOptions& options, Change change) {
  auto opened = Open(options);
  if (!opened) return Report(opened.error());
  auto item = FindItem(*opened, options.id);
  if (!item) return Report(item.error());
  auto answer = ((*opened->queue).*change)(opened->session.username, item->order.id);
  if (!answer) return Report(answer.error());
  if (answer->outcome != OutboxOutcome::kAccepted) return Report({ErrorCode::kInvalidInput, WhyNot(*answer)});
  PrintItem(answer->item, options.output);
  return kExitDone;
}

int Cancel(QueueOptions& options) { return ChangeOne(options, &client::Queue::Cancel); }
int Retry(QueueOptions& options) { return ChangeOne(options, &client::Queue::Retry); }

int Acknowledge(QueueOptions& options) {
  if (options.all == !options.id.empty()) return ReportUsage("name one payment, or --all; see strife queue ack --help");
  if (!options.all) return ChangeOne(options, &client::Queue::Acknowledge);
  auto opened = Open(options);
  if (!opened) return Report(opened.error());
  auto done = opened->queue->AcknowledgeEnded(opened->session.username, WallNow() + std::chrono::seconds(1));
  return done ? static_cast<int>(kExitDone) : Report(done.error());
}

int Flush(QueueOptions& options) {
  const Interrupt interrupt;
  auto opened = Open(options);
  if (!opened) return Report(opened.error());
  return FlushQueue(opened->config, *opened->queue, opened->session.username, options.wait, options.output,
                    interrupt.token());
}

}  // namespace

void AddQueueCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* queue = app.add_subcommand("queue", "Payments that wait for the gateway, and how they ended");
  queue->require_subcommand(1);
  queue->footer("Examples:\n  strife queue list\n  strife queue flush");
  auto add = [&](const std::string& name, const std::string& description, const std::string& examples,
                 int (*action)(QueueOptions&)) {
    return AddCommandWith<QueueOptions>(*queue, invocation, name, description, examples, action);
  };
  const std::string id = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
  const std::string which = "The payment's id, or its place in the queue";
  add("list", "List what is waiting, and what has ended and is not acknowledged", "  strife queue list --output json",
      List);
  auto [show, show_options] = add("show", "Show one payment of the queue", "  strife queue show " + id, Show);
  show->add_option("ID", show_options->id, which)->required();
  auto [flush, flush_options] = add("flush", "Deliver the queue now, and tell how each payment ends",
                                    "  strife queue flush\n  strife queue flush --wait\n"
                                    "\nExit status: 0 nothing waits any more, 1 something was declined or refused, 3 "
                                    "something still waits.",
                                    Flush);
  flush->add_flag("--wait", flush_options->wait, "Stay until nothing waits any more, however long the gateway is away");
  auto [cancel, cancel_options] =
      add("cancel", "Take back a payment that has certainly never been sent", "  strife queue cancel " + id, Cancel);
  cancel->add_option("ID", cancel_options->id, which)->required();
  auto [retry, retry_options] = add("retry", "Put a payment that was set aside back into its place, with the same id",
                                    "  strife queue retry " + id, Retry);
  retry->add_option("ID", retry_options->id, which)->required();
  auto [ack, ack_options] = add("ack", "Take a payment that has ended, or was set aside, off the list",
                                "  strife queue ack " + id + "\n  strife queue ack --all", Acknowledge);
  ack->add_option("ID", ack_options->id, which);
  ack->add_flag("--all", ack_options->all, "All that have ended; what was set aside stays");
}

}  // namespace strife::cli
