// Tells operators whom a server has kept from doing too much: the log, and the audit log.
#pragma once

#include <utility>
#include <vector>

#include "observability/log.h"
#include "protocol/audit.h"

namespace strife::server {

// One line, and one record for `submit` (an AuditInput, whose answer nobody waits for), for each of `limited`, which is
// summed up: a flood must not become one of records.
template <typename Submit>
void ReportLimited(std::vector<protocol::AuditRecord> limited, Logger& log, Submit submit) {
  for (protocol::AuditRecord& record : limited) {
    log.Write(LogLevel::kWarning, LogLine("limited")
                                      .Add("who", record.actor.empty() ? record.peer : record.actor)
                                      .Add("limit", record.subject)
                                      .Add("count", record.count));
    protocol::AuditInput input;
    input.record = std::move(record);
    submit(std::move(input));
  }
}

}  // namespace strife::server
