// A word to the service manager that started the process (systemd, Type=notify).
#pragma once

#include <string_view>

namespace strife::server {

// Sends `state`, such as "READY=1" or "STOPPING=1", to the socket named in NOTIFY_SOCKET (sd_notify(3)); does nothing
// when there is none. Never blocks, and nothing depends on its arrival.
void NotifyManager(std::string_view state);

}  // namespace strife::server
