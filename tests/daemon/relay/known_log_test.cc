#include "daemon/relay/known_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/fake_probe.h"
#include "tests/daemon/fakes.h"

namespace outboxd {
namespace {

using binlog::ErrorKind;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::Optional;

class KnownLogTest : public testing::Test {
 protected:
  AcknowledgedPlace At(const std::string& file, std::uint64_t offset) const {
    return {.host = 0, .server_uuid = uuid_, .file = file, .offset = offset, .needed_file = file};
  }
  [[nodiscard]] binlog::LogEnd End() const {
    return {server_.files.back().name, server_.files.back().end_offset};
  }
  void Learn() { ASSERT_TRUE(log_.Learn(place_, End())); }
  std::optional<std::uint64_t> Bytes() {
    Learn();
    return log_.BytesBetween(place_, End());
  }
  KeptLog Kept() {
    Learn();
    return log_.KeptFor(place_).value();
  }

  std::string uuid_ = "11111111-1111-1111-1111-111111111111";
  FakeClock clock_;
  FakeProbe server_{clock_};
  ServerClock server_clock_{clock_};
  AcknowledgedPlace place_ = At("binlog.000001", 400);
  KnownLog log_{server_, server_clock_, clock_};
};

TEST_F(KnownLogTest, CountsTheBytesOfAllFilesBetween) {
  EXPECT_THAT(Bytes(), Optional(600));
  clock_.Move(minutes(1));
  server_.files = {{"binlog.000001", 1000}, {"binlog.000002", 5000}, {"binlog.000003", 70}};
  EXPECT_THAT(Bytes(), Optional(600 + 5000 + 70));
  place_ = At("binlog.000002", 4000);
  EXPECT_THAT(Bytes(), Optional(1000 + 70));
  place_ = At("binlog.000003", 70);
  EXPECT_THAT(Bytes(), Optional(0));
}

TEST_F(KnownLogTest, TheBytesAreNotKnownWhereAFileIsGoneOrItsSizeIsNotTold) {
  server_.files = {{"binlog.000001", 1000}, {"binlog.000002", 0}, {"binlog.000003", 70}};
  EXPECT_FALSE(Bytes());
  clock_.Move(minutes(1));
  server_.files = {{"binlog.000001", 0}, {"binlog.000002", 500}, {"binlog.000004", 70}};
  EXPECT_FALSE(Bytes());
  clock_.Move(minutes(1));
  server_.files = {{"binlog.000002", 500}, {"binlog.000004", 70}};
  EXPECT_FALSE(Bytes());
}

TEST_F(KnownLogTest, WithNothingBehindTheFilesAreAskedForEveryTenMinutes) {
  for (int i = 0; i < 120; ++i) {
    Learn();
    clock_.Move(seconds(5));
  }
  EXPECT_EQ(server_.files_asked, 1);
  Learn();
  EXPECT_EQ(server_.files_asked, 2);
}

TEST_F(KnownLogTest, AfterARotationAndWithSomethingBehindAtMostOnceAMinute) {
  server_.files.push_back({"binlog.000002", 50});
  for (int i = 0; i < 12; ++i) {
    Learn();
    EXPECT_EQ(server_.files_asked, 1);
    clock_.Move(seconds(5));
  }
  Learn();
  EXPECT_EQ(server_.files_asked, 2) << "the file of the place could be removed";
  server_.files.push_back({"binlog.000003", 7});
  EXPECT_FALSE(Bytes()) << "the new one is not known yet";
  clock_.Move(minutes(1));
  EXPECT_THAT(Bytes(), Optional(657));
  EXPECT_EQ(server_.files_asked, 3);
}

TEST_F(KnownLogTest, ALogOfWhichNothingWasRemovedIsKeptAsLongAsItIsSet) {
  clock_.Move(hours(2));
  EXPECT_EQ(Kept().keeping.kept(), days(30));
  EXPECT_FALSE(Kept().keeping.is_seen());
  server_.expiry = seconds(0);
  clock_.Move(minutes(10));
  EXPECT_FALSE(Kept().keeping.kept()) << "for ever";
}

// As servers do that somebody else runs: the setting says 30 days, and files go after five minutes.
TEST_F(KnownLogTest, ALogOfWhichFilesAreGoneIsKeptNoLongerThanItsOldestFileIsOld) {
  server_.files = {{"binlog.000004", 1000}, {"binlog.000005", 50}};
  place_ = At("binlog.000005", 50);
  clock_.Move(minutes(5));
  const KeptLog kept = Kept();
  EXPECT_EQ(kept.keeping.kept(), minutes(5));
  EXPECT_TRUE(kept.keeping.is_seen());
  clock_.Move(minutes(2));
  EXPECT_EQ(Kept().keeping.kept(), minutes(7)) << "it is there still";
  server_.files.erase(server_.files.begin());
  server_.files.push_back({"binlog.000006", 4});
  server_.begun_us = clock_.WallMicroseconds();
  clock_.Move(minutes(10));
  EXPECT_EQ(Kept().keeping.kept(), minutes(10)) << "another one is the oldest now";
  EXPECT_THAT(server_.begins_asked, ElementsAre("binlog.000004", "binlog.000005"));
}

TEST_F(KnownLogTest, TheAgeOfTheOldestFileIsByTheServersClock) {
  server_.files = {{"binlog.000004", 1000}};
  place_ = At("binlog.000004", 400);
  server_clock_.Set(server_.begun_us + 3'600'000'000, clock_.Now());
  EXPECT_EQ(Kept().keeping.kept(), hours(1));
}

TEST_F(KnownLogTest, AServerThatRemovesAFileEachMinuteIsNotAskedForTheBeginEachTime) {
  for (int i = 1; i <= 30; ++i) {
    server_.files = {{"binlog.00000" + std::to_string(i), 1000}};
    place_ = At(server_.files.back().name, 400);
    Learn();
    clock_.Move(minutes(1));
  }
  EXPECT_EQ(server_.begins_asked.size(), 3u);
}

TEST_F(KnownLogTest, WhereTheBeginIsNotToldTheSettingCounts) {
  server_.files = {{"binlog.000004", 1000}};
  place_ = At("binlog.000004", 400);
  server_.begin_error = {ErrorKind::kDenied, "REPLICATION SLAVE is missing"};
  EXPECT_EQ(Kept().keeping.kept(), days(30));
  EXPECT_FALSE(Kept().keeping.is_seen());
}

TEST_F(KnownLogTest, KnowsThatTheFileIsGoneWhichAStartWouldNeed) {
  server_.files = {{"binlog.000001", 1000}, {"binlog.000002", 5000}};
  EXPECT_FALSE(Kept().is_gone);
  server_.files.erase(server_.files.begin());
  clock_.Move(minutes(1));
  EXPECT_TRUE(Kept().is_gone);
  EXPECT_EQ(Kept().needed_file, "binlog.000001");
}

TEST_F(KnownLogTest, AHeldTransactionNeedsTheFileThatItWasPreparedIn) {
  server_.files = {{"binlog.000002", 5000}, {"binlog.000003", 70}};
  place_ = At("binlog.000003", 70);
  EXPECT_FALSE(Kept().is_gone);
  place_.needed_file = "binlog.000001";
  EXPECT_TRUE(Kept().is_gone);
  EXPECT_EQ(Kept().needed_file, "binlog.000001");
}

TEST_F(KnownLogTest, AFileThatIsNewerThanTheListIsNotGone) {
  Learn();
  place_ = At("binlog.000002", 4);
  EXPECT_FALSE(log_.KeptFor(place_)->is_gone);
}

TEST_F(KnownLogTest, NothingOfAFormerServerCountsForAnother) {
  server_.files = {{"binlog.000001", 1000}, {"binlog.000002", 5000}};
  EXPECT_THAT(Bytes(), Optional(5600));
  uuid_ = "22222222-2222-2222-2222-222222222222";
  place_ = At("binlog.000001", 60);
  server_.files = {{"binlog.000001", 90}, {"binlog.000002", 8}};
  EXPECT_THAT(Bytes(), Optional(30 + 8));
}

TEST_F(KnownLogTest, WhatIsRefusedIsAnErrorAndNothingIsKnown) {
  server_.files_error = {ErrorKind::kDenied, "no"};
  EXPECT_EQ(log_.Learn(place_, End()).error().kind, ErrorKind::kDenied);
  EXPECT_FALSE(log_.KeptFor(place_));
}

}  // namespace
}  // namespace outboxd
