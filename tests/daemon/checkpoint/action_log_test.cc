#include "daemon/checkpoint/action_log.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

class ActionLogTest : public testing::Test {
 protected:
  ActionLogTest() : directory_(folder_.path()), log_(directory_) {}

  TemporaryDirectory folder_;
  const std::string directory_;
  ActionLog log_;
};

TEST_F(ActionLogTest, TellsHowManyThereWereAndTheLast) {
  EXPECT_FALSE(log_.Recorded().value());
  ASSERT_TRUE(log_.Record({1, "ann", "skip", "uuid:1:1", ""}));
  ASSERT_TRUE(log_.Record({2, "bob \"b\"", "acknowledge", "uuid:2", "update: a\nb"}));
  const auto recorded = log_.Recorded().value();
  ASSERT_TRUE(recorded);
  EXPECT_EQ(recorded->count, 2U);
  EXPECT_EQ(recorded->last.at_us, 2U);
  EXPECT_EQ(recorded->last.by, "bob \"b\"");
  EXPECT_EQ(recorded->last.what, "acknowledge");
  EXPECT_EQ(recorded->last.of, "uuid:2");
  EXPECT_EQ(recorded->last.text, "update: a\nb");
}

TEST_F(ActionLogTest, IsForNobodyElseToRead) {
  ASSERT_TRUE(log_.Record({1, "ann", "skip", "uuid:1:1", ""}));
  struct stat status{};
  ASSERT_EQ(stat((directory_ + "/actions.jsonl").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(ActionLogTest, GoesOnBehindHalfALineThatACrashLeft) {
  ASSERT_TRUE(log_.Record({1, "ann", "skip", "uuid:1:1", ""}));
  std::ofstream(directory_ + "/actions.jsonl", std::ios::app) << "{\"at_us\":2,\"by";
  ASSERT_TRUE(log_.Record({3, "bob", "replay", "--all", ""}));
  const auto recorded = log_.Recorded().value();
  ASSERT_TRUE(recorded);
  EXPECT_EQ(recorded->count, 2U);
  EXPECT_EQ(recorded->last.by, "bob");
}

TEST_F(ActionLogTest, AnActionThatCannotBeRecordedIsAnError) {
  ActionLog log(directory_ + "/nowhere");
  EXPECT_EQ(log.Record({1, "ann", "skip", "uuid:1:1", ""}).error().kind, ExitCode::kState);
}

}  // namespace
}  // namespace outboxd
