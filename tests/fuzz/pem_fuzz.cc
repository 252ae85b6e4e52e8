// What strife pki is handed from elsewhere: files to show, and requests with a key. Whatever they hold, they are
// described or refused with a sentence, and nothing of a private key is told.
#include "fuzz.h"
#include "security/describe.h"
#include "security/public_key.h"

namespace strife::security {
namespace {

const WallTime kNow(std::chrono::seconds(1'800'000'000));

FUZZ_TARGET(pem) {
  const auto descriptions = Describe(input, kNow);
  if (!descriptions) {
    fuzz::CheckMessage(descriptions.error().message);
  } else {
    STRIFE_ASSERT(!descriptions->empty());
    for (const Description& description : *descriptions) STRIFE_ASSERT(description.front().first == "kind");
  }
  if (const auto key = KeyOfRequest(input); !key) fuzz::CheckMessage(key.error().message);
}

}  // namespace
}  // namespace strife::security
