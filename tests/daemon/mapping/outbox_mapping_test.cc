#include "daemon/mapping/outbox_mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <span>

namespace outboxd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

using Columns = std::map<std::string, std::optional<std::string>>;

OutboxConfig MakeConfig() {
  OutboxConfig config;
  config.section = "outbox";
  config.tables = {"shop.outbox"};
  return config;
}

Columns MakeColumns() {
  return {{"id", "e-1"},
          {"aggregateid", "42"},
          {"aggregatetype", "Order"},
          {"payload", "{\"a\":1}"},
          {"type", "Placed"},
          {"tenant", std::nullopt}};
}

// A mapping with a row to map.
class Mapped {
 public:
  explicit Mapped(const OutboxConfig& config) : mapping(OutboxMapping::Compile(config).value()) {}

  Result<sinks::Message> operator()(const Columns& columns) {
    const binlog::Row& row = RowOf(columns);
    EXPECT_GE(mapping.Begin(row), 1u);
    return mapping.Map(row, "uuid:7:1");
  }
  bool Selects(const Columns& columns, bool is_update = false) {
    RowOf(columns);
    row_.change = is_update ? binlog::RowChange::kUpdate : binlog::RowChange::kInsert;
    return mapping.Begin(row_) > 0;
  }

  OutboxMapping mapping;
  std::map<std::string, binlog::ValueKind> kinds;  // Any: of all columns, text where not named.

  const binlog::Row& RowOf(const Columns& columns) {
    columns_ = columns;
    values_.clear();
    kinds_.clear();
    for (const std::string& name : mapping.columns()) {
      const auto& value = columns_.at(name);
      values_.push_back(value ? binlog::ColumnValue(*value) : std::nullopt);
      kinds_.push_back(kinds.contains(name) ? kinds.at(name) : binlog::ValueKind::kText);
    }
    row_ = {.selection = 0, .schema_name = "shop", .table_name = "outbox", .values = values_};
    if (!kinds.empty()) row_.kinds = kinds_;
    return row_;
  }

 private:
  Columns columns_;
  std::vector<binlog::ColumnValue> values_;
  std::vector<binlog::ValueKind> kinds_;
  binlog::Row row_{};
};

std::vector<std::pair<std::string, std::string>> Headers(const sinks::Message& message) {
  std::vector<std::pair<std::string, std::string>> headers;
  for (const sinks::Header& header : message.headers) {
    headers.emplace_back(header.name, header.value.value_or("NULL"));
  }
  return headers;
}

TEST(OutboxMappingTest, MakesTheMessageThatDebeziumMakes) {
  Mapped map(MakeConfig());
  const auto message = map(MakeColumns());
  ASSERT_TRUE(message.has_value()) << message.error().message;
  EXPECT_EQ(message->topic, "outbox.event.Order");
  EXPECT_EQ(message->key, "42");
  EXPECT_EQ(message->value, "{\"a\":1}");
  EXPECT_THAT(Headers(*message),
              ElementsAre(Pair("id", "e-1"), Pair("outboxd.table", "shop.outbox"),
                          Pair("outboxd.position", "uuid:7:1")));
  EXPECT_EQ(message->partition, std::nullopt);
  EXPECT_EQ(message->timestamp, std::nullopt);
  EXPECT_EQ(map.mapping.event_id(), "e-1");
}

TEST(OutboxMappingTest, ReadsTheWholeRowOnlyWhereItIsAskedFor) {
  OutboxConfig config = MakeConfig();
  EXPECT_FALSE(OutboxMapping::Compile(config)->reads_whole_row());
  config.payload = "@row";
  auto mapping = OutboxMapping::Compile(config);
  ASSERT_TRUE(mapping.has_value()) << mapping.error().message;
  EXPECT_TRUE(mapping->reads_whole_row());
  EXPECT_THAT(mapping->columns(), ElementsAre("id", "aggregatetype", "aggregateid"));
  const std::vector<std::string> names = {"id", "aggregatetype", "aggregateid", "id", "n"};
  const std::vector<binlog::ColumnValue> values = {"e-1", "Order", "42", "e-1", "7"};
  binlog::Row row{.selection = 0,
                  .schema_name = "shop",
                  .table_name = "outbox",
                  .values = values,
                  .columns = names};
  ASSERT_EQ(mapping->Begin(row), 1u);
  EXPECT_EQ(mapping->Map(row, "uuid:7:1")->value, R"({"id":"e-1","n":"7"})");
}

