#include "security/login_throttle.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "base/limits.h"

namespace strife::security {
namespace {

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

struct Rule {
  std::int64_t max_failures;  // from this many on, each failure blocks
  Duration forgive_every;     // one failure is forgotten in this time
  Duration first_block;       // doubles with each failure after the first that blocks
  Duration longest_block;
};

constexpr Rule RuleOf(LoginScope scope) {
  switch (scope) {
    case LoginScope::kDevice:
      return {limits::kMaxDeviceLoginFailures, hours(3), minutes(15), hours(4)};
    case LoginScope::kUser:
      return {limits::kMaxUserLoginFailures, minutes(30), minutes(1), minutes(15)};
    case LoginScope::kCertificate:
      return {limits::kMaxCertificateLoginFailures, seconds(36), seconds(2), minutes(1)};
    case LoginScope::kAddress:
      return {limits::kMaxAddressLoginFailures, seconds(12), seconds(2), minutes(1)};
  }
  STRIFE_ASSERT(false);
  return {};
}

// '/' is in no user name and no certificate's name.
LoginCounterKey DeviceKey(const LoginAttempt& attempt) {
  return {LoginScope::kDevice, attempt.username + '/' + attempt.certificate};
}

// The device first.
std::array<LoginCounterKey, 4> AllKeys(const LoginAttempt& attempt) {
  return {DeviceKey(attempt), LoginCounterKey{LoginScope::kUser, attempt.username},
          LoginCounterKey{LoginScope::kCertificate, attempt.certificate},
          LoginCounterKey{LoginScope::kAddress, attempt.address}};
}

LoginCounterRecord Find(const LoginCounterKey& key, const GatewayRows& rows) {
  const auto found = rows.login_counters.find(key);
  if (found != rows.login_counters.end()) return found->second;
  LoginCounterRecord fresh;
  fresh.key = key;
  return fresh;
}

// How many failures are not forgiven yet. A clock that was set back forgives nothing.
std::int64_t FailuresAt(const LoginCounterRecord& counter, WallTime now) {
  if (now <= counter.counted_at) return counter.failures;
  const std::int64_t forgiven = (now - counter.counted_at) / RuleOf(counter.key.scope).forgive_every;
  return std::max<std::int64_t>(counter.failures - forgiven, 0);
}

// Never further away than the longest block, so that a clock that was wrong for a while locks nobody out for good.
std::optional<WallTime> BlockedAt(const LoginCounterRecord& counter, WallTime now) {
  if (!counter.blocked_until || *counter.blocked_until <= now) return std::nullopt;
  return std::min(*counter.blocked_until, now + RuleOf(counter.key.scope).longest_block);
}

bool IsFamiliar(const LoginCounterRecord& device, WallTime now) {
  return device.succeeded_at && now - *device.succeeded_at < kFamiliarFor;
}

Duration BlockAfter(const Rule& rule, std::int64_t failures) {
  Duration block = rule.first_block;
  for (std::int64_t i = rule.max_failures; i < failures && block < rule.longest_block; ++i) block *= 2;
  return std::min(block, rule.longest_block);
}

void Write(LoginCounterRecord counter, GatewayRows& rows, GatewayRecords& records) {
  counter.forget_at = counter.counted_at + counter.failures * RuleOf(counter.key.scope).forgive_every;
  if (counter.blocked_until) counter.forget_at = std::max(counter.forget_at, *counter.blocked_until);
  if (counter.succeeded_at) counter.forget_at = std::max(counter.forget_at, *counter.succeeded_at + kFamiliarFor);
  rows.login_counters.insert_or_assign(counter.key, counter);
  records.login_counters.push_back(std::move(counter));
}

void CountFailure(LoginCounterRecord counter, WallTime now, GatewayRows& rows, GatewayRecords& records) {
  const Rule rule = RuleOf(counter.key.scope);
  counter.failures = FailuresAt(counter, now) + 1;
  counter.counted_at = now;
  counter.blocked_until.reset();
  if (counter.failures >= rule.max_failures) counter.blocked_until = now + BlockAfter(rule, counter.failures);
  Write(std::move(counter), rows, records);
}

void TakeFailureBack(LoginCounterRecord counter, GatewayRows& rows, GatewayRecords& records) {
  counter.failures = std::max<std::int64_t>(counter.failures - 1, 0);
  if (counter.failures < RuleOf(counter.key.scope).max_failures) counter.blocked_until.reset();
  Write(std::move(counter), rows, records);
}

// The counters that `attempt` counts in, the device first.
std::span<const LoginCounterKey> Counted(const LoginAttempt& attempt, std::span<const LoginCounterKey> all) {
  return all.first(attempt.familiar ? 1 : all.size());
}

LoginOutcome Begin(const Now& now, const LoginBegun& begun, GatewayRows& rows, GatewayRecords& records) {
  const auto keys = AllKeys(begun.attempt);
  LoginOutcome outcome{begun.reply_to, LoginResult::kGoOn, begun.attempt, {}, {}, {}};
  outcome.attempt.familiar = IsFamiliar(Find(keys.front(), rows), now.wall);
  const auto counted = Counted(outcome.attempt, keys);
  for (const LoginCounterKey& key : counted) {
    const auto until = BlockedAt(Find(key, rows), now.wall);
    if (!until || *until <= outcome.blocked_until) continue;
    outcome.result = LoginResult::kBlocked;
    outcome.scope = key.scope;
    outcome.blocked_until = *until;
  }
  if (outcome.result == LoginResult::kBlocked) return outcome;
  for (const LoginCounterKey& key : counted) CountFailure(Find(key, rows), now.wall, rows, records);
  return outcome;
}

std::string_view ScopeName(LoginScope scope) {
  switch (scope) {
    case LoginScope::kDevice:
      return "user at this certificate";
    case LoginScope::kUser:
      return "user, for strangers";
    case LoginScope::kCertificate:
      return "certificate, for strangers";
    case LoginScope::kAddress:
      return "address, for strangers";
  }
  return "unknown";
}

LoginOutcome Fail(const Now& now, const LoginFailed& failed, const GatewayRows& rows, GatewayRecords& records) {
  LoginOutcome outcome{failed.reply_to, LoginResult::kFailed, failed.attempt, {}, {}, {}};
  const auto keys = AllKeys(failed.attempt);
  for (const LoginCounterKey& key : Counted(failed.attempt, keys)) {
    const auto until = BlockedAt(Find(key, rows), now.wall);
    if (!until || *until <= outcome.blocked_until) continue;
    outcome.scope = key.scope;
    outcome.blocked_until = *until;
  }
  protocol::AuditRecord& record = records.audit.emplace_back();
  record.event = protocol::AuditEvent::kLoginFailed;
  record.at = now.wall;
  record.actor = "client/" + failed.attempt.certificate;
  record.peer = failed.attempt.address;
  record.subject = "user/" + failed.attempt.username;
  if (outcome.scope) {
    record.detail = "blocks " + std::string(ScopeName(*outcome.scope)) + " for " +
                    std::to_string((outcome.blocked_until - now.wall) / seconds(1)) + " s";
  }
  return outcome;
}

LoginOutcome Succeed(const Now& now, const LoginSucceeded& succeeded, GatewayRows& rows, GatewayRecords& records) {
  const auto keys = AllKeys(succeeded.attempt);
  LoginCounterRecord device = Find(keys.front(), rows);
  device.failures = 0;
  device.counted_at = now.wall;
  device.blocked_until.reset();
  device.succeeded_at = now.wall;
  Write(std::move(device), rows, records);
  if (!succeeded.attempt.familiar) {
    for (const LoginCounterKey& key : std::span(keys).subspan(1)) TakeFailureBack(Find(key, rows), rows, records);
  }
  LoginOutcome outcome{succeeded.reply_to, LoginResult::kSucceeded, succeeded.attempt, {}, {}, {}};
  outcome.session = Sessions::Step(now, succeeded.session, rows, records);
  protocol::AuditRecord& record = records.audit.emplace_back();
  record.event = protocol::AuditEvent::kLogin;
  record.at = now.wall;
  record.actor = "user/" + succeeded.attempt.username;
  record.peer = succeeded.attempt.address;
  record.subject = succeeded.session.session.session_id.ToString();
  record.detail = "certificate=" + succeeded.attempt.certificate;
  return outcome;
}

}  // namespace

void LoginThrottle::CollectKeys(const LoginInput& input, GatewayKeys& keys) {
  const auto add = [&keys](const LoginAttempt& attempt) {
    for (LoginCounterKey& key : AllKeys(attempt)) keys.login_counters.push_back(std::move(key));
  };
  std::visit(Overloaded{
                 [&](const LoginBegun& begun) { add(begun.attempt); },
                 [&](const LoginFailed& failed) { add(failed.attempt); },
                 [&](const LoginSucceeded& succeeded) { add(succeeded.attempt); },
                 [](const LoginsPruned&) {},
             },
             input);
}

LoginOutcome LoginThrottle::Step(const Now& now, const LoginInput& input, GatewayRows& rows, GatewayRecords& records) {
  return std::visit(Overloaded{
                        [&](const LoginBegun& begun) { return Begin(now, begun, rows, records); },
                        [&](const LoginFailed& failed) { return Fail(now, failed, rows, records); },
                        [&](const LoginSucceeded& succeeded) { return Succeed(now, succeeded, rows, records); },
                        [&](const LoginsPruned& pruned) {
                          records.forget_before = now.wall;
                          records.forget_sessions_before = pruned.sessions_before;
                          return LoginOutcome{pruned.reply_to, LoginResult::kPruned, {}, {}, {}, {}};
                        },
                    },
                    input);
}

}  // namespace strife::security
