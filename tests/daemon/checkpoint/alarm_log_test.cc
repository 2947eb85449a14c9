#include "daemon/checkpoint/alarm_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

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

TEST_F(AlarmLogTest, AlarmsOfWhichNoRecordCanBeKeptStandOn) {
  ASSERT_TRUE(log_.Record({"update", "uuid:1", "a", 1}));
  std::size_t kept = 0;
  const auto refused = log_.Acknowledge([&](const std::vector<Alarm>& standing) -> Result<void> {
    kept = standing.size();
    return Fail(ExitCode::kState, "no room");
  });
  EXPECT_EQ(kept, 1U);
  EXPECT_EQ(refused.error().kind, ExitCode::kState);
  EXPECT_EQ(log_.CountStanding().value(), 1U);
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

TEST_F(AlarmLogTest, WhatAnotherProcessAcknowledgedStandsNoLongerAndMayStandAgain) {
  Record("u:1");
  EXPECT_EQ(log_.CountStanding(), 1u);
  ASSERT_TRUE(AlarmLog(directory_.path()).Acknowledge());
  EXPECT_EQ(log_.CountStanding(), 0u);
  Record("u:1");
  EXPECT_THAT(Standing(), ElementsAre("u:1"));
}

TEST_F(AlarmLogTest, AcknowledgedAlarmsTakeNoSpace) {
  Record("u:1");
  ASSERT_TRUE(log_.Acknowledge());
  std::uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
    bytes += entry.file_size();
  }
  EXPECT_EQ(bytes, 0u);
}

TEST_F(AlarmLogTest, AlarmsThatTheFileHasNoRoomForEndNoRun) {
  const std::string text(AlarmLog::kBytesMax / 4, 'x');
  for (const char* position : {"u:1", "u:2", "u:3", "u:4", "u:5"}) {
    ASSERT_TRUE(log_.Record({"statement", position, text}));
  }
  EXPECT_THAT(Standing(), ElementsAre("u:1", "u:2", "u:3"));
}

// Bytes that this process has read, from files among others.
std::uint64_t BytesRead() {
  std::ifstream file("/proc/self/io");
  std::string name;
  std::uint64_t bytes = 0;
  file >> name >> bytes;
  EXPECT_EQ(name, "rchar:");
  return bytes;
}

TEST_F(AlarmLogTest, AFloodReadsTheFileOnce) {
  for (int i = 0; i < 100; ++i) Record("u:" + std::to_string(i));
  const std::uint64_t before = BytesRead();
  for (int i = 0; i < 1000; ++i) {
    Record("u:" + std::to_string(i % 100));
    ASSERT_EQ(log_.CountStanding(), 100u);
  }
  EXPECT_LT(BytesRead() - before, 10'000u);
}

TEST_F(AlarmLogTest, EachAlarmIsAcknowledgedOrStandsWhicheverProcessComesFirst) {
  constexpr int kCount = 500;
  std::atomic<bool> finished = false;
  std::vector<std::string> positions;
  AlarmLog operators(directory_.path());
  const auto acknowledge = [&] {
    const auto alarms = operators.Acknowledge();
    EXPECT_TRUE(alarms.has_value());
    for (const Alarm& alarm : alarms.value_or(std::vector<Alarm>())) {
      positions.push_back(alarm.position);
    }
  };
  std::thread other([&] {
    while (!finished.load()) acknowledge();
  });
  std::vector<std::string> expected;
  for (int i = 0; i < kCount; ++i) {
    expected.push_back("u:" + std::to_string(i));
    Record(expected.back());
  }
  finished.store(true);
  other.join();
  acknowledge();
  EXPECT_EQ(positions, expected);
}

TEST_F(AlarmLogTest, ADirectoryThatFailsIsNamed) {
  const auto recorded = AlarmLog(directory_ / "gone").Record({"xa", "u:1", "text"});
  ASSERT_FALSE(recorded);
  EXPECT_EQ(recorded.error().kind, ExitCode::kState);
  EXPECT_THAT(recorded.error().message, testing::HasSubstr("gone/alarms.jsonl: open failed"));
}

}  // namespace
}  // namespace outboxd