TEST(OutboxMappingTest, ADefaultOfAWholeRowIsAboutAColumnThatTheTableHas) {
  OutboxConfig config = MakeConfig();
  config.payload = "@row";
  config.defaults = {{"n", "1"}};
  const auto mapping = OutboxMapping::Compile(config);
  ASSERT_TRUE(mapping.has_value()) << mapping.error().message;
  const std::vector<std::string> columns = {"id", "aggregatetype", "aggregateid", "payload"};
  EXPECT_THAT(mapping->MissingColumns(columns), ElementsAre("n"));
}

TEST(OutboxMappingTest, ConfiguredHeadersStandBetweenIdAndItsOwn) {
  OutboxConfig config = MakeConfig();
  config.headers = {{"type", "eventType"}, {"tenant", "tenant"}, {"type", "eventType"}};
  Mapped map(config);
  const auto message = map(MakeColumns());
  ASSERT_TRUE(message.has_value());
  EXPECT_THAT(Headers(*message),
              ElementsAre(Pair("id", "e-1"), Pair("eventType", "Placed"), Pair("tenant", "NULL"),
                          Pair("eventType", "Placed"), Pair("outboxd.table", "shop.outbox"),
                          Pair("outboxd.position", "uuid:7:1")));
  EXPECT_FALSE(message->headers[2].value.has_value());
}

TEST(OutboxMappingTest, ItsOwnHeadersCanBeSwitchedOff) {
  OutboxConfig config = MakeConfig();
  config.table_header = false;
  config.position_header = false;
  Mapped map(config);
  EXPECT_THAT(Headers(*map(MakeColumns())), ElementsAre(Pair("id", "e-1")));
}

TEST(OutboxMappingTest, NullKeyAndPayloadAreNoKeyAndATombstone) {
  Columns columns = MakeColumns();
  columns["aggregateid"] = std::nullopt;
  columns["payload"] = std::nullopt;
  Mapped map(MakeConfig());
  const auto message = map(columns);
  ASSERT_TRUE(message.has_value());
  EXPECT_FALSE(message->key.has_value());
  EXPECT_FALSE(message->value.has_value());
}

TEST(OutboxMappingTest, EmptyIsNotNull) {
  Columns columns = MakeColumns();
  columns["aggregateid"] = "";
  columns["payload"] = "";
  Mapped map(MakeConfig());
  const auto message = map(columns);
  EXPECT_EQ(message->key, "");
  EXPECT_EQ(message->value, "");
}

TEST(OutboxMappingTest, PayloadBytesAreNotTouched) {
  Columns columns = MakeColumns();
  columns["payload"] = std::string("\0\xFF {\n", 5);
  Mapped map(MakeConfig());
  EXPECT_EQ(map(columns)->value, std::string("\0\xFF {\n", 5));
}

TEST(OutboxMappingTest, WithoutKeyColumnThereIsNoKey) {
  OutboxConfig config = MakeConfig();
  config.key.clear();
  Mapped map(config);
  EXPECT_FALSE(map(MakeColumns())->key.has_value());
  EXPECT_THAT(map.mapping.columns(), ElementsAre("id", "aggregatetype", "payload"));
}

TEST(OutboxMappingTest, ABinaryColumnIsBase64WhateverItHolds) {
  Mapped map(MakeConfig());
  map.kinds["id"] = binlog::ValueKind::kBytes;
  Columns columns = MakeColumns();
  columns["id"] = "0123456789abcdef";
  EXPECT_EQ(map(columns)->headers[0].value, "MDEyMzQ1Njc4OWFiY2RlZg==");
  EXPECT_EQ(map.mapping.event_id(), "MDEyMzQ1Njc4OWFiY2RlZg==");
}

TEST(OutboxMappingTest, AColumnOfUnknownKindIsBase64WhereItIsNoText) {
  Columns columns = MakeColumns();
  columns["id"] = "\xFF\xFE";
  Mapped map(MakeConfig());
  EXPECT_EQ(map(columns)->headers[0].value, "//4=");
}

TEST(OutboxMappingTest, ATopicOfSeveralParts) {
  OutboxConfig config = MakeConfig();
  config.topic = "{{{type}}}-{aggregatetype}.v1";
  Mapped map(config);
  EXPECT_EQ(map(MakeColumns())->topic, "{Placed}-Order.v1");
}

