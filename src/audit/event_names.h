// The events' names, as `strife audit` shows them and filters by them.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "protocol/audit.h"

namespace strife::audit {

// "login_failed"; "unknown" for a number that is none.
std::string_view EventName(protocol::AuditEvent event);
std::optional<protocol::AuditEvent> EventNamed(std::string_view name);
std::vector<std::string_view> EventNames();

}  // namespace strife::audit
