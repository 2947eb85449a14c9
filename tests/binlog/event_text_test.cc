#include "binlog/event_text.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/binlog/event_stream.h"

namespace outboxd::binlog {
namespace {

std::string Describe(EventType type, const EventBytes& body) {
  const auto event = MakeEvent(type, body, 1000);
  const auto header = ParseEventHeader(event);
  return DescribeEvent(*header, event, Bytes(event).subspan(kEventHeaderBytes));
}

constexpr int kLastType = static_cast<int>(EventType::kGtidTagged);

TEST(EventTextTest, EveryTypeThatIsReadHasANameOfItsOwn) {
  std::set<std::string> names;
  for (int type = 0; type <= kLastType; ++type) names.insert(NameOf(static_cast<EventType>(type)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(kLastType) + 1);
  EXPECT_EQ(NameOf(EventType::kTransactionPayload), "TRANSACTION_PAYLOAD");
  EXPECT_EQ(NameOf(EventType::kWriteRowsV1), "WRITE_ROWS_V1");
  EXPECT_EQ(NameOf(static_cast<EventType>(99)), "type 99");
}

TEST(EventTextTest, TellsWhatFramesTheStream) {
  EXPECT_EQ(Describe(EventType::kFormatDescription, FormatDescriptionBody(true).Little(0, 4)),
            "server 9.7.4, checksums CRC32");
  EXPECT_EQ(Describe(EventType::kFormatDescription, FormatDescriptionBody(false).Little(0, 4)),
            "server 9.7.4, checksums NONE");
  EXPECT_EQ(Describe(EventType::kRotate, RotateBody("binlog.000002", 4)), "to binlog.000002:4");
  EXPECT_EQ(Describe(EventType::kIncident, EventBytes().Little(1, 2).Little(4, 1).Text("LOST")),
            "LOST");
  EXPECT_EQ(Describe(EventType::kHeartbeat, EventBytes().Text("abc")), "3 bytes");
}

TEST(EventTextTest, TellsGtidsAndSetsOfThem) {
  EXPECT_EQ(Describe(EventType::kGtid, GtidBody(7)), "11111111-1111-1111-1111-111111111111:7");
  EXPECT_EQ(Describe(EventType::kAnonymousGtid, GtidBody(0)), "");
  const auto gtids = GtidSet::Parse("11111111-1111-1111-1111-111111111111:1-7").value();
  EXPECT_EQ(Describe(EventType::kPreviousGtids, EventBytes().Text(gtids.Encode())), gtids.ToText());
}

TEST(EventTextTest, TellsWhatATransactionHolds) {
  EXPECT_EQ(Describe(EventType::kQuery, QueryBody("BEGIN")), "BEGIN");
  EXPECT_EQ(Describe(EventType::kTableMap, TableMapBody(70, "shop", "outbox")),
            "shop.outbox, table id 70, 1 columns without names");
  EXPECT_EQ(Describe(EventType::kWriteRows, RowsBody(70)), "table id 70, 17 bytes, statement end");
  EXPECT_EQ(Describe(EventType::kDeleteRows, RowsBody(70, 16)), "table id 70, 17 bytes");
  EXPECT_EQ(Describe(EventType::kXid, EventBytes().Little(1, 8)), "commits");
  EXPECT_EQ(Describe(EventType::kXaPrepare, XaPrepareBody(true)), "commits in one phase");
  EXPECT_EQ(Describe(EventType::kXaPrepare, XaPrepareBody(false)),
            "to be decided by XA COMMIT or XA ROLLBACK");
}

TEST(EventTextTest, TextIsCutWhereItIsLong) {
  const std::string text(200, 'x');
  EXPECT_EQ(Describe(EventType::kQuery, QueryBody(text)), text);
  EXPECT_EQ(Describe(EventType::kQuery, QueryBody(text + "yz")), text + "... (202 bytes)");
}

// The length in front of it is that of the text modulo 256.
TEST(EventTextTest, TheTextOfRowsGoesToTheEndOfTheEvent) {
  EXPECT_EQ(Describe(EventType::kRowsQuery, EventBytes().Little(2, 1).Text("INSERT")), "INSERT");
  EXPECT_EQ(Describe(EventType::kRowsQuery, EventBytes()), "");
}

TEST(EventTextTest, ATableMapOfUnknownColumnsStillNamesItsTable) {
  EventBytes body;
  body.Little(70, 6).Little(1, 2).Little(4, 1).Text("shop").Little(0, 1);
  body.Little(6, 1).Text("outbox").Little(0, 1).Little(1, 1).Little(99, 1);
  const std::string text = Describe(EventType::kTableMap, body);
  EXPECT_TRUE(text.starts_with("shop.outbox: ")) << text;
  EXPECT_NE(text.find("99"), std::string::npos) << text;
}

TEST(EventTextTest, WhatCannotBeParsedIsToldAsSuch) {
  for (int type = 0; type <= kLastType; ++type) {
    const std::string text = Describe(static_cast<EventType>(type), EventBytes());
    const bool may_be_empty = type == static_cast<int>(EventType::kRowsQuery) ||
                              type == static_cast<int>(EventType::kIncident);
    EXPECT_NE(text.empty(), !may_be_empty) << NameOf(static_cast<EventType>(type));
  }
  EXPECT_NE(Describe(EventType::kRotate, EventBytes()).find("names no file"), std::string::npos);
}

}  // namespace
}  // namespace outboxd::binlog
