#include "security/password.h"

#include <argon2.h>

#include <charconv>
#include <vector>

#include "base/assert.h"
#include "base/limits.h"
#include "security/random.h"

namespace strife::security {
namespace {

constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kMaxHashText = 256;
constexpr std::string_view kPrefix = "$argon2id$v=19$";
constexpr PasswordCost kMaxCost{.memory_kib = 1024 * 1024, .iterations = 64, .lanes = 16};

// Takes "<name><number>" off the front.
bool TakeNumber(std::string_view& text, std::string_view name, std::uint32_t& number) {
  if (!text.starts_with(name)) return false;
  const char* begin = text.data() + name.size();
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), number);
  if (error != std::errc() || end == begin) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

// Unpadded standard base64 of at least `min_chars`.
bool IsBase64(std::string_view text, std::size_t min_chars) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return text.size() >= min_chars && text.find_first_not_of(kAlphabet) == std::string_view::npos;
}

bool IsSane(const PasswordCost& cost) {
  return cost.memory_kib >= 8 * cost.lanes && cost.memory_kib <= kMaxCost.memory_kib && cost.iterations >= 1 &&
         cost.iterations <= kMaxCost.iterations && cost.lanes >= 1 && cost.lanes <= kMaxCost.lanes;
}

}  // namespace

Result<std::string> HashPassword(std::string_view password, const PasswordCost& cost) {
  STRIFE_ASSERT(IsSane(cost));
  if (password.empty()) return Fail(ErrorCode::kInvalidInput, "The password is empty; give one");
  if (password.size() > limits::kMaxPasswordBytes) {
    return Fail(ErrorCode::kInvalidInput, "The password is longer than " + std::to_string(limits::kMaxPasswordBytes) +
                                              " bytes; give a shorter one");
  }
  const auto salt = RandomBytes<kSaltBytes>();
  std::vector<char> text(
      argon2_encodedlen(cost.iterations, cost.memory_kib, cost.lanes, kSaltBytes, kHashBytes, Argon2_id));
  const int result =
      argon2id_hash_encoded(cost.iterations, cost.memory_kib, cost.lanes, password.data(), password.size(), salt.data(),
                            salt.size(), kHashBytes, text.data(), text.size());
  if (result == ARGON2_OK) return std::string(text.data());
  return Fail(ErrorCode::kResourceExhausted, std::string("Cannot hash the password: ") + argon2_error_message(result));
}

bool VerifyPassword(std::string_view password, const std::string& hash) {
  if (password.size() > limits::kMaxPasswordBytes || !ReadPasswordCost(hash)) return false;
  return argon2id_verify(hash.c_str(), password.data(), password.size()) == ARGON2_OK;
}

Result<PasswordCost> ReadPasswordCost(std::string_view hash) {
  const auto refuse = [] {
    return Fail(ErrorCode::kInvalidInput, "is no argon2id hash as strife users hash makes it");
  };
  if (hash.size() > kMaxHashText || !hash.starts_with(kPrefix)) return refuse();
  std::string_view rest = hash.substr(kPrefix.size());
  PasswordCost cost;
  if (!TakeNumber(rest, "m=", cost.memory_kib) || !TakeNumber(rest, ",t=", cost.iterations) ||
      !TakeNumber(rest, ",p=", cost.lanes) || !IsSane(cost) || !rest.starts_with('$')) {
    return refuse();
  }
  rest.remove_prefix(1);
  const std::size_t separator = rest.find('$');
  if (separator == std::string_view::npos) return refuse();
  if (!IsBase64(rest.substr(0, separator), 11) || !IsBase64(rest.substr(separator + 1), 22)) return refuse();
  return cost;
}

}  // namespace strife::security
