#include "daemon/checkpoint/alarm_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class AlarmLogTest : public testing::Test {
 protected:
  void Record(const std::string& position, const std::string& kind = "statement") {
    ASSERT_TRUE(log_.Record({kind, position, "text"}));
  }
  // The positions of those that stand, as another process reads them.
  std::vector<std::string> Standing() {
    const auto alarms = AlarmLog(directory_.path()).Standing();
    EXPECT_TRUE(alarms.has_value());
    std::vector<std::string> positions;
    for (const Alarm& alarm : alarms.value_or(std::vector<Alarm>())) {
      positions.push_back(alarm.position);
    }
    return positions;
  }
  // A crash in the middle of writing an alarm.
  void Tear() {
    directory_.Write("alarms.jsonl",
                     directory_.Read("alarms.jsonl") + R"({"kind":"statement","posi)");
  }

  TemporaryDirectory directory_;
  AlarmLog log_{directory_.path()};
};

TEST_F(AlarmLogTest, NothingStandsWhereNothingWasRecorded) {
  EXPECT_THAT(Standing(), IsEmpty());
  EXPECT_TRUE(log_.Acknowledge());
}

TEST_F(AlarmLogTest, AnAlarmStandsAsItWasRecorded) {
  const Alarm alarm{.kind = "xa", .position = "u:7", .text = "a \"b\"\nc", .commit_us = 123};
  ASSERT_TRUE(log_.Record(alarm));
  const auto standing = log_.Standing();
  ASSERT_TRUE(standing && standing->size() == 1);
  EXPECT_EQ(standing->at(0).kind, alarm.kind);
  EXPECT_EQ(standing->at(0).position, alarm.position);
  EXPECT_EQ(standing->at(0).text, alarm.text);
  EXPECT_EQ(standing->at(0).commit_us, alarm.commit_us);
}

TEST_F(AlarmLogTest, AlarmsStandInTheirOrderUntilTheyAreAcknowledged) {
  Record("u:1");
  Record("u:2");
  EXPECT_THAT(Standing(), ElementsAre("u:1", "u:2"));
  ASSERT_TRUE(log_.Acknowledge());
  EXPECT_THAT(Standing(), IsEmpty());
  Record("u:3");
  EXPECT_THAT(Standing(), ElementsAre("u:3"));
}

TEST_F(AlarmLogTest, OneTransactionStandsOnceForEachKind) {
  Record("u:1");
  Record("u:1");
  Record("u:1", "update");
  EXPECT_THAT(Standing(), ElementsAre("u:1", "u:1"));
}

TEST_F(AlarmLogTest, HalfALineOfACrashIsNoAlarmAndSpoilsNone) {
  Record("u:1");
  Tear();
  EXPECT_THAT(Standing(), ElementsAre("u:1"));
  Record("u:2");
  EXPECT_THAT(Standing(), ElementsAre("u:1", "u:2"));
}

TEST_F(AlarmLogTest, AnAlarmBehindAnAcknowledgedHalfLineStands) {
  Record("u:1");
  Tear();
  ASSERT_TRUE(log_.Acknowledge());
  Record("u:2");
  EXPECT_THAT(Standing(), ElementsAre("u:2"));
}

TEST_F(AlarmLogTest, AnAlarmStandsThoughTheFileBeforeItWasDeleted) {
  Record("u:1");
  Record("u:2");
  ASSERT_TRUE(log_.Acknowledge());
  std::filesystem::remove(directory_ / "alarms.jsonl");
  for (const char* position : {"u:3", "u:4", "u:5"}) Record(position);
  EXPECT_THAT(Standing(), ElementsAre("u:3", "u:4", "u:5"));
}

TEST_F(AlarmLogTest, TextThatIsNotUtf8IsMendedRatherThanRefused) {
  ASSERT_TRUE(log_.Record({"statement", "u:1", "a\xff"}));
  EXPECT_EQ(log_.Standing()->at(0).text, "a\xEF\xBF\xBD");
}

TEST_F(AlarmLogTest, AFloodIsRecordedUpToItsMaximum) {
  std::string full;
  for (std::size_t i = 0; i < AlarmLog::kStandingMax; ++i) {
    full += R"({"kind":"statement","position":"u:)" + std::to_string(i) +
            R"(","text":"","commit_us":0})" + "\n";
  }
  directory_.Write("alarms.jsonl", full);
  Record("v:1");
  EXPECT_EQ(Standing().size(), AlarmLog::kStandingMax);
  ASSERT_TRUE(log_.Acknowledge());
  Record("v:2");
  EXPECT_THAT(Standing(), ElementsAre("v:2"));
}

TEST_F(AlarmLogTest, ADirectoryThatFailsIsNamed) {
  const auto recorded = AlarmLog(directory_ / "gone").Record({"xa", "u:1", "text"});
  ASSERT_FALSE(recorded);
  EXPECT_EQ(recorded.error().exit_code, ExitCode::kState);
  EXPECT_THAT(recorded.error().message, testing::HasSubstr("gone/alarms.jsonl: open failed"));
}

}  // namespace
}  // namespace outboxd
