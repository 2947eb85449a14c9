#include "daemon/preparation/log_kept.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

TEST(LogKeptTest, TellsHowLongAnOutageIsSafeAndHowThatIsKnown) {
  const Finding finding =
      CheckLogKept({.expiry = days(30), .oldest_file = "binlog.000001", .oldest_age = hours(1)});
  EXPECT_EQ(finding.level, Finding::Level::kOk);
  EXPECT_EQ(finding.found, "30 days, as the server is set: so long an outage is safe");
}

TEST(LogKeptTest, ForEverIsGood) {
  const Finding finding =
      CheckLogKept({.expiry = seconds(0), .oldest_file = "binlog.000001", .oldest_age = {}});
  EXPECT_EQ(finding.level, Finding::Level::kOk);
  EXPECT_EQ(finding.found, "for ever, as the server is set");
}

TEST(LogKeptTest, LessThanADayIsAWarningWithTheStatement) {
  const Finding finding =
      CheckLogKept({.expiry = hours(23), .oldest_file = "binlog.000001", .oldest_age = {}});
  EXPECT_EQ(finding.level, Finding::Level::kWarning);
  EXPECT_EQ(finding.remedy, "SET PERSIST binlog_expire_logs_seconds = 259200");
}

TEST(LogKeptTest, WhereFilesGoBeforeTheirTimeTheSettingIsNoHelp) {
  const Finding finding =
      CheckLogKept({.expiry = days(30), .oldest_file = "binlog.000009", .oldest_age = minutes(7)});
  EXPECT_EQ(finding.level, Finding::Level::kWarning);
  EXPECT_EQ(finding.found,
            "7 min, by the oldest file, binlog.000009: those before it are gone, though the"
            " setting says 30 days: a longer outage loses events");
  EXPECT_THAT(finding.remedy, HasSubstr("find out who removes files"));
}

}  // namespace
}  // namespace outboxd
