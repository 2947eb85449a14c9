#include "daemon/checkpoint/file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/daemon/checkpoint/failing_files.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(FileSystemTest, ReplacesAFileForItsOwnerOnly) {
  const TemporaryDirectory directory;
  directory.Write("f", "old");
  ASSERT_TRUE(ReplaceFile(SystemFiles(), directory.path(), "f", "new"));
  EXPECT_EQ(directory.Read("f"), "new");
  EXPECT_THAT(directory.Names(), ElementsAre("f"));
  struct stat status{};
  ASSERT_EQ(stat((directory / "f").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST(FileSystemTest, ShortWritesAndInterruptionsAreGoneOn) {
  for (const char* call : {"open", "write", "fsync", "close"}) {
    const TemporaryDirectory directory;
    FailingFiles files(call, 0, EINTR, call == std::string_view("close") ? 1 : 3);
    files.write_bytes_max = 3;
    ASSERT_TRUE(ReplaceFile(files, directory.path(), "f", "0123456789")) << call;
    EXPECT_EQ(directory.Read("f"), "0123456789");
    EXPECT_EQ(files.open_descriptors, 0);
  }
}

TEST(FileSystemTest, ALeftoverOfACrashIsOverwritten) {
  const TemporaryDirectory directory;
  directory.Write("f.new", "a torn and longer text");
  ASSERT_TRUE(ReplaceFile(SystemFiles(), directory.path(), "f", "new"));
  EXPECT_EQ(directory.Read("f"), "new");
}

struct Step {
  const char* call;
  int at;
  int error;
  const char* shown;
  bool new_may_stand;  // The replacement was done, only not yet synced.
};

class FailingStepTest : public testing::TestWithParam<Step> {};

TEST_P(FailingStepTest, LeavesTheOldFileAndNothingElse) {
  const Step& step = GetParam();
  const TemporaryDirectory directory;
  directory.Write("f", "old");
  FailingFiles files(step.call, step.at, step.error);
  files.write_bytes_max = 2;
  const auto replaced = ReplaceFile(files, directory.path(), "f", "new");
  ASSERT_FALSE(replaced.has_value());
  EXPECT_EQ(replaced.error().kind, ExitCode::kState);
  EXPECT_THAT(replaced.error().message, AllOf(HasSubstr(directory.path()), HasSubstr(step.shown)));
  EXPECT_EQ(directory.Read("f"), step.new_may_stand ? "new" : "old");
  EXPECT_THAT(directory.Names(), ElementsAre("f"));
  EXPECT_EQ(files.open_descriptors, 0);
}

INSTANTIATE_TEST_SUITE_P(
    EachStep, FailingStepTest,
    testing::Values(
        Step{"open", 0, EACCES, "f.new: open failed: Permission denied", false},
        Step{"write", 0, ENOSPC, "f.new: write failed: No space left on device", false},
        Step{"write", 1, ENOSPC, "f.new: write failed: No space left on device", false},
        Step{"fsync", 0, EIO, "f.new: fsync failed: Input/output error", false},
        Step{"close", 0, EDQUOT, "f.new: close failed: Disk quota exceeded", false},
        Step{"rename", 0, EROFS, "f: rename failed: Read-only file system", false},
        Step{"open", 1, EMFILE, "open of the directory failed: Too many open files", true},
        Step{"fsync", 1, EIO, "fsync of the directory failed: Input/output error", true}),
    [](const auto& tested) {
      return std::string(tested.param.call) + std::to_string(tested.param.at);
    });

TEST(FileSystemTest, RemovingAFileThatIsNotThereIsFine) {
  const TemporaryDirectory directory;
  EXPECT_TRUE(RemoveFile(SystemFiles(), directory.path(), "f"));
  directory.Write("f", "x");
  EXPECT_TRUE(RemoveFile(SystemFiles(), directory.path(), "f"));
  EXPECT_TRUE(directory.Names().empty());
}

TEST(FileSystemTest, ReadingTellsMissingFromUnreadableFromTooLong) {
  const TemporaryDirectory directory;
  EXPECT_EQ(ReadFile(SystemFiles(), directory / "f", 10), std::nullopt);
  directory.Write("f", "0123456789");
  EXPECT_EQ(ReadFile(SystemFiles(), directory / "f", 10), "0123456789");
  EXPECT_THAT(ReadFile(SystemFiles(), directory / "f", 9).error().message,
              HasSubstr("longer than 9 bytes"));
  FailingFiles files("read", 0, EIO);
  EXPECT_THAT(ReadFile(files, directory / "f", 10).error().message,
              HasSubstr("f: read failed: Input/output error"));
}

}  // namespace
}  // namespace outboxd
