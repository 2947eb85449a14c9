#include "binlog/mysql_history.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "binlog/event_header.h"
#include "binlog/gtid_event.h"
#include "binlog/mysql_log.h"
#include "tests/binlog/server/server_fixture.h"

namespace outboxd::binlog {
namespace {

using testing::HasSubstr;

constexpr std::string_view kFormer = "44444444-4444-4444-4444-444444444444";
constexpr std::uint64_t k4GiB = std::uint64_t{1} << 32;

// A server that has the transaction 1 of another one, and some of its own.
class HistoryServerTest : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    Run(fmt::format("SET gtid_next = '{}:1'", kFormer));
    Run("BEGIN");
    Run("COMMIT");
    Run("SET gtid_next = AUTOMATIC");
    from_.gtids = GtidSet::Parse(*Run("SELECT @@global.gtid_executed").at(0).at(0)).value();
    known_.server_uuid = stream_.server_uuid;
    stream_.by_gtid = true;
  }

  static Gtid OfFormer(std::uint64_t number) { return {{ParseUuid(kFormer).value(), ""}, number}; }
  void Add(const Gtid& gtid) { from_.gtids.Add(gtid); }
  std::expected<StreamIdentity, HostAnswer> Check(bool accepts_loss = false) {
    return CheckGtids(*session_, {.from = from_, .known = known_, .accepts_loss = accepts_loss},
                      stream_);
  }

  static std::unique_ptr<MysqlDump> Connect() {
    return std::make_unique<MysqlDump>(
        MysqlConnection::Connect(ServerOptions()).value(),
        MysqlDump::Options{.server_id = 78,
                           .replica_uuid = "78787878-7878-7878-7878-787878787878",
                           .heartbeat = std::chrono::milliseconds(200),
                           .first_event_deadline = std::chrono::milliseconds(60'000)});
  }
  // Commits one, as the last one of the position.
  void Commit() {
    const GtidSet before = from_.gtids;
    Run("CREATE TABLE committed (id INT)");
    from_.gtids = GtidSet::Parse(*Run("SELECT @@global.gtid_executed").at(0).at(0)).value();
    const std::string text = from_.gtids.Minus(before).ToText();
    const std::uint64_t number = std::stoull(text.substr(text.rfind(':') + 1));
    known_.last_gtid = Gtid{{ParseUuid(stream_.server_uuid).value(), ""}, number};
  }
  // When the server says that was.
  std::uint64_t CommitTime() {
    const auto dump = Connect();
    const auto stream = dump->Prepare();
    EXPECT_TRUE(stream && dump->Start({}, true));
    while (true) {
      const Bytes event = dump->Fetch().value();
      const EventType type = ParseEventHeader(event)->type;
      if (type != EventType::kGtid && type != EventType::kGtidTagged) continue;
      const std::size_t tail = stream->has_checksums ? kChecksumBytes : 0;
      const auto gtid = ParseGtidEvent(
          type, event.subspan(kEventHeaderBytes, event.size() - kEventHeaderBytes - tail));
      if (gtid->gtid == known_.last_gtid) return gtid->original_commit_us;
    }
  }

  Position from_;
  KnownHistory known_;
};

TEST_F(HistoryServerTest, AFileCanBeReadOnUpToItsEndAndNoFurther) {
  const LogFile file = AskForLogFiles(*session_).value().front();
  EXPECT_TRUE(CheckFile(*session_, {.gtids = {}, .file = file.name, .offset = 4}));
  const auto diverged = CheckFile(*session_, {.gtids = {}, .file = file.name, .offset = k4GiB - 1});
  ASSERT_FALSE(diverged);
  EXPECT_EQ(diverged.error().kind, ErrorKind::kDiverged);
  EXPECT_THAT(diverged.error().message, HasSubstr("the position is at 4294967295"));
}

TEST_F(HistoryServerTest, AFileThatIsNotThereIsGone) {
  const auto gone = CheckFile(*session_, {.gtids = {}, .file = "binlog.900000", .offset = 4});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().kind, ErrorKind::kGone);
  EXPECT_TRUE(CheckFile(*session_, {})) << "without a file the oldest one is read";
}

TEST_F(HistoryServerTest, AnOffsetBehind4GiBCannotBeAskedFor) {
  const auto refused = CheckFile(*session_, {.gtids = {}, .file = "binlog.1", .offset = k4GiB});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnsuitable);
}

TEST_F(HistoryServerTest, APositionThatTheServerHasLacksNothing) {
  const auto stream = Check();
  ASSERT_TRUE(stream) << stream.error().error.message;
  EXPECT_TRUE(stream->lost.empty());
  EXPECT_TRUE(stream->unseen.empty());
}

TEST_F(HistoryServerTest, WhatTheFormerServerNeverToldOfIsUnseen) {
  known_.server_uuid = kFormer;
  from_.gtids = {};
  Add(OfFormer(1));
  const auto stream = Check();
  ASSERT_TRUE(stream) << stream.error().error.message;
  EXPECT_THAT(stream->unseen.ToText(), HasSubstr(stream_.server_uuid));
}

TEST_F(HistoryServerTest, ATailOfTheFormerServerIsLostOnlyWhereThatIsAccepted) {
  known_.server_uuid = kFormer;
  Add(OfFormer(2));
  known_.last_gtid = OfFormer(2);
  const auto refused = Check();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().lack, Lack::kTail);
  EXPECT_EQ(refused.error().missing, 1u);
  EXPECT_EQ(refused.error().server_uuid, stream_.server_uuid);
  EXPECT_THAT(refused.error().error.message, HasSubstr("it lags, or a failover lost them"));
  const auto accepted = Check(true);
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->lost.ToText(), fmt::format("{}:2", kFormer));
}

