#include "security/pki.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/test_directory.h"
#include "security/credentials.h"
#include "security/openssl.h"
#include "security/secure_file.h"
#include "security/test_time.h"
#include "security/trust.h"
#include "security/x509_builder.h"

namespace strife::security {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const WallTime kNow{std::chrono::seconds(kTestUnixSeconds)};
constexpr Duration kDay = std::chrono::hours(24);

class PkiTest : public ::testing::Test {
 protected:
  // Opened for one piece of work only, as each command does, because an open CA locks its directory.
  CertificateAuthority Open() { return CertificateAuthority::Open(directory_.path()).value(); }

  void SetUp() override {
    const auto created = CertificateAuthority::Create(directory_.path(), {.trust_domain = "strife.local"}, kNow);
    ASSERT_TRUE(created) << created.error().message;
  }
  Certificate Issue(Role role, const std::string& name, Duration lifetime = kDefaultCertificateLifetime) {
    const auto issued = Open().Issue({.role = role, .name = name, .lifetime = lifetime}, kNow);
    EXPECT_TRUE(issued) << (issued ? "" : issued.error().message);
    return ParseCertificatePem(ReadFile(directory_ / (name + ".crt")).value()).value();
  }
  CredentialFiles Files(const std::string& name) const {
    return {directory_ / "ca.crt", directory_ / (name + ".crt"), directory_ / (name + ".key")};
  }
  Result<std::shared_ptr<const Trust>> LoadTrust(WallTime now = kNow) {
    return Trust::Load(directory_ / "ca.crt", directory_ / "ca.crl", now);
  }
  // Of a Certificate or an IssuedCertificate.
  std::string PemOf(const auto& certificate) const {
    return ReadFile(directory_ / "issued" / (certificate.serial + ".crt")).value();
  }
  // Why a client with the certificate is not let in; empty when it is.
  std::string Refusal(const Trust& trust, const auto& certificate, WallTime now = kNow) const {
    const auto admitted = AdmitClient(trust, PemOf(certificate), {}, "strife.local", now);
    if (admitted) return "";
    EXPECT_EQ(admitted.error().code, ErrorCode::kUnauthenticated);
    return admitted.error().message;
  }

