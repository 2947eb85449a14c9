#include "daemon/relay/read_pace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;

constexpr std::uint64_t kBegun = 1'700'000'000'000'000;

// A read of a million rows in a log that is kept for ten hours.
class ReadPaceTest : public ::testing::Test {
 protected:
  explicit ReadPaceTest(const ReadPace::Facts& facts = {.rows_estimate = 1'000'000,
                                                        .log_kept = hours(10),
                                                        .begun_us = kBegun})
      : pace_(facts) {}

  std::optional<std::string> Warning(std::uint64_t rows, microseconds since_begun) {
    return pace_.Warning(rows, kBegun + static_cast<std::uint64_t>(since_begun.count()));
  }

  ReadPace pace_;
};

TEST_F(ReadPaceTest, AFastReadIsNoNews) {
  EXPECT_FALSE(Warning(0, seconds(0)));
  EXPECT_FALSE(Warning(500'000, minutes(10)));
  EXPECT_FALSE(Warning(900'000, minutes(20)));
}

TEST_F(ReadPaceTest, TellsOfAReadThatTakesLongerThanTheLogIsKept) {
  EXPECT_FALSE(Warning(0, seconds(0)));
  const auto warning = Warning(50'000, hours(1));
  ASSERT_TRUE(warning);
  EXPECT_THAT(*warning, AllOf(HasSubstr("needs about 19 h more"), HasSubstr("after 9 h HINT:"),
                              HasSubstr("binlog_expire_logs_seconds = 144000")));
}

TEST_F(ReadPaceTest, TellsOfAReadThatTakesMoreThanHalfOfWhatIsLeft) {
  EXPECT_FALSE(Warning(0, seconds(0)));
  EXPECT_TRUE(Warning(150'000, hours(1))) << "5.7 h of 9 h";
}

TEST_F(ReadPaceTest, AReadThatTakesLessThanHalfOfWhatIsLeftIsNoNews) {
  EXPECT_FALSE(Warning(0, seconds(0)));
  EXPECT_FALSE(Warning(200'000, hours(1))) << "4 h of 9 h";
}

TEST_F(ReadPaceTest, TellsItOnceInTenMinutes) {
  EXPECT_FALSE(Warning(0, seconds(0)));
  EXPECT_TRUE(Warning(50'000, minutes(60)));
  EXPECT_FALSE(Warning(50'100, minutes(69)));
  EXPECT_TRUE(Warning(50'200, minutes(70)));
}

TEST_F(ReadPaceTest, SaysNothingBelowAHundredthOfTheRows) {
  EXPECT_FALSE(Warning(0, seconds(0)));
  EXPECT_FALSE(Warning(9'999, hours(1)));
  EXPECT_TRUE(Warning(10'000, hours(1)));
}

TEST_F(ReadPaceTest, WhatAFormerProcessReadDoesNotCountForTheRate) {
  EXPECT_FALSE(Warning(500'000, hours(5)));
  EXPECT_FALSE(Warning(500'000, hours(6))) << "no rate yet";
  EXPECT_TRUE(Warning(510'000, hours(7)));
}

TEST_F(ReadPaceTest, BehindTheEndOfTheLogNothingIsLeft) {
  EXPECT_FALSE(Warning(500'000, hours(11)));
  const auto warning = Warning(900'000, hours(12));
  ASSERT_TRUE(warning);
  EXPECT_THAT(*warning, HasSubstr("after 0 s"));
}

TEST_F(ReadPaceTest, ARunningReadWithMoreRowsThanEstimatedIsNoNews) {
  EXPECT_FALSE(Warning(0, seconds(0)));
  EXPECT_FALSE(Warning(1'000'000, hours(9)));
  EXPECT_FALSE(Warning(1'000'001, hours(9) + minutes(30)));
}

TEST(ReadPaceFactsTest, WithoutAnyOneOfTheFactsThereIsNothingToTell) {
  const ReadPace::Facts all{.rows_estimate = 1'000'000, .log_kept = hours(10), .begun_us = kBegun};
  ReadPace::Facts no_estimate = all, kept_for_ever = all, not_begun = all;
  no_estimate.rows_estimate = 0;
  kept_for_ever.log_kept = seconds(0);
  not_begun.begun_us = 0;
  for (const auto& facts : {no_estimate, kept_for_ever, not_begun}) {
    ReadPace pace(facts);
    EXPECT_FALSE(pace.Warning(0, kBegun));
    EXPECT_FALSE(pace.Warning(50'000, kBegun + 3'600'000'000));
  }
}

}  // namespace
}  // namespace outboxd
