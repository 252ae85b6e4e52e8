#include "security/certificate.h"

#include <algorithm>
#include <array>

#include "base/limits.h"
#include "base/text.h"
#include "security/encoding.h"
#include "security/openssl.h"

namespace strife::security {
namespace {

constexpr std::string_view kScheme = "spiffe://";
constexpr std::array kRoleNames = {
    std::pair(Role::kGateway, std::string_view("gateway")), std::pair(Role::kBank, std::string_view("bank")),
    std::pair(Role::kClient, std::string_view("client")), std::pair(Role::kOperator, std::string_view("operator"))};

void OpensslRelease(unsigned char* bytes) { OPENSSL_free(bytes); }

std::unexpected<Error> Refuse(std::string message) { return Fail(ErrorCode::kUnauthenticated, std::move(message)); }

// The text of the only URI among the subject alternative names.
Result<std::string> OnlyUri(X509* certificate) {
  int critical = 0;
  GeneralNamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, nullptr)));
  if (critical == -2) return Refuse("The certificate has two subject alternative name extensions");
  if (!names) return Refuse("The certificate has no subject alternative name that says who its holder is");
  std::optional<std::string> uri;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    if (uri) return Refuse("The certificate has more than one URI name, so it does not say who its holder is");
    const ASN1_IA5STRING* text = name->d.uniformResourceIdentifier;
    uri.emplace(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  if (!uri) return Refuse("The certificate has no URI name that says who its holder is");
  return *std::move(uri);
}

Result<Sha256> Thumbprint(X509* certificate) {
  Sha256 digest;
  unsigned length = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &length) != 1 || length != digest.size()) {
    return Refuse("The certificate cannot be encoded");
  }
  return digest;
}

Result<Certificate> Read(X509* x509) {
  if (X509_check_ca(x509) != 0) return Refuse("The certificate is a CA's, not one of a person or process");
  auto uri = OnlyUri(x509);
  if (!uri) return std::unexpected(uri.error());
  auto identity = Identity::FromUri(*uri);
  if (!identity) return std::unexpected(identity.error());
  auto thumbprint = Thumbprint(x509);
  if (!thumbprint) return std::unexpected(thumbprint.error());

  const bool has_usage = (X509_get_extension_flags(x509) & EXFLAG_XKUSAGE) != 0;
  const std::uint32_t usage = has_usage ? X509_get_extended_key_usage(x509) : 0;
  Certificate certificate;
  certificate.identity = *std::move(identity);
  certificate.thumbprint = *thumbprint;
  certificate.serial = SerialText(X509_get0_serialNumber(x509));
  certificate.issuer_hash = HashOf(X509_get_issuer_name(x509));
  certificate.not_before = ToWallTime(X509_get0_notBefore(x509));
  certificate.not_after = ToWallTime(X509_get0_notAfter(x509));
  certificate.server_auth = (usage & XKU_SSL_SERVER) != 0;
  certificate.client_auth = (usage & XKU_SSL_CLIENT) != 0;
  return certificate;
}

}  // namespace

std::string_view RoleName(Role role) {
  for (const auto& [value, name] : kRoleNames) {
    if (value == role) return name;
  }
  return "unknown";
}

std::optional<Role> ParseRole(std::string_view text) {
  for (const auto& [value, name] : kRoleNames) {
    if (name == text) return value;
  }
  return std::nullopt;
}

bool IsTrustDomain(std::string_view text) {
  if (text.empty() || text.size() > 255) return false;
  return text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-_") == std::string_view::npos;
}

bool IsIdentityName(Role role, std::string_view name) {
  return IsIdentifier(name, role == Role::kBank ? limits::kMaxBankIdBytes : limits::kMaxUsernameBytes);
}

std::string Identity::Uri() const {
  std::string uri(kScheme);
  uri += trust_domain;
  uri += '/';
  uri += RoleName(role);
  uri += '/';
  uri += name;
  return uri;
}

Result<Identity> Identity::FromUri(std::string_view uri) {
  const auto refuse = [&](std::string_view why) {
    return Refuse("The certificate's name " + Sanitize(uri, 300) + " is no Strife identity: " + std::string(why));
  };
  if (!uri.starts_with(kScheme)) return refuse("it does not start with spiffe://");
  const std::string_view rest = uri.substr(kScheme.size());
  const std::size_t first = rest.find('/');
  const std::size_t second = first == std::string_view::npos ? first : rest.find('/', first + 1);
  if (second == std::string_view::npos) return refuse("it has not the form spiffe://<trust-domain>/<role>/<name>");

  const std::string_view trust_domain = rest.substr(0, first);
  if (!IsTrustDomain(trust_domain)) return refuse("its trust domain has characters that are not allowed");
  const auto role = ParseRole(rest.substr(first + 1, second - first - 1));
  if (!role) return refuse("its role is none of gateway, bank, client and operator");
  const std::string_view name = rest.substr(second + 1);
  if (!IsIdentityName(*role, name)) return refuse("the last part is too long or has characters that are not allowed");
  return Identity{std::string(trust_domain), *role, std::string(name)};
}

Result<Certificate> ParseCertificatePem(std::string_view pem) {
  const auto certificates = ReadCertificatesPem(pem);
  if (certificates.empty()) return Refuse("The text holds no PEM certificate");
  ErrorQueueScope errors;
  return Read(certificates.front().get());
}

Result<Certificate> ParseCertificateDer(std::span<const std::uint8_t> der) {
  ErrorQueueScope errors;
  const unsigned char* at = der.data();
  const X509Ptr x509(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  // OpenSSL also reads encodings that are not DER, and of those one certificate has many: each a thumbprint of its own.
  unsigned char* encoded = nullptr;
  const int size = x509 ? i2d_X509(x509.get(), &encoded) : -1;
  const std::unique_ptr<unsigned char, OpensslFree<OpensslRelease>> again(encoded);
  if (size < 0 || !std::ranges::equal(std::span(encoded, static_cast<std::size_t>(size)), der)) {
    return Refuse("The bytes are not a DER certificate");
  }
  return Read(x509.get());
}

}  // namespace strife::security