  TestDirectory directory_;
};

TEST_F(PkiTest, IssuedServerCertificate_HasItsIdentityKeyUsagesAndAddresses) {
  const Certificate certificate = Issue(Role::kBank, "bank1");
  EXPECT_EQ(certificate.identity, (Identity{"strife.local", Role::kBank, "bank1"}));
  EXPECT_TRUE(certificate.server_auth && certificate.client_auth);
  EXPECT_EQ(certificate.not_after, kNow + kDefaultCertificateLifetime);
  EXPECT_GE(certificate.serial.size(), 24u);
  const auto x509 = ReadCertificatesPem(ReadFile(directory_ / "bank1.crt").value());
  EXPECT_EQ(X509_check_host(x509.front().get(), "localhost", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_ip_asc(x509.front().get(), "127.0.0.1", 0), 1);
}

TEST_F(PkiTest, IssuedClientCertificate_CannotPoseAsAServer) {
  for (const auto& [role, name] : {std::pair(Role::kClient, "client"), std::pair(Role::kOperator, "operator")}) {
    const Certificate certificate = Issue(role, name);
    EXPECT_FALSE(certificate.server_auth);
    EXPECT_TRUE(certificate.client_auth);
    const auto x509 = ReadCertificatesPem(ReadFile(directory_ / (std::string(name) + ".crt")).value());
    EXPECT_EQ(X509_check_host(x509.front().get(), "localhost", 0, 0, nullptr), 0);
  }
}

TEST_F(PkiTest, PrivateKeys_AreReadableByTheOwnerOnly) {
  Issue(Role::kClient, "client");
  EXPECT_EQ(ModeOf(directory_ / "ca.key"), 0600);
  EXPECT_EQ(ModeOf(directory_ / "client.key"), 0600);
  EXPECT_EQ(ModeOf(directory_ / "client.crt"), 0644);
}

TEST_F(PkiTest, IssuingANameAgain_IsRefusedAndChangesNothing) {
  Issue(Role::kClient, "client");
  const std::string key = ReadFile(directory_ / "client.key").value();
  const auto again = Open().Issue({.role = Role::kClient, .name = "client"}, kNow);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(ReadFile(directory_ / "client.key").value(), key);
}

TEST_F(PkiTest, BadNamesAndAddresses_AreRefusedAndWriteNothing) {
  CertificateAuthority authority = Open();
  for (const char* name : {"", "ca", "../x", "a/b", ".hidden", "a b"}) {
    EXPECT_FALSE(authority.Issue({.role = Role::kClient, .name = name}, kNow)) << name;
  }
  EXPECT_FALSE(authority.Issue({.role = Role::kBank, .name = "b", .dns_names = {"a,URI:spiffe://x/bank/y"}}, kNow));
  EXPECT_FALSE(authority.Issue({.role = Role::kBank, .name = "b", .ip_addresses = {"localhost"}}, kNow));
  EXPECT_TRUE(authority.List(kNow).value().empty());
}

TEST_F(PkiTest, CertificateNeverOutlivesItsCa) {
  const Certificate certificate = Issue(Role::kClient, "client", kDefaultAuthorityLifetime * 2);
  EXPECT_EQ(certificate.not_after, kNow + kDefaultAuthorityLifetime);
}

TEST_F(PkiTest, CreatingACaOverACa_IsRefused) {
  const std::string key = ReadFile(directory_ / "ca.key").value();
  const auto again = CertificateAuthority::Create(directory_.path(), {.trust_domain = "strife.local"}, kNow);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(ReadFile(directory_ / "ca.key").value(), key);
}

TEST_F(PkiTest, OpeningACaWhoseKeyOthersCanRead_IsRefused) {
  std::filesystem::permissions(directory_ / "ca.key", std::filesystem::perms(0640));
  const auto opened = CertificateAuthority::Open(directory_.path());
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, AllOf(HasSubstr("ca.key"), HasSubstr("chmod 600")));
}

TEST_F(PkiTest, Renew_MakesANewKeyAndCertificateOfTheSameIdentityAndAddresses) {
  const Certificate old = Issue(Role::kBank, "bank1");
  const std::string old_key = ReadFile(directory_ / "bank1.key").value();
  const auto renewed = Open().Renew("bank1", Duration::zero(), {}, kNow + kDay);
  ASSERT_TRUE(renewed) << renewed.error().message;
  EXPECT_EQ(renewed->identity, old.identity.Uri());
  EXPECT_NE(renewed->serial, old.serial);
  EXPECT_EQ(renewed->not_after, kNow + kDay + kDefaultCertificateLifetime);
  EXPECT_NE(ReadFile(directory_ / "bank1.key").value(), old_key);
  const auto x509 = ReadCertificatesPem(ReadFile(directory_ / "bank1.crt").value());
  EXPECT_EQ(X509_check_host(x509.front().get(), "localhost", 0, 0, nullptr), 1);
  EXPECT_TRUE(LoadCredentials(Files("bank1"), Role::kBank, kNow + kDay));
}

TEST_F(PkiTest, RenewingWhatWasNeverIssued_IsNotFound) {
  EXPECT_EQ(Open().Renew("nobody", Duration::zero(), {}, kNow).error().code, ErrorCode::kNotFound);
}

TEST_F(PkiTest, RenewingACertificateOfAnotherCa_IsRefused) {
  TestDirectory other;
  auto other_authority = CertificateAuthority::Create(other.path(), {.trust_domain = "strife.local"}, kNow).value();
  ASSERT_TRUE(other_authority.Issue({.role = Role::kClient, .name = "mallory"}, kNow));
  std::filesystem::copy(other / "mallory.crt", directory_ / "mallory.crt");
  EXPECT_EQ(Open().Renew("mallory", Duration::zero(), {}, kNow).error().code, ErrorCode::kInvalidInput);
}

TEST_F(PkiTest, List_TellsValidReplacedRevokedAndExpired) {
  Issue(Role::kClient, "alice", 10 * kDay);
  Issue(Role::kClient, "bob");
  Issue(Role::kBank, "bank1");
  ASSERT_TRUE(Open().Renew("bank1", Duration::zero(), {}, kNow + kDay));
  ASSERT_TRUE(Open().Revoke("bob", kNow + kDay));
  const auto entries = Open().List(kNow + 20 * kDay).value();
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(entries[0].certificate.name, "alice");
  EXPECT_EQ(entries[0].state, CertificateState::kExpired);
  EXPECT_EQ(entries[0].days_left, 0);
  EXPECT_EQ(entries[1].certificate.name, "bank1");
  EXPECT_EQ(entries[1].state, CertificateState::kValid);
  EXPECT_EQ(entries[1].days_left, 71);
  EXPECT_EQ(entries[2].state, CertificateState::kReplaced);
  EXPECT_EQ(entries[3].certificate.name, "bob");
  EXPECT_EQ(entries[3].state, CertificateState::kRevoked);
}

TEST_F(PkiTest, RevokedByName_EveryUnexpiredCertificateOfThatNameIsRefused) {
  const Certificate first = Issue(Role::kBank, "bank1");
  const IssuedCertificate second = Open().Renew("bank1", Duration::zero(), {}, kNow).value();
  const Certificate other = Issue(Role::kBank, "bank2");
  EXPECT_EQ(Open().Revoke("bank1", kNow).value().size(), 2u);
  const auto trust = LoadTrust();
  ASSERT_TRUE(trust) << trust.error().message;
  EXPECT_THAT(Refusal(**trust, first), HasSubstr("has been revoked"));
  EXPECT_THAT(Refusal(**trust, second), HasSubstr("has been revoked"));
  EXPECT_EQ(Refusal(**trust, other), "");
}

TEST_F(PkiTest, RevokedBySerial_OnlyThatCertificateIsRefusedAndEarlierRevocationsStay) {
  const Certificate first = Issue(Role::kBank, "bank1");
  const IssuedCertificate second = Open().Renew("bank1", Duration::zero(), {}, kNow).value();
  const Certificate other = Issue(Role::kClient, "client");
  ASSERT_TRUE(Open().Revoke("client", kNow));
  ASSERT_TRUE(Open().Revoke(first.serial, kNow));
  const auto trust = LoadTrust();
  ASSERT_TRUE(trust);
  EXPECT_NE(Refusal(**trust, first), "");
  EXPECT_EQ(Refusal(**trust, second), "");
  EXPECT_NE(Refusal(**trust, other), "");
}

TEST_F(PkiTest, RevokingTwiceOrTheUnknown_IsNotFound) {
  Issue(Role::kClient, "client");
  ASSERT_TRUE(Open().Revoke("client", kNow));
  EXPECT_EQ(Open().Revoke("client", kNow).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Open().Revoke("nobody", kNow).error().code, ErrorCode::kNotFound);
}

TEST_F(PkiTest, LostRevocationList_IsNotReplacedByAnEmptyOne) {
  Issue(Role::kClient, "client");
  std::filesystem::remove(directory_ / "ca.crl");
  EXPECT_FALSE(Open().Revoke("client", kNow));
  EXPECT_FALSE(Open().RefreshRevocationList(Duration::zero(), kNow));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "ca.crl"));
}

