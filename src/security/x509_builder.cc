#include "security/x509_builder.h"

#include "base/assert.h"
#include "base/text.h"
#include "security/encoding.h"
#include "security/random.h"

namespace strife::security {
namespace {

constexpr std::string_view kScheme = "spiffe://";

// Ed25519 hashes by itself.
const EVP_MD* DigestFor(EVP_PKEY* key) { return EVP_PKEY_is_a(key, "ED25519") ? nullptr : EVP_sha256(); }

Asn1IntegerPtr RandomSerial() {
  const auto bytes = RandomBytes<16>();
  const BignumPtr number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  Asn1IntegerPtr serial(BN_to_ASN1_INTEGER(number.get(), nullptr));
  STRIFE_ASSERT(serial);
  return serial;
}

void AddToName(X509_NAME* name, const char* field, const std::string& text) {
  STRIFE_ASSERT(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                           reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0) == 1);
}

void SetName(X509_NAME* name, const std::string& common_name) {
  AddToName(name, "O", "Strife");
  AddToName(name, "CN", common_name);
}

// `value` is in OpenSSL's configuration syntax and always one of our own constants.
void AddExtension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const X509ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  STRIFE_ASSERT(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

void AddName(GENERAL_NAMES* names, int type, ASN1_STRING* value) {
  STRIFE_ASSERT(value != nullptr);
  GENERAL_NAME* name = GENERAL_NAME_new();
  STRIFE_ASSERT(name != nullptr);
  GENERAL_NAME_set0_value(name, type, value);
  STRIFE_ASSERT(sk_GENERAL_NAME_push(names, name) > 0);
}

void AddText(GENERAL_NAMES* names, int type, const std::string& text) {
  ASN1_IA5STRING* value = ASN1_IA5STRING_new();
  STRIFE_ASSERT(ASN1_STRING_set(value, text.data(), static_cast<int>(text.size())) == 1);
  AddName(names, type, value);
}

X509ExtensionPtr SubjectNamesExtension(GENERAL_NAMES* names) {
  X509ExtensionPtr extension(X509V3_EXT_i2d(NID_subject_alt_name, 0, names));
  STRIFE_ASSERT(extension);
  return extension;
}

bool IsHostName(const std::string& text) {
  return !text.empty() && text.size() <= 253 && text.front() != '.' && text.front() != '-' &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") ==
             std::string::npos;
}

void AddAuthorityExtensions(X509* certificate, X509* issuer, const char* constraints, const std::string& trust_domain) {
  AddExtension(certificate, issuer, NID_basic_constraints, constraints);
  AddExtension(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
  AddExtension(certificate, issuer, NID_subject_key_identifier, "hash");
  AddExtension(certificate, issuer, NID_authority_key_identifier, "keyid:always");
  const GeneralNamesPtr names(GENERAL_NAMES_new());
  AddText(names.get(), GEN_URI, std::string(kScheme) + trust_domain);
  STRIFE_ASSERT(X509_add_ext(certificate, SubjectNamesExtension(names.get()).get(), -1) == 1);
}

X509Ptr NewCertificate(EVP_PKEY* key, const Validity& validity) {
  X509Ptr certificate(X509_new());
  STRIFE_ASSERT(certificate);
  STRIFE_ASSERT(X509_set_version(certificate.get(), X509_VERSION_3) == 1);
  STRIFE_ASSERT(X509_set_serialNumber(certificate.get(), RandomSerial().get()) == 1);
  STRIFE_ASSERT(X509_set1_notBefore(certificate.get(), ToAsn1Time(validity.not_before).get()) == 1);
  STRIFE_ASSERT(X509_set1_notAfter(certificate.get(), ToAsn1Time(validity.not_after).get()) == 1);
  STRIFE_ASSERT(X509_set_pubkey(certificate.get(), key) == 1);
  return certificate;
}

void SetListNumber(X509_CRL* list, X509_CRL* previous) {
  BignumPtr number(BN_new());
  if (previous != nullptr) {
    const Asn1IntegerPtr last(
        static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(previous, NID_crl_number, nullptr, nullptr)));
    if (last) number.reset(ASN1_INTEGER_to_BN(last.get(), nullptr));
  }
  STRIFE_ASSERT(number && BN_add_word(number.get(), 1) == 1);
  const Asn1IntegerPtr value(BN_to_ASN1_INTEGER(number.get(), nullptr));
  STRIFE_ASSERT(X509_CRL_add1_ext_i2d(list, NID_crl_number, value.get(), 0, 0) == 1);
}

}  // namespace

Result<X509ExtensionPtr> MakeSubjectNames(const Identity& identity, const std::vector<std::string>& dns_names,
                                          const std::vector<std::string>& ip_addresses) {
  ErrorQueueScope errors;
  const GeneralNamesPtr names(GENERAL_NAMES_new());
  AddText(names.get(), GEN_URI, identity.Uri());
  for (const std::string& host : dns_names) {
    if (!IsHostName(host)) return Fail(ErrorCode::kInvalidInput, Sanitize(host, 64) + " is not a host name");
    AddText(names.get(), GEN_DNS, host);
  }
  for (const std::string& text : ip_addresses) {
    ASN1_OCTET_STRING* address = a2i_IPADDRESS(text.c_str());
    if (address == nullptr) return Fail(ErrorCode::kInvalidInput, Sanitize(text, 64) + " is not an IP address");
    AddName(names.get(), GEN_IPADD, address);
  }
  return SubjectNamesExtension(names.get());
}

X509Ptr MakeAuthorityCertificate(const std::string& trust_domain, EVP_PKEY* key, const Validity& validity) {
  ErrorQueueScope errors;
  X509Ptr certificate = NewCertificate(key, validity);
  // Every CA has a name of its own, so that lists and chains of two CAs cannot be mixed up.
  X509_NAME* name = X509_get_subject_name(certificate.get());
  SetName(name, "Strife CA " + HexEncode(RandomBytes<8>()));
  STRIFE_ASSERT(X509_set_issuer_name(certificate.get(), name) == 1);
  AddAuthorityExtensions(certificate.get(), certificate.get(), "critical,CA:TRUE,pathlen:1", trust_domain);
  STRIFE_ASSERT(X509_sign(certificate.get(), key, DigestFor(key)) > 0);
  return certificate;
}

X509NamePtr MakeIntermediateName(const std::string& name) {
  X509NamePtr result(X509_NAME_new());
  STRIFE_ASSERT(result);
  AddToName(result.get(), "O", "Strife");
  AddToName(result.get(), "OU", name);
  AddToName(result.get(), "CN", "Strife CA " + name + " " + HexEncode(RandomBytes<8>()));
  return result;
}

std::string IntermediateNameOf(const X509* certificate) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_organizationalUnitName, -1);
  if (at < 0) return {};
  const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

