#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "binlog/mysql_log_end_source.h"
#include "tests/binlog/server/server_fixture.h"

namespace outboxd::binlog {
namespace {

using testing::HasSubstr;

class LogEndSourceTest : public ServerTest {
 protected:
  std::uint64_t SizeOf(const std::string& file) {
    for (const ResultRow& row : Run("SHOW BINARY LOGS")) {
      if (row.at(0) == file) return std::stoull(row.at(1).value());
    }
    return 0;
  }

  MysqlLogEndSource ends_{{ServerOptions()}};
};

TEST_F(LogEndSourceTest, TellsTheEndOfTheLogAndTheSizesOfItsFiles) {
  ASSERT_TRUE(ends_.Open(stream_));
  const auto before = ends_.EndOfLog();
  ASSERT_TRUE(before) << before.error().message;
  EXPECT_EQ(before->offset, SizeOf(before->file));
  Run("CREATE TABLE t (id INT PRIMARY KEY)");
  Run("FLUSH BINARY LOGS");
  const auto behind = ends_.EndOfLog();
  ASSERT_TRUE(behind);
  EXPECT_GT(behind->file, before->file);
  const auto files = ends_.Files();
  ASSERT_TRUE(files) << files.error().message;
  ASSERT_GE(files->size(), 2U);
  const LogFile& rotated = files->at(files->size() - 2);
  EXPECT_EQ(rotated.name, before->file);
  EXPECT_GT(rotated.end_offset, before->offset);
  EXPECT_EQ(rotated.end_offset, SizeOf(before->file));
  EXPECT_EQ(files->back().name, behind->file);
  EXPECT_EQ(files->back().end_offset, behind->offset);
}

TEST_F(LogEndSourceTest, AnAccountWithoutTheRightIsDeniedAndMayBeGivenIt) {
  Run("DROP USER IF EXISTS log_end_reader");
  Run("CREATE USER log_end_reader IDENTIFIED BY ''");
  ConnectionOptions options = ServerOptions();
  options.log_in.user = "log_end_reader";
  options.log_in.password = {};
  MysqlLogEndSource ends({options});
  ASSERT_TRUE(ends.Open(stream_));
  EXPECT_EQ(ends.EndOfLog().error().kind, ErrorKind::kDenied);
  ASSERT_TRUE(ends.Open(stream_));
  EXPECT_EQ(ends.Files().error().kind, ErrorKind::kDenied);
  Run("GRANT REPLICATION CLIENT ON *.* TO log_end_reader");
  ASSERT_TRUE(ends.Open(stream_));
  EXPECT_TRUE(ends.EndOfLog());
  Run("DROP USER log_end_reader");
}

TEST_F(LogEndSourceTest, DoesNotAskAnotherServer) {
  ASSERT_TRUE(ends_.Open(stream_));
  const auto opened = ends_.Open({.server_uuid = "another"});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kDisconnected);
  EXPECT_THAT(opened.error().message, HasSubstr("another server answers there now"));
  EXPECT_EQ(ends_.EndOfLog().error().kind, ErrorKind::kDisconnected);
}

TEST_F(LogEndSourceTest, AKilledConnectionIsDisconnectedAndMadeAnew) {
  ASSERT_TRUE(ends_.Open(stream_));
  for (const ResultRow& row :
       Run("SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND command"
           " = 'Sleep'")) {
    Run("KILL " + *row[0]);
  }
  EXPECT_EQ(ends_.EndOfLog().error().kind, ErrorKind::kDisconnected);
  EXPECT_TRUE(ends_.Open(stream_));
  EXPECT_TRUE(ends_.EndOfLog());
}

TEST_F(LogEndSourceTest, AnInterruptMeetsTheNextCall) {
  ASSERT_TRUE(ends_.Open(stream_));
  ends_.Interrupt();
  EXPECT_EQ(ends_.EndOfLog().error().kind, ErrorKind::kInterrupted);
  ends_.Interrupt();
  EXPECT_EQ(ends_.Open(stream_).error().kind, ErrorKind::kInterrupted);
  ASSERT_TRUE(ends_.Open(stream_));
  ends_.Interrupt();
  EXPECT_EQ(ends_.Open(stream_).error().kind, ErrorKind::kInterrupted) << "it was connected";
}

}  // namespace
}  // namespace outboxd::binlog
