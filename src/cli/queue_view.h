// How the payments of the queue are shown.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/output.h"
#include "cli/table.h"
#include "client/queue.h"

namespace strife::cli {

// How a queued payment stands, in one word: "QUEUED", "UNKNOWN" (sent, and not answered), "PARKED", "CANCELLED",
// "EXPIRED", or the state of the payment itself.
std::string StandingText(const OutboxItem& item);

Json QueueItemJson(const OutboxItem& item);
Table QueueTable(const std::vector<OutboxItem>& items);
std::string QueueItemText(const OutboxItem& item);

// "12.50 USD to bank2/user2 (id): completed", for a person who has been waiting for it.
std::string OutcomeSentence(const OutboxItem& item);

// "log in to send 3 queued payments".
std::string LoginAdvice(std::size_t waiting, const std::string& user);

// How many payments of `user` wait in the queue of this data directory; 0 when there is none or it cannot be read.
std::size_t CountWaiting(const std::filesystem::path& data_dir, const std::string& user);

// The payment as the queue of this data directory has it, if it is there and of `user`.
std::optional<OutboxItem> FindQueued(const std::filesystem::path& data_dir, const std::string& user, const Uuid& id);

// Tells, on standard error, how queued payments of `user` have ended that nobody has been told about.
void TellOutcomes(client::Queue& queue, const std::string& user);

}  // namespace strife::cli