X509Ptr MakeIntermediateCertificate(const X509_NAME* subject, const std::string& trust_domain, EVP_PKEY* key,
                                    const Validity& validity, X509* authority, EVP_PKEY* authority_key) {
  ErrorQueueScope errors;
  X509Ptr certificate = NewCertificate(key, validity);
  STRIFE_ASSERT(X509_set_subject_name(certificate.get(), subject) == 1);
  STRIFE_ASSERT(X509_set_issuer_name(certificate.get(), X509_get_subject_name(authority)) == 1);
  AddAuthorityExtensions(certificate.get(), authority, "critical,CA:TRUE,pathlen:0", trust_domain);
  STRIFE_ASSERT(X509_sign(certificate.get(), authority_key, DigestFor(authority_key)) > 0);
  return certificate;
}

X509Ptr MakeLeafCertificate(const Identity& identity, X509_EXTENSION* subject_names, EVP_PKEY* key,
                            const Validity& validity, X509* authority, EVP_PKEY* authority_key) {
  ErrorQueueScope errors;
  X509Ptr certificate = NewCertificate(key, validity);
  SetName(X509_get_subject_name(certificate.get()), identity.name);
  STRIFE_ASSERT(X509_set_issuer_name(certificate.get(), X509_get_subject_name(authority)) == 1);
  AddExtension(certificate.get(), authority, NID_basic_constraints, "critical,CA:FALSE");
  AddExtension(certificate.get(), authority, NID_key_usage, "critical,digitalSignature");
  AddExtension(certificate.get(), authority, NID_ext_key_usage,
               IsServer(identity.role) ? "serverAuth,clientAuth" : "clientAuth");
  AddExtension(certificate.get(), authority, NID_subject_key_identifier, "hash");
  AddExtension(certificate.get(), authority, NID_authority_key_identifier, "keyid:always");
  STRIFE_ASSERT(X509_add_ext(certificate.get(), subject_names, -1) == 1);
  STRIFE_ASSERT(X509_sign(certificate.get(), authority_key, DigestFor(authority_key)) > 0);
  return certificate;
}

