#include "rpc/bank_links.h"

#include <algorithm>
#include <utility>

#include "protocol/reason.h"
#include "rpc/bank_link.h"

namespace strife::rpc {

using protocol::BankCommand;

BankLinks::BankLinks(BankLinksOptions options, Listener listener) : options_(options), listener_(std::move(listener)) {}

BankLinks::~BankLinks() {
  for (const auto& [id, link] : links_) link->Close();
}

std::shared_ptr<BankLink> BankLinks::Find(const std::string& bank_id) {
  std::unique_lock lock(mutex_);
  const auto found = links_.find(bank_id);
  return found == links_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<BankLink>> BankLinks::All() {
  std::vector<std::shared_ptr<BankLink>> all;
  {
    std::unique_lock lock(mutex_);
    for (const auto& [id, link] : links_) all.push_back(link);
  }
  std::ranges::sort(all, {}, [](const auto& link) { return link->bank_id(); });
  return all;
}

void BankLinks::Heard(const std::string& bank_id, WallTime now) {
  if (const auto link = Find(bank_id)) {
    link->stats().heartbeat_us.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
}

std::vector<BankHealth> BankLinks::Health(WallTime now, Duration patience) {
  std::vector<BankHealth> all;
  for (const auto& link : All()) all.push_back(link->Health(now, patience));
  return all;
}

void BankLinks::Collect(MetricWriter& writer, WallTime now, Duration patience) {
  for (const auto& link : All()) {
    const BankHealth health = link->Health(now, patience);
    const BankLinkStats& stats = link->stats();
    const MetricWriter::Labels bank = {{"bank", link->bank_id()}};
    writer.Gauge("strife_bank_up", "1 while the bank reports in time and answers.", bank, health.up ? 1 : 0);
    writer.Gauge("strife_bank_last_heartbeat_timestamp_seconds",
                 "When the bank was last heard; 0: not since the start.", bank,
                 static_cast<double>(stats.heartbeat_us.load(std::memory_order_relaxed)) / 1e6);
    writer.Gauge("strife_bank_ahead", "1 while the bank's payments wait: it has seen more of the store than there is.",
                 bank, health.ahead ? 1 : 0);
    writer.Gauge("strife_bank_queued_commands", "Commands waiting for the message in flight.", bank,
                 static_cast<double>(health.queued));
    const auto messages = [&](std::string_view outcome, const Counter& count) {
      writer.Count("strife_bank_messages_total", "Messages to the bank, by what came of them.",
                   {{"bank", link->bank_id()}, {"outcome", outcome}}, count);
    };
    messages("answered", stats.answered);
    messages("unanswered", stats.unanswered);
    messages("overloaded", stats.overloaded);
    writer.Latencies("strife_bank_message_duration_seconds", "From a message to the bank's answer.", bank,
                     stats.duration);
    writer.Sizes("strife_bank_message_commands", "Commands in a message.", bank, stats.batch);
  }
}

void BankLinks::Update(const protocol::BankRecord& bank) {
  std::unique_lock lock(mutex_);
  auto& link = links_[bank.bank_id];
  if (link == nullptr) link = std::make_shared<BankLink>(options_, listener_, on_their_way_, bank.bank_id);
  const auto updated = link;
  lock.unlock();
  updated->Update(bank);
}

void BankLinks::Send(const std::string& bank_id, std::vector<BankCommand> commands) {
  if (const auto link = Find(bank_id)) return link->Send(std::move(commands));
  std::vector<protocol::UndeliveredInput::Command> undelivered;
  undelivered.reserve(commands.size());
  for (const BankCommand& command : commands) undelivered.push_back({command.id, command.kind});
  listener_.undelivered({bank_id, std::move(undelivered)});
}

void BankLinks::GetBalance(const std::string& bank_id, const std::string& account_id, Done<Balance> done) {
  if (const auto link = Find(bank_id)) return link->GetBalance(account_id, std::move(done));
  done(std::unexpected(ApiError{.code = ApiCode::kUnavailable,
                                .reason_code = std::string(protocol::reason::kBankOffline),
                                .message = "bank " + bank_id + " has not registered with this gateway",
                                .retryable = true}));
}

void BankLinks::GetTrace(const std::string& bank_id, const Uuid& id, std::function<void(BankTrace)> done) {
  if (const auto link = Find(bank_id)) return link->GetTrace(id, std::move(done));
  done({.bank_id = bank_id, .problem = "it has not registered with this gateway"});
}

}  // namespace strife::rpc
