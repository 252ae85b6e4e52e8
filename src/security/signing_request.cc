#include "security/signing_request.h"

#include "base/assert.h"
#include "base/text.h"
#include "security/public_key.h"
#include "security/secure_file.h"

namespace strife::security {
namespace {

Result<KeyPtr> KeyFor(const std::filesystem::path& key_file, bool reuse_key) {
  if (reuse_key) {
    const auto pem = ReadKeyFile(key_file);
    if (!pem) return std::unexpected(pem.error());
    KeyPtr key = ReadPrivateKeyPem(*pem);
    if (!key) return Fail(ErrorCode::kInvalidInput, key_file.string() + " holds no unencrypted PEM private key");
    if (Status strong = CheckKeyStrength(key.get()); !strong) return std::unexpected(strong.error());
    return key;
  }
  KeyPtr key = MakeP256Key();
  if (Status written = WriteFile(key_file, ToPem(key.get()), kPrivateMode, Existing::kRefuse); !written) {
    if (written.error().code != ErrorCode::kAlreadyExists) return std::unexpected(written.error());
    return Fail(
        ErrorCode::kAlreadyExists,
        key_file.string() + " exists already; keep the key with --reuse-key, or make the new one in another --dir");
  }
  return key;
}

}  // namespace

Result<std::string> WriteKeyRequest(const KeyRequestFiles& files, const std::string& label, bool reuse_key) {
  const auto key = KeyFor(files.key_file, reuse_key);
  if (!key) return std::unexpected(key.error());
  ErrorQueueScope errors;
  const X509ReqPtr request(X509_REQ_new());
  STRIFE_ASSERT(request && X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1);
  X509_NAME* name = X509_REQ_get_subject_name(request.get());
  STRIFE_ASSERT(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                           reinterpret_cast<const unsigned char*>(label.c_str()), -1, -1, 0) == 1);
  STRIFE_ASSERT(X509_REQ_set_pubkey(request.get(), key->get()) == 1);
  // Ed25519 hashes by itself.
  const EVP_MD* digest = EVP_PKEY_is_a(key->get(), "ED25519") ? nullptr : EVP_sha256();
  STRIFE_ASSERT(X509_REQ_sign(request.get(), key->get(), digest) > 0);
  const Status written = WriteFile(files.request_file, ToPem(request.get()), kPublicMode, Existing::kReplace);
  if (!written) return std::unexpected(written.error());
  return KeyFingerprint(key->get());
}

}  // namespace strife::security