TEST_F(PkiTest, StaleRevocationList_IsRefusedUntilItIsSignedAnew) {
  const Certificate certificate = Issue(Role::kClient, "client");
  ASSERT_TRUE(Open().Revoke("client", kNow));
  const WallTime later = kNow + kDefaultRevocationListLifetime;
  const auto stale = LoadTrust(later);
  ASSERT_FALSE(stale);
  EXPECT_THAT(stale.error().message, AllOf(HasSubstr("ca.crl"), HasSubstr("stale")));
  ASSERT_TRUE(Open().RefreshRevocationList(Duration::zero(), later));
  const auto fresh = LoadTrust(later);
  ASSERT_TRUE(fresh) << fresh.error().message;
  EXPECT_THAT(Refusal(**fresh, certificate, later), HasSubstr("revoked"));
  EXPECT_EQ((*fresh)->stale_at(), later + kDefaultRevocationListLifetime);
}

TEST_F(PkiTest, RevocationListThatGoesStaleWhileLoaded_LetsNobodyIn) {
  const Certificate certificate = Issue(Role::kClient, "client");
  const auto trust = LoadTrust();
  ASSERT_TRUE(trust);
  EXPECT_EQ(Refusal(**trust, certificate), "");
  EXPECT_THAT(Refusal(**trust, certificate, kNow + kDefaultRevocationListLifetime), HasSubstr("stale"));
}