TEST(OutboxMappingTest, ARowWithoutTopicIsABadEventThatKeepsItsId) {
  Mapped map(MakeConfig());
  for (const std::optional<std::string>& value : {std::optional<std::string>(), {""}}) {
    Columns columns = MakeColumns();
    columns["aggregatetype"] = value;
    const auto message = map(columns);
    ASSERT_FALSE(message.has_value());
    EXPECT_EQ(message.error().kind, ExitCode::kUndecodable);
    EXPECT_THAT(message.error().message, HasSubstr("topic: column 'aggregatetype' is"));
    EXPECT_EQ(map.mapping.event_id(), "e-1");
  }
}

TEST(OutboxMappingTest, PartitionAndTimestampComeFromTheirColumns) {
  OutboxConfig config = MakeConfig();
  config.partition = "p";
  config.timestamp = "t";
  Mapped map(config);
  Columns columns = MakeColumns();
  columns["p"] = "3";
  columns["t"] = "2001-09-09 01:46:40.123456";
  const auto message = map(columns);
  ASSERT_TRUE(message.has_value()) << message.error().message;
  EXPECT_EQ(message->partition, 3);
  EXPECT_EQ(message->timestamp, std::chrono::milliseconds(1000000000123));
  columns["p"] = std::nullopt;
  columns["t"] = std::nullopt;
  EXPECT_EQ(map(columns)->partition, std::nullopt);
  EXPECT_EQ(map(columns)->timestamp, std::nullopt);
}

TEST(OutboxMappingTest, APartitionOrTimeThatIsNoneIsABadEvent) {
  OutboxConfig config = MakeConfig();
  config.partition = "p";
  config.timestamp = "t";
  Mapped map(config);
  for (const char* partition : {"-1", "x", "", "1.0", "2147483648"}) {
    Columns columns = MakeColumns();
    columns["p"] = partition;
    columns["t"] = "0";
    EXPECT_THAT(map(columns).error().message, HasSubstr("partition: p: "));
  }
  Columns columns = MakeColumns();
  columns["p"] = "0";
  columns["t"] = "yesterday";
  const auto message = map(columns);
  EXPECT_EQ(message.error().kind, ExitCode::kUndecodable);
  EXPECT_THAT(message.error().message, HasSubstr("timestamp: t: 'yesterday' is neither"));
}

