#include "daemon/preparation/spill_room.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

class SpillRoomTest : public testing::Test {
 protected:
  SpillRoomTest() {
    config_.relay.state_directory = directory_.path();
    config_.relay.spill_directory = directory_.path();
    config_.relay.spill_bytes_max = 1;
  }

  TemporaryDirectory directory_;
  Config config_;
};

TEST_F(SpillRoomTest, AFolderWithRoomIsGood) { EXPECT_TRUE(CheckSpillRoom(config_).empty()); }

TEST_F(SpillRoomTest, AStateDirectoryThatTheFirstRunMakesIsGood) {
  config_.relay.state_directory = config_.relay.spill_directory = directory_ / "later";
  EXPECT_TRUE(CheckSpillRoom(config_).empty());
}

TEST_F(SpillRoomTest, AnotherFolderHasToBeThere) {
  config_.relay.spill_directory = directory_ / "nothing";
  const auto findings = CheckSpillRoom(config_);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].level, Finding::Level::kProblem);
  EXPECT_EQ(findings[0].exit_code, ExitCode::kState);
  EXPECT_THAT(findings[0].found, testing::HasSubstr("No such file or directory"));
}

TEST_F(SpillRoomTest, LessRoomThanTheConfigurationAllowsIsTold) {
  config_.relay.spill_bytes_max = std::uint64_t{1} << 60;
  const auto findings = CheckSpillRoom(config_);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].level, Finding::Level::kWarning);
  EXPECT_THAT(findings[0].found, testing::HasSubstr("relay.spill-bytes-max allows 1152921.5 TB"));
}

}  // namespace
}  // namespace outboxd
