// Where a server's own events go into its audit log: starts, reloads, certificates, and refusals summed up.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "env/clock.h"
#include "protocol/audit.h"
#include "server/refusals.h"

namespace strife::server {

class AuditDesk {
 public:
  // Must take the record whatever the load, to be made durable by the engine.
  using Append = std::function<void(protocol::AuditRecord)>;

  explicit AuditDesk(Clock& clock) : clock_(clock) {}
  // Before anything below but Count.
  void Connect(Append append) { append_ = std::move(append); }

  // An event of the server itself.
  protocol::AuditRecord Event(protocol::AuditEvent event, std::string subject, std::string detail) const {
    protocol::AuditRecord record;
    record.event = event;
    record.at = clock_.Read().wall;
    record.subject = std::move(subject);
    record.detail = std::move(detail);
    return record;
  }
  void Note(protocol::AuditEvent event, std::string subject, std::string detail) {
    append_(Event(event, std::move(subject), std::move(detail)));
  }

  // A call was refused. From any thread.
  void Count(protocol::AuditRecord refusal) { refusals_.Count(std::move(refusal)); }
  // Writes what is due; meant to be called every half second.
  void Tick() {
    for (protocol::AuditRecord& record : refusals_.Due(clock_.Read())) append_(std::move(record));
  }
  // Writes what is left, before the engine stops.
  void Flush() {
    for (protocol::AuditRecord& record : refusals_.Rest(clock_.Read())) append_(std::move(record));
  }

 private:
  Clock& clock_;
  Append append_;
  Refusals refusals_;
};

}  // namespace strife::server