TEST_F(PkiTest, VerdictOnAPeer_HoldsUntilTheFirstThingInItsChainEnds) {
  const Certificate lasting = Issue(Role::kClient, "lasting");
  const Certificate brief = Issue(Role::kClient, "brief", kDay);
  const auto trust = LoadTrust();
  ASSERT_TRUE(trust);
  const auto until = [&](const Certificate& one) {
    return AdmitClient(**trust, PemOf(one), {}, "strife.local", kNow).value().until;
  };
  EXPECT_EQ(until(brief), kNow + kDay);
  EXPECT_EQ(until(lasting), kNow + kDefaultRevocationListLifetime) << "the list ends before the certificate";
}

TEST_F(PkiTest, MissingRevocationList_IsAnErrorNamingIt) {
  std::filesystem::remove(directory_ / "ca.crl");
  EXPECT_THAT(LoadTrust().error().message, HasSubstr("ca.crl"));
}

TEST_F(PkiTest, RevocationListOfAnotherCa_IsNoListOfThisOne) {
  TestDirectory other;
  ASSERT_TRUE(CertificateAuthority::Create(other.path(), {.trust_domain = "strife.local"}, kNow));
  const auto trust = Trust::Load(directory_ / "ca.crt", other / "ca.crl", kNow);
  ASSERT_FALSE(trust);
  EXPECT_THAT(trust.error().message, HasSubstr("is missing"));
}

TEST_F(PkiTest, RevocationListsWithoutOneForEachCaOfTheBundle_AreRefused) {
  TestDirectory other;
  ASSERT_TRUE(CertificateAuthority::Create(other.path(), {.trust_domain = "strife.local"}, kNow));
  std::ofstream(directory_ / "bundle.crt")
      << ReadFile(directory_ / "ca.crt").value() << ReadFile(other / "ca.crt").value();
  EXPECT_THAT(Trust::Load(directory_ / "bundle.crt", directory_ / "ca.crl", kNow).error().message,
              HasSubstr("is missing"));
  std::ofstream(directory_ / "both.crl") << ReadFile(directory_ / "ca.crl").value()
                                         << ReadFile(other / "ca.crl").value();
  EXPECT_TRUE(Trust::Load(directory_ / "bundle.crt", directory_ / "both.crl", kNow));
  // A list too many does no harm: so a CA can leave the bundle before its list leaves the file.
  EXPECT_TRUE(Trust::Load(directory_ / "ca.crt", directory_ / "both.crl", kNow));
}

TEST_F(PkiTest, OfTwoRevocationListsOfOneCa_TheNewerCounts) {
  const Certificate client = Issue(Role::kClient, "client");
  const std::string old_list = ReadFile(directory_ / "ca.crl").value();
  ASSERT_TRUE(Open().Revoke("client", kNow + kDay));
  std::ofstream(directory_ / "both.crl") << ReadFile(directory_ / "ca.crl").value() << old_list;
  const auto trust = Trust::Load(directory_ / "ca.crt", directory_ / "both.crl", kNow + kDay);
  ASSERT_TRUE(trust) << trust.error().message;
  EXPECT_THAT(Refusal(**trust, client, kNow + kDay), HasSubstr("revoked"));
}

TEST_F(PkiTest, RevocationListThatHasBeenAlteredOrIsNone_IsRefused) {
  std::ofstream(directory_ / "junk.crl") << "nothing";
  EXPECT_FALSE(Trust::Load(directory_ / "ca.crt", directory_ / "junk.crl", kNow));
  const auto lists = ReadRevocationListsPem(ReadFile(directory_ / "ca.crl").value());
  unsigned char* der = nullptr;
  const int size = i2d_X509_CRL(lists.front().get(), &der);
  der[size - 1] ^= 1;  // in the signature
  const unsigned char* at = der;
  const X509CrlPtr altered(d2i_X509_CRL(nullptr, &at, size));
  OPENSSL_free(der);
  ASSERT_TRUE(altered);
  std::ofstream(directory_ / "altered.crl") << ToPem(altered.get());
  const auto list = Trust::Load(directory_ / "ca.crt", directory_ / "altered.crl", kNow);
  ASSERT_FALSE(list);
  EXPECT_THAT(list.error().message, HasSubstr("not signed by"));
}

// ---- LoadCredentials
// -------------------------------------------------------------------------------------------------