TEST(OutboxMappingTest, AMessageLivesUntilTheNextWhateverGrows) {
  Mapped map(MakeConfig());
  ASSERT_TRUE(map(MakeColumns()).has_value());
  Columns columns = MakeColumns();
  columns["aggregatetype"] = std::string(10'000, 'x');
  columns["id"] = std::string(10'000, '\xFF');
  const auto message = map(columns);
  EXPECT_EQ(message->topic.size(), 10'000 + std::string("outbox.event.").size());
  EXPECT_EQ(message->headers[0].value->size(), 13'336u);
}

TEST(OutboxMappingTest, EachElementOfAListIsAnEvent) {
  OutboxConfig config = MakeConfig();
  config.each = "payload";
  config.id = "{id}-{@item->$.id}";
  config.payload = "@item->$.body";
  Mapped map(config);
  Columns columns = MakeColumns();
  columns["payload"] = R"([{"id":1,"body":"x"},{"id":2,"body":{"y":[]}},{"id":3}])";
  const binlog::Row& row = map.RowOf(columns);
  ASSERT_EQ(map.mapping.Begin(row), 3u);
  const std::vector<std::string> values = {"x", R"({"y":[]})"};
  for (std::size_t item = 0; item < 2; ++item) {
    map.mapping.TakeItem(item);
    const auto message = map.mapping.Map(row, "p");
    ASSERT_TRUE(message) << message.error().message;
    EXPECT_EQ(message->value, values[item]);
    EXPECT_EQ(map.mapping.event_id(), fmt::format("e-1-{}", item + 1));
  }
  map.mapping.TakeItem(2);
  EXPECT_THAT(map.mapping.Map(row, "p").error().message,
              HasSubstr("payload: @item->$.body: there is nothing"));
  EXPECT_EQ(map.mapping.event_id(), "e-1-3");
}

TEST(OutboxMappingTest, AnEmptyListIsNoEventAndOneThatIsNoneABadOne) {
  OutboxConfig config = MakeConfig();
  config.each = "payload";
  Mapped map(config);
  Columns columns = MakeColumns();
  columns["payload"] = "[]";
  EXPECT_FALSE(map.Selects(columns));
  for (const char* text : {"{}", "[1", "nope"}) {
    columns["payload"] = text;
    EXPECT_THAT(map(columns).error().message, HasSubstr("each: payload: is no JSON array"));
    EXPECT_EQ(map.mapping.event_id(), "e-1");
  }
  columns["payload"] = std::nullopt;
  EXPECT_THAT(map(columns).error().message, HasSubstr("each: payload: is NULL"));
}

TEST(OutboxMappingTest, ConditionsTellWhichRowsAreEvents) {
  OutboxConfig config = MakeConfig();
  config.where = {"type = Placed", "tenant is null"};
  config.update_where = {"aggregateid = 42"};
  Mapped map(config);
  Columns columns = MakeColumns();
  EXPECT_TRUE(map.Selects(columns));
  EXPECT_TRUE(map.Selects(columns, true));
  columns["type"] = "Other";
  EXPECT_FALSE(map.Selects(columns));
  EXPECT_TRUE(map.Selects(columns, true));
  columns["aggregateid"] = "43";
  EXPECT_FALSE(map.Selects(columns, true));
}

TEST(OutboxMappingTest, MembersMakeAJsonObject) {
  OutboxConfig config = MakeConfig();
  config.members = {{"id", "id"},
                    {"n", "n"},
                    {"payload", "document"},
                    {"tenant", "tenant"},
                    {"tenant", "left", true},
                    {"string(payload)", "text"},
                    {"bytes", "bytes"}};
  Mapped map(config);
  map.kinds = {{"n", binlog::ValueKind::kNumber},
               {"payload", binlog::ValueKind::kJson},
               {"bytes", binlog::ValueKind::kBytes}};
  Columns columns = MakeColumns();
  columns["n"] = "007";
  columns["bytes"] = std::string("\0\xff", 2);
  EXPECT_EQ(map(columns)->value,
            R"({"id":"e-1","n":7,"document":{"a":1},"tenant":null,"text":"{\"a\":1}",)"
            R"("bytes":"AP8="})");
}

TEST(OutboxMappingTest, ABlankPayloadIsATombstoneWhateverIsMadeOfIt) {
  for (const char* payload : {"payload", "quote(payload)", "expand(payload)"}) {
    OutboxConfig config = MakeConfig();
    config.payload = payload;
    Columns columns = MakeColumns();
    columns["payload"] = " \t\n";
    EXPECT_NE(Mapped(config)(columns)->value, std::nullopt) << payload;
    config.blank_is_tombstone = true;
    EXPECT_EQ(Mapped(config)(columns)->value, std::nullopt) << payload;
    config.members = {{"expand(payload)", "payload"}};
    EXPECT_EQ(Mapped(config)(columns)->value, std::nullopt) << payload;
    columns["payload"] = "{}";
    EXPECT_EQ(Mapped(config)(columns)->value, R"({"payload":{}})") << payload;
  }
}

TEST(OutboxMappingTest, AHeaderObjectLeavesOutboxdsOwnNamesOut) {
  OutboxConfig config = MakeConfig();
  config.header_object = "payload";
  Mapped map(config);
  Columns columns = MakeColumns();
  columns["payload"] = R"({"id":"other","outboxd.x":1,"a":"b","n":[1,2],"none":null})";
  EXPECT_THAT(
      Headers(*map(columns)),
      ElementsAre(Pair("id", "e-1"), Pair("a", "b"), Pair("n", "[1,2]"), Pair("none", "NULL"),
                  Pair("outboxd.table", "shop.outbox"), Pair("outboxd.position", "uuid:7:1")));
}

TEST(OutboxMappingTest, TellsTheColumnsThatATableLacks) {
  const auto mapping = OutboxMapping::Compile(MakeConfig());
  EXPECT_THAT(mapping->MissingColumns({"ID", "AggregateId", "payload", "x"}),
              ElementsAre("aggregatetype"));
}

TEST(OutboxMappingDeathTest, ARowOfAnotherShapeIsAFaultOfOutboxd) {
  auto mapping = OutboxMapping::Compile(MakeConfig());
  EXPECT_DEATH(
      (void)mapping->Map({.selection = 0, .schema_name = "s", .table_name = "t", .values = {}}, ""),
      "broken invariant: .*: rows are read with the columns");
}

TEST(OutboxMappingDeathTest, AWholeRowWithoutNamesIsAFaultOfOutboxd) {
  OutboxConfig config = MakeConfig();
  config.payload = "@row";
  auto mapping = OutboxMapping::Compile(config);
  const std::vector<binlog::ColumnValue> values = {"e-1", "Order", "42", "e-1", "7"};
  const binlog::Row row{
      .selection = 0, .schema_name = "shop", .table_name = "outbox", .values = values};
  EXPECT_DEATH((void)mapping->Map(row, ""),
               "broken invariant: .*: where a mapping reads whole rows");
}

}  // namespace
}  // namespace outboxd
