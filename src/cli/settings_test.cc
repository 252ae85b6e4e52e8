#include "cli/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>

#include "base/test_directory.h"
#include "cli/configs.h"

namespace strife::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class SettingsTest : public ::testing::Test {
 protected:
  SettingsTest() {
    for (const char* key : {"NAME", "PLACE", "WAIT", "COUNT", "LEVEL"})
      ::unsetenv((std::string("STRIFE_") + key).c_str());
    settings_.Text("name", &name_, "a name");
    settings_.Path("place", &place_, "a file");
    settings_.Time("wait", &wait_, "a time", Settings::kLeastTime, std::chrono::hours(24));
    settings_.WholeNumber("count", &count_, 0, 100, "a number");
    settings_.OneOf("level", &level_, {"info", "debug"}, "a level");
  }
  ~SettingsTest() override {
    ::unsetenv("STRIFE_NAME");
    ::unsetenv("STRIFE_COUNT");
  }

  fs::path Write(const std::string& content) {
    fs::path file = folder_ / "test.toml";
    std::ofstream(file) << content;
    return file;
  }
  std::string LoadError(const std::string& content) {
    auto loaded = settings_.Load(Write(content));
    return loaded ? "" : loaded.error().message;
  }
  void ParseFlags(const std::string& line) {
    settings_.AddFlags(app_);
    app_.parse(line);
  }

  TestDirectory folder_;
  CLI::App app_;
  Settings settings_;
  std::string name_ = "default";
  fs::path place_;
  Duration wait_ = std::chrono::seconds(1);
  int count_ = 1;
  std::string level_ = "info";
};

TEST_F(SettingsTest, Load_NothingGiven_KeepsDefaults) {
  ASSERT_TRUE(settings_.Load(std::nullopt));
  EXPECT_EQ(name_, "default");
  EXPECT_EQ(count_, 1);
}

TEST_F(SettingsTest, Load_File_FillsEveryKind) {
  ASSERT_EQ(LoadError("name = \"n\"\nplace = \"sub/x\"\nwait = \"300ms\"\ncount = 7\nlevel = \"debug\"\n"), "");
  EXPECT_EQ(name_, "n");
  EXPECT_EQ(wait_, std::chrono::milliseconds(300));
  EXPECT_EQ(count_, 7);
  EXPECT_EQ(level_, "debug");
}

TEST_F(SettingsTest, Load_Names_AreAbsentUnlessGivenAndMayBeNone) {
  std::optional<std::vector<std::string>> names;
  settings_.Names("names", &names, security::Role::kOperator, "names");
  ASSERT_EQ(LoadError("count = 7\n"), "");
  EXPECT_FALSE(names);
  ASSERT_EQ(LoadError("names = [\"olga\", \"otto\"]\n"), "");
  EXPECT_EQ(names, (std::vector<std::string>{"olga", "otto"}));
  ASSERT_EQ(LoadError("names = []\n"), "");
  EXPECT_EQ(names, std::vector<std::string>{});  // and not as if there were none of it
  for (const char* wrong : {"\"operator/olga\"", "\"olga\", \"o tto\""}) {
    EXPECT_THAT(LoadError("names = [" + std::string(wrong) + "]\n"), HasSubstr("without \"operator/\"")) << wrong;
  }
  EXPECT_THAT(LoadError("names = \"olga\"\n"), HasSubstr("a list of strings"));
}

TEST_F(SettingsTest, Load_RelativePathInFile_StartsAtTheFilesFolder) {
  ASSERT_EQ(LoadError("place = \"../x/./y\"\n"), "");
  EXPECT_EQ(place_, folder_.path().parent_path() / "x/y");
}

TEST_F(SettingsTest, Load_VariableBeatsFileAndFlagBeatsVariable) {
  ::setenv("STRIFE_NAME", "variable", 1);
  ::setenv("STRIFE_COUNT", "2", 1);
  ParseFlags("--count 3");
  ASSERT_EQ(LoadError("name = \"file\"\ncount = 9\nlevel = \"debug\"\n"), "");
  EXPECT_EQ(name_, "variable");
  EXPECT_EQ(count_, 3);
  EXPECT_EQ(level_, "debug");
}

