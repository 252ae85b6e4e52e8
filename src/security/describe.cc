#include "security/describe.h"

#include <arpa/inet.h>
#include <openssl/pem.h>

#include <algorithm>

#include "base/assert.h"
#include "base/text.h"
#include "security/certificate.h"
#include "security/encoding.h"
#include "security/openssl.h"
#include "security/public_key.h"
#include "security/revocation_lists.h"
#include "security/x509_builder.h"

namespace strife::security {
namespace {

constexpr std::size_t kMaxShownBytes = 300;

std::int64_t DaysLeft(WallTime end, WallTime now) {
  return std::max<std::int64_t>(std::chrono::floor<std::chrono::days>(end - now).count(), 0);
}

// Host names and addresses a server is reached at.
std::vector<std::string> Hosts(X509* certificate) {
  const GeneralNamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> hosts;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const auto* value =
        static_cast<ASN1_STRING*>(GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type));
    const std::string bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                            static_cast<std::size_t>(ASN1_STRING_length(value)));
    if (type == GEN_DNS) hosts.push_back(Sanitize(bytes, kMaxShownBytes));
    if (type != GEN_IPADD) continue;
    const auto octets = reinterpret_cast<const unsigned char*>(bytes.data());
    char text[INET6_ADDRSTRLEN] = {};
    const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
    if (bytes.size() != 4 && bytes.size() != 16) continue;
    if (inet_ntop(family, octets, text, sizeof text) != nullptr) hosts.emplace_back(text);
  }
  return hosts;
}

void AddTimes(Description& description, WallTime from, WallTime until, WallTime now) {
  description.emplace_back("not_before", from);
  description.emplace_back("not_after", until);
  description.emplace_back("days_left", DaysLeft(until, now));
}

void AddKey(Description& description, EVP_PKEY* key) {
  if (key == nullptr) return;
  description.emplace_back("key", KeyKind(key));
  description.emplace_back("key_fingerprint", KeyFingerprint(key));
}

Result<Description> OfAuthority(X509* x509, WallTime now) {
  Description ca = {{"kind", "ca"}, {"name", CommonName(X509_get_subject_name(x509))}};
  ca.emplace_back("trust_domain", TrustDomainOf(x509));
  ca.emplace_back("serial", SerialText(X509_get0_serialNumber(x509)));
  ca.emplace_back("issuer", CommonName(X509_get_issuer_name(x509)));
  ca.emplace_back("root", (X509_get_extension_flags(x509) & EXFLAG_SS) != 0);
  ca.emplace_back("path_length", static_cast<std::int64_t>(X509_get_pathlen(x509)));
  AddTimes(ca, ToWallTime(X509_get0_notBefore(x509)), ToWallTime(X509_get0_notAfter(x509)), now);
  AddKey(ca, X509_get0_pubkey(x509));
  return ca;
}

Result<Description> OfLeaf(X509* x509, WallTime now) {
  const auto certificate = ParseCertificatePem(ToPem(x509));
  if (!certificate) return std::unexpected(certificate.error());
  Description leaf = {{"kind", "certificate"}, {"name", certificate->identity.name}};
  leaf.emplace_back("role", std::string(RoleName(certificate->identity.role)));
  leaf.emplace_back("identity", certificate->identity.Uri());
  leaf.emplace_back("serial", certificate->serial);
  leaf.emplace_back("issuer", CommonName(X509_get_issuer_name(x509)));
  AddTimes(leaf, certificate->not_before, certificate->not_after, now);
  leaf.emplace_back("may_serve", certificate->server_auth);
  leaf.emplace_back("may_dial", certificate->client_auth);
  leaf.emplace_back("hosts", Hosts(x509));
  AddKey(leaf, X509_get0_pubkey(x509));
  leaf.emplace_back("fingerprint", "sha256:" + HexEncode(certificate->thumbprint));
  return leaf;
}

Result<Description> OfList(X509_CRL* list, WallTime now) {
  Description result = {{"kind", "revocation_list"}, {"issuer", CommonName(X509_CRL_get_issuer(list))}};
  const Asn1IntegerPtr number(static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(list, NID_crl_number, nullptr, nullptr)));
  std::int64_t value = 0;
  if (number && ASN1_INTEGER_get_int64(&value, number.get()) == 1) result.emplace_back("number", value);
  const ASN1_TIME* next = X509_CRL_get0_nextUpdate(list);
  AddTimes(result, ToWallTime(X509_CRL_get0_lastUpdate(list)), next == nullptr ? WallTime{} : ToWallTime(next), now);
  const auto revoked = RevokedSerials(list);
  std::vector<std::string> serials(revoked.begin(), revoked.end());
  std::ranges::sort(serials);
  result.emplace_back("revoked", std::move(serials));
  return result;
}

Result<Description> OfRequest(const std::string& pem) {
  const auto key = KeyOfRequest(pem);
  if (!key) return std::unexpected(key.error());
  Description request = {{"kind", "request"}};
  AddKey(request, key->get());
  request.emplace_back("note", "the key is its holder's; what a certificate says is decided by whoever issues it");
  return request;
}

// One block of a PEM file.
struct Block {
  std::string type;
  std::string der;

  std::string Pem() const {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    STRIFE_ASSERT(bio && PEM_write_bio(bio.get(), type.c_str(), "", reinterpret_cast<const unsigned char*>(der.data()),
                                       static_cast<long>(der.size())) > 0);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
  }
};

std::vector<Block> Blocks(std::string_view pem) {
  const BioPtr bio = Reader(pem);
  std::vector<Block> blocks;
  char *type = nullptr, *header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  while (PEM_read_bio(bio.get(), &type, &header, &data, &size) == 1) {
    blocks.push_back({type, std::string(reinterpret_cast<char*>(data), static_cast<std::size_t>(size))});
    OPENSSL_free(type);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<std::size_t>(size));
  }
  return blocks;
}

Result<Description> OfBlock(const Block& block, WallTime now) {
  if (block.type.find("PRIVATE KEY") != std::string::npos) return Description{{"kind", "private_key"}};
  const std::string pem = block.Pem();
  if (auto certificates = ReadCertificatesPem(pem); !certificates.empty()) {
    X509* x509 = certificates.front().get();
    return X509_check_ca(x509) != 0 ? OfAuthority(x509, now) : OfLeaf(x509, now);
  }
  if (auto lists = ReadRevocationListsPem(pem); !lists.empty()) return OfList(lists.front().get(), now);
  if (block.type.find("CERTIFICATE REQUEST") != std::string::npos) return OfRequest(pem);
  return Fail(ErrorCode::kInvalidInput, "There is a PEM block \"" + Sanitize(block.type, kMaxShownBytes) +
                                            "\" that is no certificate, revocation list or request that can be read");
}

}  // namespace

Result<std::vector<Description>> Describe(std::string_view pem, WallTime now) {
  ErrorQueueScope errors;
  const auto blocks = Blocks(pem);
  if (blocks.empty()) return Fail(ErrorCode::kInvalidInput, "There is nothing in PEM");
  std::vector<Description> descriptions;
  for (const Block& block : blocks) {
    auto description = OfBlock(block, now);
    if (!description) return std::unexpected(description.error());
    descriptions.push_back(*std::move(description));
  }
  return descriptions;
}

}  // namespace strife::security
