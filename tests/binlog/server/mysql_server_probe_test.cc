#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "binlog/mysql_server_probe.h"
#include "tests/binlog/server/server_fixture.h"

namespace outboxd::binlog {
namespace {

using testing::HasSubstr;

class ServerProbeTest : public ServerTest {
 protected:
  std::uint64_t SizeOf(const std::string& file) {
    for (const ResultRow& row : Run("SHOW BINARY LOGS")) {
      if (row.at(0) == file) return std::stoull(row.at(1).value());
    }
    return 0;
  }

  static inline const ReplicaIdentity kIdentity{4'000'001'234,
                                                "7d1f0a52-1111-4222-8333-944455556666"};
  MysqlServerProbe probe_{{ServerOptions()}, kIdentity};
};

TEST_F(ServerProbeTest, TellsTheEndOfTheLogAndTheSizesOfItsFiles) {
  ASSERT_TRUE(probe_.Open(stream_));
  const auto before = probe_.EndOfLog();
  ASSERT_TRUE(before) << before.error().message;
  EXPECT_EQ(before->offset, SizeOf(before->file));
  Run("CREATE TABLE t (id INT PRIMARY KEY)");
  Run("FLUSH BINARY LOGS");
  const auto behind = probe_.EndOfLog();
  ASSERT_TRUE(behind);
  EXPECT_GT(behind->file, before->file);
  const auto files = probe_.Files();
  ASSERT_TRUE(files) << files.error().message;
  ASSERT_GE(files->size(), 2U);
  const LogFile& rotated = files->at(files->size() - 2);
  EXPECT_EQ(rotated.name, before->file);
  EXPECT_GT(rotated.end_offset, before->offset);
  EXPECT_EQ(rotated.end_offset, SizeOf(before->file));
  EXPECT_EQ(files->back().name, behind->file);
  EXPECT_EQ(files->back().end_offset, behind->offset);
}

TEST_F(ServerProbeTest, TellsItsTimeOfDayWhateverTheSessionsTimeZoneIs) {
  ASSERT_TRUE(probe_.Open(stream_));
  const auto time = probe_.TimeOfDay();
  ASSERT_TRUE(time) << time.error().message;
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  EXPECT_NEAR(static_cast<double>(*time), static_cast<double>(now.count()), 60e6);
}

TEST_F(ServerProbeTest, TellsAfterHowLongItRemovesItsLogAsThatIsSetNow) {
  ASSERT_TRUE(probe_.Open(stream_));
  Run("SET GLOBAL binlog_expire_logs_seconds = 7200");
  EXPECT_EQ(probe_.Expiry().value(), std::chrono::hours(2));
  Run("SET GLOBAL binlog_expire_logs_seconds = 0");
  EXPECT_EQ(probe_.Expiry().value(), std::chrono::hours(0)) << "never";
  Run("SET GLOBAL binlog_expire_logs_seconds = DEFAULT");
  EXPECT_EQ(probe_.Expiry().value(), std::chrono::days(30));
  Run("SET GLOBAL binlog_expire_logs_auto_purge = OFF");
  EXPECT_EQ(probe_.Expiry().value(), std::chrono::hours(0)) << "never, whatever is set besides";
  Run("SET GLOBAL binlog_expire_logs_auto_purge = ON");
}

TEST_F(ServerProbeTest, TellsWhenAFileWasBegunAndThatOneIsGone) {
  ASSERT_TRUE(probe_.Open(stream_));
  const std::uint64_t before_s = probe_.TimeOfDay().value() / 1'000'000;
  Run("FLUSH BINARY LOGS");
  const std::uint64_t after_s = probe_.TimeOfDay().value() / 1'000'000;
  const auto files = probe_.Files().value();
  for (int i = 0; i < 2; ++i) {  // The second time it is a file that is closed.
    const auto begun = probe_.BeginOf(files.back().name);
    ASSERT_TRUE(begun) << begun.error().message;
    EXPECT_GE(*begun / 1'000'000, before_s);
    EXPECT_LE(*begun / 1'000'000, after_s);
    Run("FLUSH BINARY LOGS");
  }
  EXPECT_LE(probe_.BeginOf(files.front().name).value() / 1'000'000, before_s);
  // What is removed is no longer in the index, as what never was. Other tests read the whole log.
  EXPECT_EQ(probe_.BeginOf("binlog.999999").error().kind, ErrorKind::kGone);
  EXPECT_TRUE(probe_.EndOfLog()) << "the connection for other questions is as it was";
}

TEST_F(ServerProbeTest, AServerThatReplicatesNothingIsNoReplica) {
  ASSERT_TRUE(probe_.Open(stream_));
  const auto standing = probe_.StandingToSource();
  ASSERT_TRUE(standing) << standing.error().message;
  EXPECT_EQ(*standing, ReplicaStanding::kNone);
}

TEST_F(ServerProbeTest, AnAccountWithoutTheRightIsDeniedAndMayBeGivenIt) {
  Run("DROP USER IF EXISTS probe_reader");
  Run("CREATE USER probe_reader IDENTIFIED BY ''");
  ConnectionOptions options = ServerOptions();
  options.log_in.user = "probe_reader";
  options.log_in.password = {};
  MysqlServerProbe probe({options}, kIdentity);
  ASSERT_TRUE(probe.Open(stream_));
  EXPECT_TRUE(probe.TimeOfDay());
  EXPECT_EQ(probe.EndOfLog().error().kind, ErrorKind::kDenied);
  ASSERT_TRUE(probe.Open(stream_));
  EXPECT_EQ(probe.StandingToSource().error().kind, ErrorKind::kDenied);
  ASSERT_TRUE(probe.Open(stream_));
  EXPECT_EQ(probe.Files().error().kind, ErrorKind::kDenied);
  Run("GRANT REPLICATION CLIENT ON *.* TO probe_reader");
  ASSERT_TRUE(probe.Open(stream_));
  EXPECT_TRUE(probe.EndOfLog());
  Run("DROP USER probe_reader");
}

TEST_F(ServerProbeTest, DoesNotAskAnotherServer) {
  ASSERT_TRUE(probe_.Open(stream_));
  const auto opened = probe_.Open({.server_uuid = "another"});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kDisconnected);
  EXPECT_THAT(opened.error().message, HasSubstr("another server answers there now"));
  EXPECT_EQ(probe_.EndOfLog().error().kind, ErrorKind::kDisconnected);
}

TEST_F(ServerProbeTest, AKilledConnectionIsDisconnectedAndMadeAnew) {
  ASSERT_TRUE(probe_.Open(stream_));
  for (const ResultRow& row :
       Run("SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND command"
           " = 'Sleep'")) {
    Run("KILL " + *row[0]);
  }
  EXPECT_EQ(probe_.EndOfLog().error().kind, ErrorKind::kDisconnected);
  EXPECT_TRUE(probe_.Open(stream_));
  EXPECT_TRUE(probe_.EndOfLog());
}

TEST_F(ServerProbeTest, AnInterruptMeetsTheNextCall) {
  ASSERT_TRUE(probe_.Open(stream_));
  probe_.Interrupt();
  EXPECT_EQ(probe_.EndOfLog().error().kind, ErrorKind::kInterrupted);
  probe_.Interrupt();
  EXPECT_EQ(probe_.Open(stream_).error().kind, ErrorKind::kInterrupted);
  ASSERT_TRUE(probe_.Open(stream_));
  probe_.Interrupt();
  EXPECT_EQ(probe_.Open(stream_).error().kind, ErrorKind::kInterrupted) << "it was connected";
}

}  // namespace
}  // namespace outboxd::binlog