TEST_F(SettingsTest, Load_UnknownKey_NamesKeyFileLineAndTheLikelyOne) {
  std::string error = LoadError("name = \"n\"\nweit = \"5s\"\n");
  EXPECT_THAT(error, HasSubstr("\"weit\""));
  EXPECT_THAT(error, HasSubstr("test.toml line 2"));
  EXPECT_THAT(error, HasSubstr("did you mean \"wait\""));
}

TEST_F(SettingsTest, Load_UnknownTable_IsAnUnknownKey) {
  EXPECT_THAT(LoadError("[server]\nname = \"n\"\n"), HasSubstr("unknown key \"server\""));
}

TEST_F(SettingsTest, Load_MalformedToml_NamesFileAndLine) {
  std::string error = LoadError("name = \"n\"\ncount = = 3\n");
  EXPECT_THAT(error, HasSubstr("test.toml line 2 is not valid TOML"));
}

TEST_F(SettingsTest, Load_WrongKindOfValue_SaysWhatItMustBe) {
  EXPECT_THAT(LoadError("count = \"3\"\n"), HasSubstr("count must be a whole number"));
  EXPECT_THAT(LoadError("name = 3\n"), HasSubstr("name must be a string"));
  EXPECT_THAT(LoadError("count = 101\n"), HasSubstr("whole number from 0 to 100"));
  EXPECT_THAT(LoadError("wait = \"5\"\n"), HasSubstr("write a duration"));
  EXPECT_THAT(LoadError("wait = \"25h\"\n"), HasSubstr("write one from 1ms to 1d"));
  EXPECT_THAT(LoadError("level = \"loud\"\n"), HasSubstr("write one of info, debug"));
}

// A gateway that says another one is not understood by any bank.
TEST_F(SettingsTest, HeartbeatInterval_IsOneThatBanksTake) {
  gateway::GatewayConfig config;
  Settings gateway = GatewaySettings(&config);
  const auto error = [&](const std::string& value) {
    std::string text = "heartbeat_interval = \"" + value + "\"\n";
    for (const char* key : {"data_dir", "log_dir", "ca_file", "cert_file", "key_file", "users_file"}) {
      text += std::string(key) + " = \"x\"\n";
    }
    const Status loaded = gateway.Load(Write(text));
    return loaded ? "" : loaded.error().message;
  };
  EXPECT_EQ(error("100ms"), "");
  EXPECT_EQ(error("1h"), "");
  for (const char* wrong : {"99ms", "3601s", "1d"}) EXPECT_THAT(error(wrong), HasSubstr("from 100ms to 1h")) << wrong;
}

TEST_F(SettingsTest, Load_MissingFile_NamesIt) {
  auto loaded = settings_.Load(folder_ / "none.toml");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("none.toml"));
}

TEST_F(SettingsTest, Load_BadVariable_NamesIt) {
  ::setenv("STRIFE_COUNT", "many", 1);
  auto loaded = settings_.Load(std::nullopt);
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("STRIFE_COUNT is \"many\""));
}

TEST_F(SettingsTest, Flags_BadValue_IsAParseError) {
  settings_.AddFlags(app_);
  EXPECT_THROW(app_.parse("--wait soon"), CLI::ParseError);
}

TEST_F(SettingsTest, Load_RequiredPathMissing_SaysHowToSetIt) {
  fs::path needed;
  settings_.RequiredPath("needed_file", &needed, "a file");
  std::string error = LoadError("name = \"n\"\n");
  EXPECT_THAT(error, HasSubstr("needed_file is not set"));
  EXPECT_THAT(error, HasSubstr("--needed-file"));
  EXPECT_THAT(error, HasSubstr("STRIFE_NEEDED_FILE"));
}

TEST(NearestNameTest, FindsSlipsAndIgnoresStrangers) {
  EXPECT_EQ(NearestName("lsiten", {"listen", "log_dir"}), "listen");
  EXPECT_EQ(NearestName("banana", {"listen", "log_dir"}), "");
}

}  // namespace
}  // namespace strife::cli