TEST_F(PkiTest, CredentialsOfARole_Load) {
  Issue(Role::kGateway, "gateway");
  const auto credentials = LoadCredentials(Files("gateway"), Role::kGateway, kNow);
  ASSERT_TRUE(credentials) << credentials.error().message;
  EXPECT_EQ(credentials->certificate.identity.name, "gateway");
}

TEST_F(PkiTest, CredentialsWithAKeyOthersCanRead_AreRefusedNamingTheKey) {
  Issue(Role::kGateway, "gateway");
  for (int mode : {0604, 0640, 0620, 0660}) {
    std::filesystem::permissions(directory_ / "gateway.key", std::filesystem::perms(mode));
    const auto credentials = LoadCredentials(Files("gateway"), Role::kGateway, kNow);
    ASSERT_FALSE(credentials);
    EXPECT_EQ(credentials.error().code, ErrorCode::kPermissionDenied);
    EXPECT_THAT(credentials.error().message, AllOf(HasSubstr("gateway.key"), HasSubstr("chmod 600")));
    EXPECT_FALSE(CheckKeyFile(directory_ / "gateway.key"));
  }
}

TEST_F(PkiTest, CredentialsThatHaveExpiredOrAreNotYetValid_AreRefusedNamingTheCertificate) {
  Issue(Role::kGateway, "gateway");
  EXPECT_THAT(LoadCredentials(Files("gateway"), Role::kGateway, kNow + kDefaultCertificateLifetime).error().message,
              AllOf(HasSubstr("gateway.crt"), HasSubstr("expired")));
  EXPECT_THAT(LoadCredentials(Files("gateway"), Role::kGateway, kNow - kDay).error().message,
              HasSubstr("not valid yet"));
}

TEST_F(PkiTest, CredentialsOfAnotherRole_AreRefusedNamingBoth) {
  Issue(Role::kClient, "client");
  EXPECT_THAT(LoadCredentials(Files("client"), Role::kGateway, kNow).error().message,
              AllOf(HasSubstr("client.crt"), HasSubstr("role gateway")));
}

TEST_F(PkiTest, CredentialsWithAnotherCertificatesKey_AreRefusedNamingTheKey) {
  Issue(Role::kBank, "bank1");
  Issue(Role::kBank, "bank2");
  CredentialFiles files = Files("bank1");
  files.key_file = directory_ / "bank2.key";
  EXPECT_THAT(LoadCredentials(files, Role::kBank, kNow).error().message,
              AllOf(HasSubstr("bank2.key"), HasSubstr("not the key of"), HasSubstr("bank1.crt")));
}

TEST_F(PkiTest, CredentialsOfAnUnknownCa_AreRefusedNamingBothFiles) {
  Issue(Role::kBank, "bank1");
  TestDirectory other;
  ASSERT_TRUE(CertificateAuthority::Create(other.path(), {.trust_domain = "strife.local"}, kNow));
  CredentialFiles files = Files("bank1");
  files.ca_file = other / "ca.crt";
  EXPECT_THAT(LoadCredentials(files, Role::kBank, kNow).error().message,
              AllOf(HasSubstr("bank1.crt"), HasSubstr("not vouched for"), HasSubstr("ca.crt")));
}

TEST_F(PkiTest, CredentialsFromMissingOrMalformedFiles_AreRefusedNamingTheFile) {
  Issue(Role::kBank, "bank1");
  EXPECT_THAT(LoadCredentials(Files("nobody"), Role::kBank, kNow).error().message, HasSubstr("nobody.crt"));
  CredentialFiles files = Files("bank1");
  files.cert_file = directory_ / "bank1.key";
  EXPECT_THAT(LoadCredentials(files, Role::kBank, kNow).error().message, HasSubstr("no PEM certificate"));
}

// ---- Admission
// -------------------------------------------------------------------------------------------------------

TEST_F(PkiTest, ClientOfAnotherTrustDomain_IsNotAdmitted) {
  const std::string pem = PemOf(Issue(Role::kClient, "client"));
  const auto trust = LoadTrust().value();
  EXPECT_TRUE(AdmitClient(*trust, pem, {}, "strife.local", kNow));
  EXPECT_FALSE(AdmitClient(*trust, pem, {}, "other.local", kNow));
}

