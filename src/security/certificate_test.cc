#include "security/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_directory.h"
#include "security/encoding.h"
#include "security/test_time.h"
#include "security/x509_builder.h"

namespace strife::security {
namespace {

using ::testing::HasSubstr;

const WallTime kNow{std::chrono::seconds(kTestUnixSeconds)};

struct SubjectName {
  int type;
  std::string text;
};

// A certificate signed by some CA with just these subject alternative names, and the key usages of `role`.
X509Ptr CertificateNamed(const std::vector<SubjectName>& subject_names, Role role = Role::kClient) {
  const KeyPtr ca_key = MakeP256Key();
  const Validity validity{kNow, kNow + std::chrono::hours(24)};
  const X509Ptr ca = MakeAuthorityCertificate("strife.local", ca_key.get(), validity);
  const GeneralNamesPtr names(GENERAL_NAMES_new());
  for (const SubjectName& subject_name : subject_names) {
    ASN1_IA5STRING* text = ASN1_IA5STRING_new();
    ASN1_STRING_set(text, subject_name.text.data(), static_cast<int>(subject_name.text.size()));
    GENERAL_NAME* name = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(name, subject_name.type, text);
    sk_GENERAL_NAME_push(names.get(), name);
  }
  const X509ExtensionPtr extension(X509V3_EXT_i2d(NID_subject_alt_name, 0, names.get()));
  const KeyPtr key = MakeP256Key();
  return MakeLeafCertificate({"strife.local", role, "alice"}, extension.get(), key.get(), validity, ca.get(),
                             ca_key.get());
}

std::string RefusalOf(const std::vector<SubjectName>& names) {
  const auto certificate = ParseCertificatePem(ToPem(CertificateNamed(names).get()));
  if (certificate) return "accepted";
  EXPECT_EQ(certificate.error().code, ErrorCode::kUnauthenticated);
  return certificate.error().message;
}

TEST(Certificate, OneUriName_IsTheIdentity) {
  const X509Ptr x509 =
      CertificateNamed({{GEN_DNS, "localhost"}, {GEN_URI, "spiffe://strife.local/bank/bank1"}}, Role::kBank);
  const auto certificate = ParseCertificatePem(ToPem(x509.get()));
  ASSERT_TRUE(certificate) << certificate.error().message;
  EXPECT_EQ(certificate->identity, (Identity{"strife.local", Role::kBank, "bank1"}));
  EXPECT_EQ(certificate->identity.Uri(), "spiffe://strife.local/bank/bank1");
  EXPECT_EQ(certificate->not_before, kNow);
  EXPECT_EQ(certificate->not_after, kNow + std::chrono::hours(24));
  EXPECT_TRUE(certificate->server_auth);
  EXPECT_TRUE(certificate->client_auth);
}

TEST(Certificate, DerAndPem_ReadTheSame) {
  const X509Ptr x509 = CertificateNamed({{GEN_URI, "spiffe://strife.local/client/alice"}});
  unsigned char* der = nullptr;
  const int size = i2d_X509(x509.get(), &der);
  ASSERT_GT(size, 0);
  const std::vector<std::uint8_t> bytes(der, der + size);
  OPENSSL_free(der);
  const auto from_der = ParseCertificateDer(bytes);
  ASSERT_TRUE(from_der);
  EXPECT_EQ(*from_der, ParseCertificatePem(ToPem(x509.get())).value());
  EXPECT_EQ(from_der->thumbprint, Sha256Of(bytes));
  EXPECT_FALSE(from_der->server_auth);
}

TEST(Certificate, TwoUriNames_IsRefused) {
  EXPECT_THAT(RefusalOf({{GEN_URI, "spiffe://strife.local/client/alice"}, {GEN_URI, "spiffe://strife.local/bank/b"}}),
              HasSubstr("more than one URI name"));
}

TEST(Certificate, SameUriNameTwice_IsRefused) {
  EXPECT_THAT(RefusalOf({{GEN_URI, "spiffe://s/client/a"}, {GEN_URI, "spiffe://s/client/a"}}),
              HasSubstr("more than one URI name"));
}

TEST(Certificate, TwoNameExtensions_IsRefused) {
  const X509Ptr x509 = CertificateNamed({{GEN_URI, "spiffe://strife.local/client/alice"}});
  X509_EXTENSION* extension = X509_get_ext(x509.get(), X509_get_ext_by_NID(x509.get(), NID_subject_alt_name, -1));
  ASSERT_EQ(X509_add_ext(x509.get(), extension, -1), 1);
  const auto certificate = ParseCertificatePem(ToPem(x509.get()));
  ASSERT_FALSE(certificate);
  EXPECT_THAT(certificate.error().message, HasSubstr("two subject alternative name extensions"));
}

TEST(Certificate, NoUriName_IsRefused) { EXPECT_THAT(RefusalOf({{GEN_DNS, "localhost"}}), HasSubstr("no URI name")); }

TEST(Certificate, WrongRole_IsRefused) {
  for (const char* role : {"admin", "Bank", "", "bank%00", "client "}) {
    EXPECT_THAT(RefusalOf({{GEN_URI, std::string("spiffe://strife.local/") + role + "/alice"}}), HasSubstr("role"))
        << role;
  }
}

TEST(Certificate, BadCharactersInName_AreRefused) {
  for (const std::string& name : {std::string("al/ice"), std::string("al ice"), std::string(".."), std::string(""),
                                  std::string("alice\0admin", 11), std::string("alice\n"), std::string("a%41"),
                                  std::string("alice?x"), std::string(65, 'a'), std::string("\xc3\xa9")}) {
    EXPECT_THAT(RefusalOf({{GEN_URI, "spiffe://strife.local/client/" + name}}), HasSubstr("no Strife identity"))
        << name;
  }
}

TEST(Certificate, BadTrustDomainOrForm_IsRefused) {
  for (const char* uri : {"spiffe://Strife.local/client/a", "spiffe:///client/a", "spiffe://strife.local:1/client/a",
                          "spiffe://u@strife.local/client/a", "https://strife.local/client/a",
                          "spiffe://strife.local/a", "SPIFFE://strife.local/client/a", "spiffe://strife.local", ""}) {
    EXPECT_THAT(RefusalOf({{GEN_URI, uri}}), HasSubstr("no Strife identity")) << uri;
  }
}

TEST(Certificate, BankNameLongerThanABankId_IsRefused) {
  EXPECT_TRUE(Identity::FromUri("spiffe://s/bank/" + std::string(32, 'b')));
  EXPECT_FALSE(Identity::FromUri("spiffe://s/bank/" + std::string(33, 'b')));
}

TEST(Certificate, AuthorityCertificate_IsNoIdentity) {
  const KeyPtr key = MakeP256Key();
  const X509Ptr ca = MakeAuthorityCertificate("strife.local", key.get(), {kNow, kNow + std::chrono::hours(1)});
  const auto certificate = ParseCertificatePem(ToPem(ca.get()));
  ASSERT_FALSE(certificate);
  EXPECT_THAT(certificate.error().message, HasSubstr("CA"));
}

TEST(Certificate, TextThatIsNoCertificate_IsRefused) {
  EXPECT_FALSE(ParseCertificatePem(""));
  EXPECT_FALSE(ParseCertificatePem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
  EXPECT_FALSE(ParseCertificateDer({}));
}

TEST(Certificate, DerWithTrailingBytes_IsRefused) {
  const X509Ptr x509 = CertificateNamed({{GEN_URI, "spiffe://strife.local/client/alice"}});
  unsigned char* der = nullptr;
  const int size = i2d_X509(x509.get(), &der);
  std::vector<std::uint8_t> bytes(der, der + size);
  OPENSSL_free(der);
  bytes.push_back(0);
  EXPECT_FALSE(ParseCertificateDer(bytes));
}

TEST(Certificate, Failure_LeavesNothingInTheErrorQueue) {
  EXPECT_FALSE(ParseCertificatePem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace strife::security
