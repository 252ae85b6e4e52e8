#include "security/openssl.h"

#include <openssl/ec.h>
#include <openssl/pem.h>

#include <ctime>

#include "base/assert.h"
#include "security/encoding.h"

namespace strife::security {
namespace {

int NoPassphrase(char*, int, int, void*) { return -1; }

template <typename T>
std::string WritePem(int (*write)(BIO*, const T*), T* object) {
  BioPtr bio(BIO_new(BIO_s_mem()));
  STRIFE_ASSERT(bio && write(bio.get(), object) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

BioPtr Reader(std::string_view text) {
  // Text that is empty may have no address, which OpenSSL does not take.
  BioPtr bio(BIO_new_mem_buf(text.empty() ? "" : text.data(), static_cast<int>(text.size())));
  STRIFE_ASSERT(bio);
  return bio;
}

KeyPtr ReadPrivateKeyPem(std::string_view pem) {
  ErrorQueueScope errors;
  return KeyPtr(PEM_read_bio_PrivateKey(Reader(pem).get(), nullptr, NoPassphrase, nullptr));
}

std::vector<X509Ptr> ReadCertificatesPem(std::string_view pem) {
  ErrorQueueScope errors;
  BioPtr bio = Reader(pem);
  std::vector<X509Ptr> certificates;
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr)) {
    certificates.emplace_back(certificate);
  }
  return certificates;
}

std::vector<X509CrlPtr> ReadRevocationListsPem(std::string_view pem) {
  ErrorQueueScope errors;
  BioPtr bio = Reader(pem);
  std::vector<X509CrlPtr> lists;
  while (X509_CRL* list = PEM_read_bio_X509_CRL(bio.get(), nullptr, NoPassphrase, nullptr)) lists.emplace_back(list);
  return lists;
}

std::string ToPem(X509* certificate) { return WritePem<X509>(PEM_write_bio_X509, certificate); }

std::string ToPem(X509_CRL* list) { return WritePem<X509_CRL>(PEM_write_bio_X509_CRL, list); }

std::string ToPem(X509_REQ* request) { return WritePem<X509_REQ>(PEM_write_bio_X509_REQ, request); }

std::string ToPem(EVP_PKEY* private_key) {
  const auto write = [](BIO* bio, const EVP_PKEY* key) {
    return PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  };
  return WritePem<EVP_PKEY>(write, private_key);
}

KeyPtr MakeP256Key() {
  KeyPtr key(EVP_EC_gen("P-256"));
  STRIFE_ASSERT(key);
  return key;
}

std::string SerialText(const ASN1_INTEGER* serial) {
  std::string text = HexEncode({ASN1_STRING_get0_data(serial), static_cast<std::size_t>(ASN1_STRING_length(serial))});
  text.erase(0, text.find_first_not_of('0'));
  if (text.empty()) text = "0";
  return ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER ? "-" + text : text;
}

Sha256 HashOf(const X509_NAME* name) {
  const unsigned char* der = nullptr;
  std::size_t size = 0;
  STRIFE_ASSERT(X509_NAME_get0_der(name, &der, &size) == 1);
  return Sha256Of(std::span(der, size));
}

WallTime ToWallTime(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return FromUnixSeconds(timegm(&parts));
}

Asn1TimePtr ToAsn1Time(WallTime time) {
  Asn1TimePtr result(ASN1_TIME_set(nullptr, ToUnixSeconds(time)));
  STRIFE_ASSERT(result);
  return result;
}

std::int64_t ToUnixSeconds(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

WallTime FromUnixSeconds(std::int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

}  // namespace strife::security