TEST_F(HistoryServerTest, AnotherHistoryIsNeverAccepted) {
  Add({{ParseUuid("33333333-3333-3333-3333-333333333333").value(), ""}, 9});
  const auto refused = Check(true);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().lack, Lack::kOther);
  EXPECT_EQ(refused.error().error.kind, ErrorKind::kDiverged);
}

TEST_F(HistoryServerTest, TheLastTransactionIsTheSameWhereItWasCommittedAtTheSameTime) {
  Commit();
  known_.last_commit_us = CommitTime();
  const auto dump = Connect();
  ASSERT_TRUE(dump->Prepare());
  const auto is_unused = CheckLastTransaction(*dump, known_, from_, stream_);
  ASSERT_TRUE(is_unused) << is_unused.error().message;
  EXPECT_FALSE(*is_unused) << "it was started for this";
}

TEST_F(HistoryServerTest, TheLastTransactionIsAnotherOneWhereItWasCommittedAtAnotherTime) {
  Commit();
  known_.last_commit_us = CommitTime() + 1;
  const auto dump = Connect();
  ASSERT_TRUE(dump->Prepare());
  const auto is_unused = CheckLastTransaction(*dump, known_, from_, stream_);
  ASSERT_FALSE(is_unused);
  EXPECT_EQ(is_unused.error().kind, ErrorKind::kDiverged);
}

TEST_F(HistoryServerTest, ADumpIsNotStartedWhereThereIsNothingToCompare) {
  Commit();
  const auto dump = Connect();
  ASSERT_TRUE(dump->Prepare());
  EXPECT_TRUE(CheckLastTransaction(*dump, known_, from_, stream_).value()) << "no time is known";
  known_.last_commit_us = 1;
  EXPECT_TRUE(CheckLastTransaction(*dump, known_, {}, stream_).value()) << "not of the position";
  stream_.by_gtid = false;
  EXPECT_TRUE(CheckLastTransaction(*dump, known_, from_, stream_).value()) << "by file";
}

}  // namespace
}  // namespace outboxd::binlog
