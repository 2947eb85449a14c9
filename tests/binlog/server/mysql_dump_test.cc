#include "binlog/mysql_dump.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "binlog/control_event.h"
#include "binlog/event_header.h"
#include "binlog/mysql_log.h"
#include "tests/binlog/server/server_fixture.h"

namespace outboxd::binlog {
namespace {

class DumpServerTest : public ServerTest {
 protected:
  static MysqlDump::Options Options() {
    return {.server_id = 79,
            .replica_uuid = "79797979-7979-7979-7979-797979797979",
            .heartbeat = std::chrono::milliseconds(100),
            .first_event_deadline = std::chrono::milliseconds(60'000)};
  }
  // The types of the events behind a set of GTIDs, up to the first of this type.
  std::vector<EventType> TypesTo(EventType last, const Position& from) {
    MysqlDump dump(MysqlConnection::Connect(ServerOptions()).value(), Options());
    EXPECT_TRUE(dump.Prepare());
    EXPECT_TRUE(dump.Start(from, true));
    std::vector<EventType> types;
    while (types.empty() || types.back() != last) {
      const auto event = dump.Fetch();
      if (!event) break;
      types.push_back(ParseEventHeader(*event)->type);
    }
    return types;
  }
};

TEST_F(DumpServerTest, TellsWhichServerItIsAndThatItHasNotAnsweredYet) {
  MysqlDump dump(MysqlConnection::Connect(ServerOptions()).value(), Options());
  const auto stream = dump.Prepare();
  ASSERT_TRUE(stream) << stream.error().message;
  EXPECT_EQ(stream->server_uuid, stream_.server_uuid);
  EXPECT_EQ(stream->by_gtid, Run("SELECT @@global.gtid_mode").at(0).at(0) == "ON");
  EXPECT_FALSE(dump.has_answered());
}

TEST_F(DumpServerTest, ByFileItBeginsWithTheNameOfTheFile) {
  const LogFile file = AskForLogFiles(*session_).value().front();
  MysqlDump dump(MysqlConnection::Connect(ServerOptions()).value(), Options());
  ASSERT_TRUE(dump.Prepare());
  ASSERT_TRUE(dump.Start({.gtids = {}, .file = file.name, .offset = 4}, false));
  const auto event = dump.Fetch();
  ASSERT_TRUE(event) << event.error().message;
  EXPECT_TRUE(dump.has_answered());
  ASSERT_EQ(ParseEventHeader(*event)->type, EventType::kRotate);
  EXPECT_THAT(ParseRotate(event->subspan(kEventHeaderBytes))->file, testing::StartsWith(file.name));
}

TEST_F(DumpServerTest, WhatThePositionHasIsSkippedAndHeartbeatsTellOfTheEnd) {
  Position from;
  from.gtids = GtidSet::Parse(*Run("SELECT @@global.gtid_executed").at(0).at(0)).value();
  const auto types = TypesTo(EventType::kHeartbeat, from);
  EXPECT_THAT(types, testing::Not(testing::Contains(EventType::kGtid)));
  EXPECT_EQ(types.back(), EventType::kHeartbeat);
  EXPECT_THAT(TypesTo(EventType::kGtid, {}), testing::Contains(EventType::kGtid));
}

}  // namespace
}  // namespace outboxd::binlog
