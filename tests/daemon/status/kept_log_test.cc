#include "daemon/status/kept_log.h"

#include <gtest/gtest.h>

namespace outboxd {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

KeptLog KeptFor(std::chrono::seconds expiry) {
  return {.keeping = {.expiry = expiry, .oldest_file = "binlog.000001", .oldest_age = {}},
          .needed_file = "binlog.000012"};
}

TEST(PurgeMarginTest, IsWhatIsLeftOfTheTimeThatTheLogIsKept) {
  EXPECT_EQ(PurgeMargin(KeptFor(hours(10)), microseconds(0)), hours(10));
  EXPECT_EQ(PurgeMargin(KeptFor(hours(10)), hours(4)), hours(6));
  EXPECT_EQ(PurgeMargin(KeptFor(hours(10)), hours(11)), hours(0));
}

TEST(PurgeMarginTest, IsNotKnownWhereNobodyKnowsHowOldWhatIsNeededIs) {
  EXPECT_EQ(PurgeMargin(KeptFor(hours(10)), std::nullopt), std::nullopt);
}

TEST(PurgeMarginTest, HasNoEndWhereTheLogIsKeptForEver) {
  EXPECT_EQ(PurgeMargin(KeptFor(hours(0)), hours(4)), kNeverPurged);
  EXPECT_EQ(PurgeMargin(KeptFor(hours(0)), std::nullopt), kNeverPurged);
}

TEST(PurgeMarginTest, IsZeroWhereSomethingIsGone) {
  for (const auto expiry : {hours(0), hours(10)}) {
    KeptLog log = KeptFor(expiry);
    log.is_gone = true;
    EXPECT_EQ(PurgeMargin(log, std::nullopt), seconds(0));
  }
}

TEST(PurgeTextTest, SaysNothingBeforeHalfOfTheTimeIsOver) {
  EXPECT_EQ(PurgeText(KeptFor(hours(10)), hours(5)), "");
  EXPECT_EQ(PurgeText(KeptFor(hours(10)), std::nullopt), "");
  EXPECT_EQ(PurgeText(KeptFor(hours(0)), hours(1000)), "");
  EXPECT_EQ(PurgeText(KeptFor(hours(10)), hours(5) + minutes(1)),
            "MySQL may remove what is not delivered in 4 h");
  EXPECT_EQ(PurgeText(KeptFor(hours(10)), hours(10)),
            "MySQL may remove what is not delivered at any moment");
}

TEST(PurgeTextTest, NamesTheFileThatIsGone) {
  KeptLog log = KeptFor(hours(10));
  log.is_gone = true;
  EXPECT_EQ(PurgeText(log, microseconds(0)),
            "MySQL has removed binlog.000012, which a start would need");
}

}  // namespace
}  // namespace outboxd