TEST_F(PkiTest, ClientWhoseCaIsForAnotherTrustDomain_IsNotAdmitted) {
  // A CA in the bundle that belongs to others must not name anybody of ours.
  TestDirectory other;
  auto stranger = CertificateAuthority::Create(other.path(), {.trust_domain = "other.local"}, kNow).value();
  ASSERT_TRUE(stranger.Issue({.role = Role::kClient, .name = "mallory"}, kNow));
  const auto key = ReadPrivateKeyPem(ReadFile(other / "ca.key").value());
  const auto authority = ReadCertificatesPem(ReadFile(other / "ca.crt").value());
  const Identity forged{"strife.local", Role::kBank, "bank1"};
  const auto names = MakeSubjectNames(forged, {}, {}).value();
  const auto leaf_key = MakeP256Key();
  const auto leaf =
      MakeLeafCertificate(forged, names.get(), leaf_key.get(), {kNow, kNow + kDay}, authority.front().get(), key.get());
  const auto trust = Trust::Load(other / "ca.crt", other / "ca.crl", kNow).value();
  EXPECT_THAT(AdmitClient(*trust, ToPem(leaf.get()), {}, "strife.local", kNow).error().message,
              HasSubstr("for the trust domain other.local"));
}

TEST_F(PkiTest, ClientWhoseCertificateHasExpired_IsNotAdmitted) {
  const Certificate certificate = Issue(Role::kClient, "client", kDay);
  const auto trust = LoadTrust().value();
  EXPECT_THAT(Refusal(*trust, certificate, certificate.not_after + std::chrono::seconds(1)), HasSubstr("has expired"));
  // At the earliest time at which the list is good.
  const IssuedCertificate future = Open().Issue({.role = Role::kClient, .name = "future"}, kNow + kDay).value();
  EXPECT_THAT(Refusal(*trust, future), HasSubstr("not valid yet"));
}

TEST_F(PkiTest, ClientOfACaThatHasLeftTheBundle_IsNotAdmitted) {
  const Certificate certificate = Issue(Role::kClient, "client");
  TestDirectory other;
  ASSERT_TRUE(CertificateAuthority::Create(other.path(), {.trust_domain = "strife.local"}, kNow));
  const auto trust = Trust::Load(other / "ca.crt", {}, kNow).value();
  EXPECT_THAT(Refusal(*trust, certificate), HasSubstr("not vouched for"));
}

TEST_F(PkiTest, ServerThatIsAnotherBankOrOfAnotherRole_IsNotAdmitted) {
  const std::string pem = PemOf(Issue(Role::kBank, "bank1"));
  const auto trust = LoadTrust().value();
  const auto admitted = [&](Role role, const std::string& name) {
    return AdmitServer(*trust, pem, {}, {"strife.local", role, name}, kNow).has_value();
  };
  EXPECT_TRUE(admitted(Role::kBank, "bank1"));
  EXPECT_TRUE(admitted(Role::kBank, ""));
  EXPECT_FALSE(admitted(Role::kBank, "bank2"));
  EXPECT_FALSE(admitted(Role::kGateway, "bank1"));
  EXPECT_FALSE(admitted(Role::kGateway, ""));
  EXPECT_FALSE(AdmitServer(*trust, pem, {}, {"other.local", Role::kBank, "bank1"}, kNow));
}

TEST_F(PkiTest, ServerWithAClientsCertificateOrARevokedOne_IsNotAdmitted) {
  const Certificate client = Issue(Role::kClient, "client");
  const Certificate bank = Issue(Role::kBank, "bank1");
  ASSERT_TRUE(Open().Revoke("bank1", kNow));
  const auto trust = LoadTrust().value();
  EXPECT_FALSE(AdmitServer(*trust, PemOf(client), {}, client.identity, kNow));
  EXPECT_THAT(AdmitServer(*trust, PemOf(bank), {}, bank.identity, kNow).error().message, HasSubstr("revoked"));
}

TEST_F(PkiTest, OwnCertificateThatIsRevoked_IsRefusedNamingIt) {
  Issue(Role::kBank, "bank1");
  ASSERT_TRUE(Open().Revoke("bank1", kNow));
  CredentialFiles files = Files("bank1");
  files.crl_file = directory_ / "ca.crl";
  EXPECT_THAT(LoadCredentials(files, Role::kBank, kNow).error().message,
              AllOf(HasSubstr("bank1.crt"), HasSubstr("has been revoked")));
}

}  // namespace
}  // namespace strife::security
