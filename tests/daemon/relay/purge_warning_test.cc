#include "daemon/relay/purge_warning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/captured_log.h"
#include "tests/daemon/fakes.h"

namespace outboxd {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::HasSubstr;

class PurgeWarningTest : public testing::Test {
 protected:
  // Lines that are logged once it looks at a lag of so long.
  std::ptrdiff_t LinesAt(std::chrono::microseconds lag) {
    status_.lag = lag.count() == 0 ? LagFacts{.oldest = {}, .done = {}, .proven_for = minutes(1)}
                                   : LagFacts{.oldest = lag, .done = {}};
    const std::ptrdiff_t before = log_.lines();
    warning_.Look(status_);
    return log_.lines() - before;
  }
  KeptLog& kept() { return *status_.server.log; }

  const CapturedLog log_;
  FakeClock clock_;
  RelayStatus status_ = [] {
    RelayStatus status;
    status.server.log = KeptLog{
        .keeping = {.expiry = hours(10), .oldest_file = "binlog.000001", .oldest_age = hours(4)},
        .needed_file = "binlog.000012"};
    return status;
  }();
  PurgeWarning warning_{clock_};
};

TEST_F(PurgeWarningTest, ComesOnceWellBeforeAndAgainEveryTenMinutes) {
  EXPECT_EQ(LinesAt(hours(5)), 0);
  EXPECT_EQ(LinesAt(hours(6)), 1);
  EXPECT_THAT(log_.text(),
              HasSubstr("MySQL may remove what is not delivered in 4 h HINT: see why nothing is"
                        " delivered, and SET PERSIST binlog_expire_logs_seconds = 72000"));
  clock_.Move(minutes(9));
  EXPECT_EQ(LinesAt(hours(6)), 0);
  clock_.Move(minutes(1));
  EXPECT_EQ(LinesAt(hours(6)), 1);
}

TEST_F(PurgeWarningTest, ThatItIsOverIsSaidOnce) {
  EXPECT_EQ(LinesAt({}), 0);
  EXPECT_EQ(LinesAt(hours(6)), 1);
  EXPECT_EQ(LinesAt({}), 1);
  EXPECT_THAT(log_.text(), HasSubstr("MySQL keeps its log long enough again"));
  EXPECT_EQ(LinesAt({}), 0);
  EXPECT_EQ(LinesAt(hours(6)), 1) << "it is news again";
}

TEST_F(PurgeWarningTest, WhatIsNotKnownAnyMoreIsNotOver) {
  EXPECT_EQ(LinesAt(hours(6)), 1);
  status_.server.log.reset();
  EXPECT_EQ(LinesAt(hours(6)), 0);
}

TEST_F(PurgeWarningTest, ThatAFileIsGoneIsSaidAtOnceThoughAWarningCameBefore) {
  EXPECT_EQ(LinesAt(hours(6)), 1);
  kept().is_gone = true;
  EXPECT_EQ(LinesAt(hours(6)), 1);
  EXPECT_THAT(log_.text(), HasSubstr("MySQL has removed binlog.000012, which a start would need"
                                     " HINT: do not stop the relay: what it has read it can still"
                                     " deliver, and after a stop it ends with code 80"));
}

TEST_F(PurgeWarningTest, AHeldXaTransactionCountsWithItsOwnAge) {
  status_.written_at_us = 1'700'000'000'000'000;
  status_.held_xa = {{.xid = "'x'", .place = "binlog.000012:4", .since_us = status_.written_at_us}};
  EXPECT_EQ(LinesAt({}), 0);
  status_.held_xa[0].since_us -= 6 * 3'600'000'000ULL;
  EXPECT_EQ(LinesAt({}), 1);
}

TEST_F(PurgeWarningTest, WhereFilesWentBeforeTheirTimeItIsNotTheSettingThatHelps) {
  kept().keeping.oldest_file = "binlog.000009";
  EXPECT_EQ(LinesAt(hours(3)), 1);
  EXPECT_THAT(log_.text(),
              HasSubstr("in 60 min HINT: see why nothing is delivered, and let the server keep its"
                        " log longer: its oldest file, binlog.000009, is of 4 h ago, and those"
                        " before it are removed already"));
}

}  // namespace
}  // namespace outboxd
