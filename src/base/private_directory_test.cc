#include "base/private_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "base/test_directory.h"

namespace strife {
namespace {

namespace fs = std::filesystem;

class PrivateDirectory : public testing::Test {
 protected:
  TestDirectory root_;
};

TEST_F(PrivateDirectory, IsTheOwnersAlone_ItsParentsAreOrdinary) {
  const mode_t before = ::umask(022);
  const Status made = MakePrivateDirectory(root_ / "parent" / "keys");
  const Status with_slash = MakePrivateDirectory(root_ / "other" / "data/");
  ::umask(before);
  ASSERT_TRUE(made && with_slash);
  EXPECT_EQ(ModeOf(root_ / "parent" / "keys"), 0700);
  EXPECT_EQ(ModeOf(root_ / "parent"), 0755);
  EXPECT_EQ(ModeOf(root_ / "other" / "data"), 0700);
}

TEST_F(PrivateDirectory, ThatIsThere_StaysAsItIs) {
  fs::create_directory(root_ / "shared");
  fs::permissions(root_ / "shared", static_cast<fs::perms>(0750));
  EXPECT_TRUE(MakePrivateDirectory(root_ / "shared"));
  EXPECT_EQ(ModeOf(root_ / "shared"), 0750);
}

TEST_F(PrivateDirectory, InTheWayOfAFile_IsAnErrorThatNamesIt) {
  std::ofstream(root_ / "file") << "not a directory";
  for (const fs::path& path : {root_ / "file", root_ / "file" / "below"}) {
    const Status made = MakePrivateDirectory(path);
    ASSERT_FALSE(made) << path;
    EXPECT_EQ(made.error().code, ErrorCode::kStorage);
    EXPECT_NE(made.error().message.find(path.string()), std::string::npos) << made.error().message;
  }
}

}  // namespace
}  // namespace strife
