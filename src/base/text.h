// Checks on text that comes from outside.
#pragma once

#include <string>
#include <string_view>

namespace strife {

// Well-formed UTF-8 without control characters (C0, DEL, C1) and without the bidirectional and line separators that
// could forge what a terminal or a log shows.
bool IsPrintableUtf8(std::string_view text);

// 1 to `max_bytes` of [A-Za-z0-9._-], starting with a letter or digit: bank ids, account ids, user names.
bool IsIdentifier(std::string_view text, std::size_t max_bytes);

// `text` made fit for a log line or terminal: bytes that are not printable UTF-8 become '?', at most `max_bytes`.
std::string Sanitize(std::string_view text, std::size_t max_bytes);

}  // namespace strife
