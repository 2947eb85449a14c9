#include "daemon/service/private_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr uid_t kUser = 54321;
constexpr gid_t kGroup = 54322;

class PrivateFolderTest : public testing::Test {
 protected:
  struct stat StatusOf(const std::string& path) const {
    struct stat status{};
    EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
    return status;
  }

  TemporaryDirectory parent_;
};

TEST_F(PrivateFolderTest, OnlyItsOwnerLooksIntoIt) {
  const auto folder = PrivateFolder::Make(parent_.path());
  ASSERT_TRUE(folder->Write("password", "secret", getuid(), getgid()));
  EXPECT_EQ(StatusOf(folder->path()).st_mode & 07777, 0700u);
  EXPECT_EQ(StatusOf(folder->path() + "/password").st_mode & 07777, 0400u);
  EXPECT_THAT(folder->path(), testing::StartsWith(parent_.path() + "/outboxd-"));
}

TEST_F(PrivateFolderTest, BelongsWithItsFilesToWhomItIsGiven) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const auto folder = PrivateFolder::Make(parent_.path());
  ASSERT_TRUE(folder->Write("password", "secret", kUser, kGroup));
  ASSERT_TRUE(folder->GiveTo(kUser, kGroup));
  for (const std::string& path : {folder->path(), folder->path() + "/password"}) {
    EXPECT_EQ(StatusOf(path).st_uid, kUser);
    EXPECT_EQ(StatusOf(path).st_gid, kGroup);
  }
}

TEST_F(PrivateFolderTest, GoesWithTheObjectAndWithEverythingInIt) {
  auto folder = std::optional(PrivateFolder::Make(parent_.path()));
  ASSERT_TRUE((*folder)->Write("password", "secret", getuid(), getgid()));
  const PrivateFolder moved = std::move(**folder);
  folder.reset();
  EXPECT_EQ(access((moved.path() + "/password").c_str(), F_OK), 0);
  {
    const auto other = PrivateFolder::Make(parent_.path());
  }
  EXPECT_EQ(parent_.Names().size(), 1u);
  {
    PrivateFolder last = PrivateFolder::Make(parent_.path()).value();
    ASSERT_EQ(mkdir((last.path() + "/below").c_str(), 0700), 0);
  }
  EXPECT_EQ(parent_.Names().size(), 1u);
}

TEST_F(PrivateFolderTest, AnEarlierFileIsNotReplaced) {
  const auto folder = PrivateFolder::Make(parent_.path());
  ASSERT_TRUE(folder->Write("password", "secret", getuid(), getgid()));
  const auto written = folder->Write("password", "another", getuid(), getgid());
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ExitCode::kState);
}

TEST_F(PrivateFolderTest, APlaceThatIsNotThereIsNamed) {
  const auto folder = PrivateFolder::Make(parent_ / "nothing");
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().kind, ExitCode::kState);
  EXPECT_THAT(folder.error().message, HasSubstr(parent_ / "nothing"));
  EXPECT_THAT(parent_.Names(), IsEmpty());
}

}  // namespace
}  // namespace outboxd
