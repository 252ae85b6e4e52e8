// How audit logs are shown.
#pragma once

#include <string>
#include <vector>

#include "audit/examine.h"
#include "cli/output.h"
#include "env/audit_log.h"

namespace strife::cli {

// What `strife audit show` has found in one server's log.
struct ShownLog {
  std::string server;
  AuditStart start;
  std::vector<AuditEntry> entries;
};

// What `strife audit verify` has found.
struct ExaminedLog {
  std::string server;
  audit::Report report;
  std::size_t heads = 0;  // compared with
};

// All fields, as exported too: what the hash covers, in the form chain.h gives.
Json EntryJson(const AuditEntry& entry);
// The first line of an export.
Json StartJson(const std::string& server, const AuditStart& start);

Json LogsJson(const std::vector<ShownLog>& logs);
std::string LogsText(const std::vector<ShownLog>& logs);

Json ExaminedJson(const std::vector<ExaminedLog>& logs);
std::string ExaminedText(const std::vector<ExaminedLog>& logs);
// One sentence.
std::string ExaminedVerdict(const std::vector<ExaminedLog>& logs);

}  // namespace strife::cli
