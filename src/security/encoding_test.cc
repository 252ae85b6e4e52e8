#include "security/encoding.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <set>

#include "base/test_directory.h"
#include "security/random.h"
#include "security/secure_file.h"

namespace strife::security {
namespace {

TEST(Encoding, Base64Url_RoundTripsEveryLength) {
  for (std::size_t size = 0; size < 70; ++size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 37 + size);
    const std::string text = Base64UrlEncode(AsBytes(bytes));
    EXPECT_EQ(Base64UrlDecode(text), bytes);
  }
}

TEST(Encoding, Base64Url_KnownValues) {
  EXPECT_EQ(Base64UrlEncode(AsBytes("fo")), "Zm8");
  EXPECT_EQ(Base64UrlEncode(AsBytes("\xfb\xff")), "-_8");
  EXPECT_EQ(Base64UrlDecode("Zm9v"), "foo");
}

TEST(Encoding, Base64Url_RefusesWhatIsNotTheOneTextOfItsBytes) {
  for (const char* bad : {"Zm8=", "Zm9", "Z", "Zm9v\n", "Zm+v", "Zm/v", "Zm9v=", " Zm9v", "Zm9vZ"}) {
    EXPECT_FALSE(Base64UrlDecode(bad)) << bad;
  }
}

TEST(Encoding, Sha256_OfAKnownText) {
  EXPECT_EQ(HexEncode(Sha256Of("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Random, Ids_AreDistinctAndOfTheirVersion) {
  std::set<Uuid> ids;
  for (int i = 0; i < 1000; ++i) {
    ids.insert(NewUuidV4());
    ids.insert(NewUuidV7(WallTime(std::chrono::seconds(1'700'000'000))));
  }
  EXPECT_EQ(ids.size(), 2000u);
  EXPECT_EQ(NewUuidV4().bytes[6] >> 4, 4);
  EXPECT_EQ(NewUuidV7(WallTime(std::chrono::seconds(1'700'000'000))).ToString().substr(0, 15), "018bcfe5-6800-7");
}

TEST(SecureFile, Write_RefusesOrReplacesAsAskedAndLeavesNoTemporaryFile) {
  TestDirectory directory;
  const auto path = directory / "secret";
  ASSERT_TRUE(WriteFile(path, "one", kPrivateMode, Existing::kRefuse));
  EXPECT_EQ(WriteFile(path, "two", kPrivateMode, Existing::kRefuse).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(ReadFile(path).value(), "one");
  ASSERT_TRUE(WriteFile(path, "three", kPrivateMode, Existing::kReplace));
  EXPECT_EQ(ReadFile(path).value(), "three");
  EXPECT_EQ(ModeOf(path), 0600);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path()), {}), 1);
}

TEST(SecureFile, Read_RefusesDirectoriesPipesAndWhatIsTooLarge) {
  TestDirectory directory;
  EXPECT_FALSE(ReadFile(directory.path()));
  ASSERT_TRUE(WriteFile(directory / "big", std::string(100, 'x'), kPublicMode, Existing::kRefuse));
  EXPECT_FALSE(ReadFile(directory / "big", 99));
  EXPECT_TRUE(ReadFile(directory / "big", 100));
}

TEST(SecureFile, KeyFileOthersCanUse_IsRefused) {
  TestDirectory directory;
  ASSERT_TRUE(WriteFile(directory / "key", "k", kPrivateMode, Existing::kRefuse));
  EXPECT_TRUE(CheckKeyFile(directory / "key"));
  EXPECT_EQ(ReadKeyFile(directory / "key").value(), "k");
  std::filesystem::permissions(directory / "key", std::filesystem::perms(0644));
  EXPECT_EQ(CheckKeyFile(directory / "key").error().code, ErrorCode::kPermissionDenied);
  EXPECT_FALSE(ReadKeyFile(directory / "key"));
}

TEST(SecureFile, KeyFileOfAnotherUser_IsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  TestDirectory directory;
  ASSERT_TRUE(WriteFile(directory / "key", "k", kPrivateMode, Existing::kRefuse));
  ASSERT_EQ(::chown((directory / "key").c_str(), 65534, 0), 0);
  EXPECT_EQ(ReadKeyFile(directory / "key").error().code, ErrorCode::kPermissionDenied);
}

}  // namespace
}  // namespace strife::security
