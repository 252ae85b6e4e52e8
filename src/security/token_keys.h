// The keys access tokens are signed with: P-256 private keys in a directory, one file <kid>.pem of mode 0600 each. The
// kid is a version 7 UUID, so the newest is the last by name. The newest signs; all verify. To rotate, add a key; to
// retire one, remove it once every token it signed has expired; then load again (TokenRing does).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace strife::security {

// Immutable and thread-safe.
class TokenKeys {
 public:
  // Loads every key of `directory`, making the directory (0700) and a first key when there is none. Refuses key files
  // that others can read, and files that hold no P-256 key.
  static Result<std::shared_ptr<const TokenKeys>> LoadOrCreate(const std::filesystem::path& directory, WallTime now);
  // Writes a new key, newer than all that are there, and returns its kid.
  static Result<std::string> Add(const std::filesystem::path& directory, WallTime now);

  // Deletes a key. kNotFound when it is not there.
  static Status Remove(const std::filesystem::path& directory, const std::string& kid);
  // The kids of the key files, oldest first; their contents are not looked at. kNotFound when there is no directory.
  static Result<std::vector<std::string>> List(const std::filesystem::path& directory);
  // When a key was made, going by its kid. REQUIRES: one of List.
  static WallTime CreatedAt(const std::string& kid);

  ~TokenKeys();

  const std::string& signing_kid() const;
  bool Has(std::string_view kid) const;
  std::vector<std::string> kids() const;  // oldest first

  // The public keys as a JSON Web Key Set (RFC 7517), for whoever wants to check tokens elsewhere.
  std::string Jwks() const;

  // ECDSA with SHA-256 in JWS form: r and s, 32 bytes each (RFC 7518 section 3.4).
  std::string Sign(std::string_view message) const;
  bool Verify(std::string_view kid, std::string_view message, std::string_view signature) const;

 private:
  struct Keys;
  explicit TokenKeys(std::unique_ptr<Keys> keys);

  std::unique_ptr<Keys> keys_;
};

}  // namespace strife::security
