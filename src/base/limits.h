// Every limit in one place. Units come last in the names.
#pragma once

#include <cstddef>
#include <cstdint>

namespace strife::limits {

// Payments
inline constexpr std::int64_t kMaxAmountMinorUnits = 1'000'000'000'000'000;  // leaves 9,000 such amounts to an overflow
inline constexpr std::size_t kMaxMemoBytes = 140;                            // ISO 20022 unstructured remittance line
inline constexpr std::size_t kMaxAccountIdBytes = 64;
inline constexpr std::size_t kMaxBankIdBytes = 32;
inline constexpr std::size_t kMaxUsernameBytes = 64;
inline constexpr std::size_t kMaxPasswordBytes = 1024;
inline constexpr std::size_t kMaxReasonCodeBytes = 35;
inline constexpr std::size_t kMaxReasonMessageBytes = 256;
inline constexpr std::size_t kMaxDisplayNameBytes = 140;
inline constexpr std::size_t kMaxEndpointBytes = 255;

// Requests
inline constexpr std::size_t kMaxPaymentsPerCall = 1024;
inline constexpr int kDefaultHistoryPageRows = 50;
inline constexpr int kMaxHistoryPageRows = 1000;
inline constexpr std::size_t kMaxMessageBytes = std::size_t{4} << 20;
inline constexpr std::size_t kMaxMetadataBytes = std::size_t{16} << 10;
inline constexpr std::size_t kMaxTokenBytes = 4096;

// Connections of one server; docs/decisions/0013-limits-at-the-door.md
inline constexpr std::size_t kMaxConnections = 2048;
inline constexpr std::size_t kMaxConnectionsPerAddress = 512;
inline constexpr int kMaxCallsPerConnection = 1024;       // at a time; with more connections each call costs more
inline constexpr std::size_t kReservedDescriptors = 192;  // for databases, logs and connections to others
inline constexpr int kMaxHandshakeSeconds = 10;           // until the first HTTP/2 frame
// "New": younger than a handshake may last, and no call of it has been admitted yet.
inline constexpr std::size_t kMaxNewConnections = 768;
inline constexpr std::size_t kMaxNewConnectionsPerAddress = 256;
inline constexpr std::size_t kMaxConnectionBurstPerAddress = 512;
inline constexpr std::size_t kMaxConnectionsPerSecondPerAddress = 100;
inline constexpr int kMaxConnectionIdleSeconds = 600;  // without a call
inline constexpr int kMaxConnectionAgeSeconds = 3600;  // so that a renewed certificate takes hold with every peer
inline constexpr int kMinPingIntervalSeconds = 10;     // of a peer that sends nothing else
inline constexpr int kMaxPingStrikes = 2;              // pings that come sooner, until the connection is closed
// Received from an address and not part of a call that has arrived in full: handshakes, frames, halves of requests. So
// much may be outstanding for honest work: kMaxOpenPayments in batches come to half of it.
inline constexpr std::size_t kMaxUnexplainedBytes = std::size_t{16} << 20;
inline constexpr std::size_t kMaxUnexplainedBytesPerSecond = std::size_t{256} << 10;
// Nobody who sent less is closed for what else comes from the address.
inline constexpr std::size_t kMinUnexplainedBytesToClose = std::size_t{256} << 10;
inline constexpr std::size_t kMaxRequestMemoryBytes = std::size_t{256} << 20;  // of calls under way, altogether

// Calls
inline constexpr int kMaxCallSeconds = 60;  // whatever deadline it came with; longer with a longer transaction_timeout
inline constexpr int kDefaultCallsPerSecond = 20'000;     // of one certificate
inline constexpr int kDefaultPaymentsPerSecond = 20'000;  // of one user
inline constexpr int kMaxRatePerSecond = 1'000'000;       // that can be configured
// Calls of a certificate that came to nothing: given up by the caller, over the rate, or with a certificate that is not
// admitted. With more, the connection is closed.
inline constexpr std::size_t kMaxWastedCalls = 2000;
inline constexpr std::size_t kMaxWastedCallsPerSecond = 100;
inline constexpr std::size_t kMaxUnsentCallsPerCertificate = 20'000;  // begun, and not sent to their end
inline constexpr std::size_t kMaxHistoriesUnderWayPerCertificate =
    32;                                                // until the answer has been taken, 1 MiB at most
inline constexpr std::size_t kMaxRatedPeers = 16'384;  // remembered by each rate
inline constexpr std::size_t kMaxLimitedPeers = 64;    // named in one summary of what was limited

// Operators
inline constexpr int kDefaultInDoubtRows = 100;
inline constexpr int kMaxInDoubtRows = 1000;
inline constexpr std::int64_t kMaxInDoubtAgeSeconds = 100LL * 365 * 86'400;

// Gateway
inline constexpr std::size_t kMaxOpenPayments = 20'000;         // submitted and not yet answered
inline constexpr std::size_t kMaxOpenPaymentsPerUser = 4096;    // and never more than is left for others
inline constexpr std::size_t kMaxOpenPaymentsPerBank = 15'000;  // so that one bank cannot fill the gateway
inline constexpr std::size_t kMaxPaymentsUnderWay = 2048;  // with the banks; docs/decisions/0015-payments-in-turns.md
inline constexpr std::size_t kMaxBanks = 256;
// What a bank may claim to have seen of a gateway's store. Half of what can be stored: after it there is room to go on.
inline constexpr std::uint64_t kMaxSequence = std::uint64_t{1} << 62;
inline constexpr std::size_t kMaxCurrenciesPerBank = 64;
inline constexpr std::size_t kMaxCapabilitiesPerBank = 16;
inline constexpr std::size_t kMaxCommandsPerBatch = 2048;  // in one message to a bank
inline constexpr std::size_t kMaxWorkerQueue = 4096;       // reads and look-ups waiting for a worker
inline constexpr std::size_t kMaxVerifiedTokens = 65'536;  // remembered, so that a token costs its signature once
inline constexpr std::size_t kMaxLoginsUnderWay = 256;     // in memory, most of them waiting for the hash pool
inline constexpr std::size_t kMaxLoginsUnderWayPerCertificate = 32;
// Well below kMaxDeviceLoginFailures, for a login counts as a failure until its password has been found right.
inline constexpr std::size_t kMaxLoginsUnderWayPerDevice = 4;

// Refreshes of one session: so many at once, and so many while an access token lives. Each leaves a row until it
// expires.
inline constexpr int kMaxRefreshesAtOnce = 30;
inline constexpr int kMaxRefreshesPerAccessToken = 4;
// The longest life of an access token that can be configured, and so how long a revoked session must be remembered.
inline constexpr int kMaxAccessTokenSeconds = 3600;

inline constexpr std::size_t kMaxPasswordCosts = 3;  // different ones among users' hashes

// Logins: failures after which each further one blocks; see security/login_throttle.h
inline constexpr std::int64_t kMaxCountedLoginFailures = 1'000'000;       // a stored counter that says more is damaged
inline constexpr std::int64_t kMaxDeviceLoginFailures = 8;                // of a user under one certificate: locked
inline constexpr std::int64_t kMaxUserLoginFailures = 20;                 // of a user, by strangers
inline constexpr std::int64_t kMaxCertificateLoginFailures = 100;         // under a certificate, by strangers
inline constexpr std::int64_t kMaxAddressLoginFailures = 300;             // from an address, by strangers
inline constexpr int kMaxForgottenRows = 1000;                            // deleted in one commit
inline constexpr std::int64_t kMaxRefreshGeneration = 1'000'000'000'000;  // a stored one that says more is damaged

// Bank
inline constexpr std::size_t kMaxQueuedCommands = 100'000;
inline constexpr std::size_t kMaxInquiriesInFlight = 64;

// Traces
inline constexpr std::size_t kMaxTraceSteps = 32;                        // of one payment in one process
inline constexpr std::size_t kMaxTraceBytes = 64 + 48 * kMaxTraceSteps;  // as stored
inline constexpr std::size_t kMaxUnwrittenTraces = 4096;                 // whose latest steps wait to be written

// Operators' looks at everybody's payments: rows looked at for one page
inline constexpr int kMaxRowsExamined = 20'000;
// Why something is suspended
inline constexpr std::size_t kMaxSuspensionReasonBytes = 256;

// Audit log, of one record
inline constexpr std::size_t kMaxAuditActorBytes = 128;
inline constexpr std::size_t kMaxAuditPeerBytes = 64;
inline constexpr std::size_t kMaxAuditSubjectBytes = 128;
inline constexpr std::size_t kMaxAuditDetailBytes = 512;

// Engine
inline constexpr std::size_t kMaxInputsPerCycle = 2048;  // one durable transaction

}  // namespace strife::limits
