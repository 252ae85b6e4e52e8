// Keys that never leave the machine that uses them: a request (PKCS #10) carries the public key to the CA.
//
// The CA takes the key from a request and nothing else: what the certificate says is decided where it is issued. A
// request proves that whoever made it holds the key, not who that is; so people compare the key's fingerprint.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace strife::security {

struct KeyRequestFiles {
  std::filesystem::path key_file;
  std::filesystem::path request_file;
};

// Makes a key (ECDSA P-256) and writes it, 0600, and a request for it that is labelled `label`. With `reuse_key` the
// key that is there is used instead. kAlreadyExists when there is one already and it is not to be used. Returns the
// key's fingerprint.
Result<std::string> WriteKeyRequest(const KeyRequestFiles& files, const std::string& label, bool reuse_key);

}  // namespace strife::security
