#include "daemon/migration/debezium_offset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using testing::HasSubstr;

constexpr std::string_view kUuid = "9c3a6f2e-1d4b-11f0-8a5e-0242ac120002";

std::string Refusal(std::string_view text) {
  const auto offset = ParseDebeziumOffset(text);
  EXPECT_FALSE(offset) << text;
  return offset ? "" : offset.error().ToText();
}

TEST(DebeziumOffsetTest, TakesTheTransactionsStartAndLeavesTheCountsInItOut) {
  const auto offset = ParseDebeziumOffset(
      R"({"transaction_id":null,"ts_sec":1,"file":"binlog.000003","pos":1234,"row":1,)"
      R"("server_id":1,"event":2,"gtids":"9c3a6f2e-1d4b-11f0-8a5e-0242ac120002:1-5"})");
  ASSERT_TRUE(offset) << offset.error().message;
  EXPECT_EQ(offset->gtids, fmt::format("{}:1-5", kUuid));
  EXPECT_EQ(offset->file, "binlog.000003");
  EXPECT_EQ(offset->offset, 1234U);
}

TEST(DebeziumOffsetTest, TakesWhatConnectsInterfaceGives) {
  const auto offset = ParseDebeziumOffset(
      R"({"offsets":[{"partition":{"server":"shop"},"offset":{"file":"b.1","pos":4}}]})");
  ASSERT_TRUE(offset) << offset.error().message;
  EXPECT_EQ(offset->gtids, "");
  EXPECT_EQ(offset->file, "b.1");
}

TEST(DebeziumOffsetTest, TheLastRecordOfTheTopicCounts) {
  const std::string key = R"(["shop",{"server":"shop"}])";
  const auto offset = ParseDebeziumOffset(key + "\t{\"file\":\"b.1\",\"pos\":4}\n\n" + key +
                                          "\t{\"file\":\"b.2\",\"pos\":5}\r\n");
  ASSERT_TRUE(offset) << offset.error().message;
  EXPECT_EQ(offset->file, "b.2");
  EXPECT_THAT(
      Refusal("[\"a\"]\t{\"file\":\"b.1\",\"pos\":4}\n[\"b\"]\t{\"file\":\"b.1\",\"pos\":4}"),
      HasSubstr("of several connectors"));
  EXPECT_THAT(Refusal(key + "\tnull"), HasSubstr("has stored none"));
}

TEST(DebeziumOffsetTest, ASnapshotUnderWayIsRefused) {
  EXPECT_THAT(Refusal(R"({"snapshot":true,"file":"b.1","pos":4})"),
              HasSubstr("snapshot under way"));
  EXPECT_THAT(Refusal(R"({"snapshot":"INITIAL","snapshot_completed":false,"file":"b.1","pos":4})"),
              HasSubstr("snapshot under way"));
  EXPECT_TRUE(ParseDebeziumOffset(
      R"({"snapshot":"INITIAL","snapshot_completed":true,"file":"b.1","pos":4})"));
}

TEST(DebeziumOffsetTest, WhatIsNoOffsetIsRefused) {
  EXPECT_THAT(Refusal(""), HasSubstr("is empty"));
  EXPECT_THAT(Refusal("\xAC\xED\x01\x02"), HasSubstr("GET /connectors/NAME/offsets"));
  EXPECT_THAT(Refusal("[1]"), HasSubstr("has stored none"));
  EXPECT_THAT(Refusal(R"({"offsets":[]})"), HasSubstr("0 offsets"));
  EXPECT_THAT(Refusal(R"({"offsets":[{},{}]})"), HasSubstr("2 offsets"));
  EXPECT_THAT(Refusal(R"({"offsets":[1]})"), HasSubstr("offset"));
  EXPECT_THAT(Refusal(R"({"file":"b.1"})"), HasSubstr("MySQL connector"));
  EXPECT_THAT(Refusal(R"({"file":"b.1","pos":-1})"), HasSubstr("MySQL connector"));
  EXPECT_THAT(Refusal(R"({"file":7,"pos":1})"), HasSubstr("MySQL connector"));
}

TEST(DebeziumOffsetTest, ACheckpointBecomesWhatConnectsInterfaceTakes) {
  Checkpoint checkpoint;
  checkpoint.position.gtids = binlog::GtidSet::Parse(fmt::format("{}:1-5", kUuid)).value();
  checkpoint.position.file = "binlog.000007";
  checkpoint.position.offset = 157;
  checkpoint.last_commit_us = 1'760'000'000'999'999;
  EXPECT_EQ(DebeziumOffsetOf(checkpoint, "shop").value(),
            fmt::format(R"({{"offsets":[{{"partition":{{"server":"shop"}},"offset":)"
                        R"({{"file":"binlog.000007","pos":157,"gtids":"{}:1-5",)"
                        R"("ts_sec":1760000000}}}}]}})",
                        kUuid));
}

TEST(DebeziumOffsetTest, ACheckpointThatDebeziumCannotGoOnFromIsRefused) {
  Checkpoint checkpoint;
  EXPECT_THAT(DebeziumOffsetOf(checkpoint, "shop").error().message, HasSubstr("tells no file"));
  checkpoint.position.file = "binlog.000007";
  checkpoint.read.emplace();
  EXPECT_THAT(DebeziumOffsetOf(checkpoint, "shop").error().message, HasSubstr("table read"));
}

}  // namespace
}  // namespace outboxd
