// OpenSSL objects with owners, and the few conversions used here. Internal to security/.
#pragma once

#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "env/gateway_store.h"

namespace strife::security {

template <auto Free>
struct OpensslFree {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

using BioPtr = std::unique_ptr<BIO, OpensslFree<BIO_free_all>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;
using DigestContextPtr = std::unique_ptr<EVP_MD_CTX, OpensslFree<EVP_MD_CTX_free>>;
using EcdsaSignaturePtr = std::unique_ptr<ECDSA_SIG, OpensslFree<ECDSA_SIG_free>>;
using BignumPtr = std::unique_ptr<BIGNUM, OpensslFree<BN_free>>;
using Asn1IntegerPtr = std::unique_ptr<ASN1_INTEGER, OpensslFree<ASN1_INTEGER_free>>;
using Asn1TimePtr = std::unique_ptr<ASN1_TIME, OpensslFree<ASN1_TIME_free>>;
using X509Ptr = std::unique_ptr<X509, OpensslFree<X509_free>>;
using X509NamePtr = std::unique_ptr<X509_NAME, OpensslFree<X509_NAME_free>>;
using X509ReqPtr = std::unique_ptr<X509_REQ, OpensslFree<X509_REQ_free>>;
using X509CrlPtr = std::unique_ptr<X509_CRL, OpensslFree<X509_CRL_free>>;
using X509RevokedPtr = std::unique_ptr<X509_REVOKED, OpensslFree<X509_REVOKED_free>>;
using X509ExtensionPtr = std::unique_ptr<X509_EXTENSION, OpensslFree<X509_EXTENSION_free>>;
using X509StorePtr = std::unique_ptr<X509_STORE, OpensslFree<X509_STORE_free>>;
using X509StoreContextPtr = std::unique_ptr<X509_STORE_CTX, OpensslFree<X509_STORE_CTX_free>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, OpensslFree<GENERAL_NAMES_free>>;
using GeneralNamePtr = std::unique_ptr<GENERAL_NAME, OpensslFree<GENERAL_NAME_free>>;

// Takes what the enclosed calls have left in the thread's error queue out again: the TLS library on the same thread
// would take it for its own.
class ErrorQueueScope {
 public:
  ErrorQueueScope() { ERR_set_mark(); }
  ~ErrorQueueScope() { ERR_pop_to_mark(); }
  ErrorQueueScope(const ErrorQueueScope&) = delete;
  ErrorQueueScope& operator=(const ErrorQueueScope&) = delete;
};

// To read the text, which must outlive it.
BioPtr Reader(std::string_view text);

// Null or empty when the text holds no such thing. Never asks a person for a passphrase.
KeyPtr ReadPrivateKeyPem(std::string_view pem);
std::vector<X509Ptr> ReadCertificatesPem(std::string_view pem);
std::vector<X509CrlPtr> ReadRevocationListsPem(std::string_view pem);

std::string ToPem(X509* certificate);
std::string ToPem(X509_CRL* list);
std::string ToPem(X509_REQ* request);
std::string ToPem(EVP_PKEY* private_key);

KeyPtr MakeP256Key();

// Hexadecimal, lower case, without leading zeros.
std::string SerialText(const ASN1_INTEGER* serial);
Sha256 HashOf(const X509_NAME* name);

WallTime ToWallTime(const ASN1_TIME* time);
// Whole seconds.
Asn1TimePtr ToAsn1Time(WallTime time);
std::int64_t ToUnixSeconds(WallTime time);
WallTime FromUnixSeconds(std::int64_t seconds);

}  // namespace strife::security