X509CrlPtr MakeRevocationList(X509_CRL* previous, const std::vector<const ASN1_INTEGER*>& serials, WallTime revoked_at,
                              const Validity& validity, X509* authority, EVP_PKEY* authority_key) {
  ErrorQueueScope errors;
  X509CrlPtr list(X509_CRL_new());
  STRIFE_ASSERT(list && X509_CRL_set_version(list.get(), X509_CRL_VERSION_2) == 1);
  STRIFE_ASSERT(X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(authority)) == 1);
  STRIFE_ASSERT(X509_CRL_set1_lastUpdate(list.get(), ToAsn1Time(validity.not_before).get()) == 1);
  STRIFE_ASSERT(X509_CRL_set1_nextUpdate(list.get(), ToAsn1Time(validity.not_after).get()) == 1);
  STACK_OF(X509_REVOKED)* entries = previous != nullptr ? X509_CRL_get_REVOKED(previous) : nullptr;
  for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
    X509_REVOKED* entry = X509_REVOKED_dup(sk_X509_REVOKED_value(entries, i));
    STRIFE_ASSERT(entry != nullptr && X509_CRL_add0_revoked(list.get(), entry) == 1);
  }
  for (const ASN1_INTEGER* serial : serials) {
    X509RevokedPtr entry(X509_REVOKED_new());
    STRIFE_ASSERT(entry && X509_REVOKED_set_serialNumber(entry.get(), const_cast<ASN1_INTEGER*>(serial)) == 1);
    STRIFE_ASSERT(X509_REVOKED_set_revocationDate(entry.get(), ToAsn1Time(revoked_at).get()) == 1);
    STRIFE_ASSERT(X509_CRL_add0_revoked(list.get(), entry.release()) == 1);
  }
  SetListNumber(list.get(), previous);
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, authority, nullptr, nullptr, list.get(), 0);
  const X509ExtensionPtr key_id(X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always"));
  STRIFE_ASSERT(key_id && X509_CRL_add_ext(list.get(), key_id.get(), -1) == 1);
  X509_CRL_sort(list.get());
  STRIFE_ASSERT(X509_CRL_sign(list.get(), authority_key, DigestFor(authority_key)) > 0);
  return list;
}

std::string TrustDomainOf(X509* authority) {
  const GeneralNamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(authority, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* text = name->d.uniformResourceIdentifier;
    const std::string_view uri(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                               static_cast<std::size_t>(ASN1_STRING_length(text)));
    if (uri.starts_with(kScheme) && IsTrustDomain(uri.substr(kScheme.size()))) {
      return std::string(uri.substr(kScheme.size()));
    }
  }
  return {};
}

}  // namespace strife::security
