#include "daemon/migration/router_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/config/config_reader.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class RouterConfigTest : public testing::Test {
 protected:
  // `router`: the router's options, by their names behind its prefix; `others`: the connector's.
  void Add(const Properties& router, Properties others = {}, const Properties& worker = {}) {
    others.emplace("table.include.list", "shop.outbox");
    for (const auto& [option, value] : router) others["transforms.outbox." + option] = value;
    draft_ = {};
    TakenOptions options(others, worker);
    AddRouterConfig("transforms.outbox.", options, draft_);
    left_ = options.Left(others);
    left_.merge(options.Left(worker));
  }
  [[nodiscard]] std::string Text(const Properties& router, const Properties& others = {}) {
    Add(router, others);
    return draft_.Text();
  }
  // What the configuration's own reader makes of it.
  [[nodiscard]] OutboxConfig Read() const {
    const auto config = ReadConfigText("[relay]\nname = shop\n" + draft_.Text(), "c.conf");
    EXPECT_TRUE(config) << config.error().message;
    return config ? config->outboxes.at(0) : OutboxConfig{};
  }

  const Properties json_ = {{"value.converter", "org.apache.kafka.connect.json.JsonConverter"},
                            {"value.converter.schemas.enable", "false"}};
  ConfigDraft draft_;
  Properties left_;
};

TEST_F(RouterConfigTest, ATraceContextIsPassedOn) {
  Add({{"tracing.span.context.field", "span"}});
  EXPECT_EQ(Read().headers, (std::vector<NamedValueConfig>{
                                {"properties(span)->$.traceparent", "traceparent", true},
                                {"properties(span)->$.tracestate", "tracestate", true}}));
  EXPECT_THAT(draft_.notes(), testing::Contains(HasSubstr("Debezium makes a span of its own")));
  EXPECT_THAT(left_, IsEmpty());
}

TEST_F(RouterConfigTest, DebeziumsColumnOfTheTraceContextIsOfferedWhereNoneIsNamed) {
  EXPECT_THAT(Text({}),
              HasSubstr("# If the table has the column tracingspancontext:\n"
                        "# header = properties(tracingspancontext)->$.traceparent:traceparent?\n"
                        "# header = properties(tracingspancontext)->$.tracestate:tracestate?\n"));
}

TEST_F(RouterConfigTest, WhatItDoesByDefaultIsTheDefault) {
  Add({});
  EXPECT_THAT(draft_.Text(), HasSubstr("[outbox]\ntable = shop.outbox\npreset = debezium\n"
                                       "json = debezium\n"
                                       "topic = outbox.event.{aggregatetype}\n"));
  OutboxConfig standard;
  standard.section = "outbox";
  standard.tables = {"shop.outbox"};
  standard.json = OutboxConfig::Json::kDebezium;
  EXPECT_EQ(Read(), standard);
  EXPECT_THAT(draft_.notes(), ElementsAre(HasSubstr("without table.field.event.timestamp")));
  EXPECT_THAT(left_, IsEmpty());
}

TEST_F(RouterConfigTest, ItsColumnsAreKept) {
  Add({{"table.field.event.id", "event_id"},
       {"table.field.event.key", "entity"},
       {"table.field.event.payload", "body"},
       {"table.field.event.timestamp", "created_at"},
       {"route.by.field", "kind"}});
  const OutboxConfig outbox = Read();
  EXPECT_EQ(outbox.id, "event_id");
  EXPECT_EQ(outbox.key, "entity");
  EXPECT_EQ(outbox.payload, "body");
  EXPECT_EQ(outbox.timestamp, "created_at");
  EXPECT_EQ(outbox.topic, "outbox.event.{kind}");
  EXPECT_THAT(draft_.notes(), IsEmpty());
  EXPECT_THAT(left_, IsEmpty());
}

TEST_F(RouterConfigTest, ATableThatNoPatternTellsHasToBeNamed) {
  Add({}, {{"table.include.list", "shop\\.(outbox|events)"}});
  EXPECT_THAT(draft_.Text(), HasSubstr("[outbox]\n# table = DATABASE.TABLE\n"));
  EXPECT_THAT(draft_.notes(), Contains(HasSubstr("'shop\\\\.(outbox|events)'")));
  EXPECT_THAT(draft_.notes(), Contains(HasSubstr("outbox.table has to be set")));
}

TEST_F(RouterConfigTest, PlacementsBecomeHeadersAndThePartition) {
  Add({{"table.fields.additional.placement",
        "type:header:eventType, trace:header,shard:partition:ignored,a:nowhere,b"}});
  const OutboxConfig outbox = Read();
  ASSERT_EQ(outbox.headers.size(), 2U);
  EXPECT_EQ(outbox.headers[0].value + ":" + outbox.headers[0].name, "type:eventType");
  EXPECT_EQ(outbox.headers[1].value + ":" + outbox.headers[1].name, "trace:trace");
  EXPECT_EQ(outbox.partition, "shard");
  EXPECT_THAT(draft_.notes(), Contains(HasSubstr("'a:nowhere' is no placement")));
  EXPECT_THAT(draft_.notes(), Contains(HasSubstr("'b' is no placement")));
}

TEST_F(RouterConfigTest, ARegularExpressionOfTopicsIsKept) {
  EXPECT_THAT(Text({{"route.topic.regex", "(?<kind>[a-z]+)_.*"},
                    {"route.topic.replacement", "events.${kind}"}}),
              HasSubstr("topic = {aggregatetype}\ntopic-regex = (?<kind>[a-z]+)_.*\n"
                        "topic-replacement = events.${kind}\n"));
  EXPECT_THAT(Text({{"route.topic.regex", "(.*)"}, {"route.topic.replacement", "$1.$2"}}),
              HasSubstr("topic-replacement = $1.$2\n"))
      << "a template has no second group";
}

TEST_F(RouterConfigTest, AnExpressionThatMatchesEverythingBecomesATemplate) {
  EXPECT_THAT(Text({{"route.topic.regex", "(.*)"}, {"route.topic.replacement", "a.$1-$1"}}),
              HasSubstr("topic = a.{aggregatetype}-{aggregatetype}\n"));
  EXPECT_THAT(Text({{"route.topic.replacement", "app.${routedByValue}.v{1}"}}),
              HasSubstr("topic = app.{aggregatetype}.v{{1}}\n"));
  EXPECT_THAT(Text({{"route.topic.replacement", "events"}}), HasSubstr("topic = events\n"));
}

TEST_F(RouterConfigTest, AnExpressionThatOnlyEndsLikeSuchAOneIsKept) {
  for (const char* regex : {"(?<a>order)(?<c>.*)", "(?<!x>.*)", "(?<a>.*)(?<b>.*)"}) {
    EXPECT_THAT(Text({{"route.topic.regex", regex}, {"route.topic.replacement", "all"}}),
                HasSubstr(std::string("topic-regex = ") + regex + "\ntopic-replacement = all"));
  }
}

TEST_F(RouterConfigTest, AnEnvelopeBecomesMembers) {
  Properties envelope = {
      {"table.fields.additional.placement", "type:envelope:eventType,id:envelope"}};
  EXPECT_THAT(
      Text(envelope, json_),
      HasSubstr("member = string(payload):payload\nmember = type:eventType\nmember = id:id\n"));
  envelope["route.tombstone.on.empty.payload"] = "true";
  envelope["table.field.event.payload"] = "body";
  EXPECT_THAT(Text(envelope, json_),
              HasSubstr("member = string(body):payload\nmember = type:eventType\nmember = id:id\n"
                        "payload = body\nblank-is-tombstone = yes\n"));
  EXPECT_EQ(Read().payload, "body");
}

TEST_F(RouterConfigTest, AnEnvelopeThatNoJsonConverterWritesIsANote) {
  Add({{"table.fields.additional.placement", "type:envelope"}});
  EXPECT_THAT(draft_.notes(), Contains(HasSubstr("an envelope needs a JsonConverter")));
}

TEST_F(RouterConfigTest, AnExpandedPayloadStaysExpanded) {
  const auto text = [&](Properties more) {
    more["table.expand.json.payload"] = "true";
    const std::string written = Text(more, json_);
    EXPECT_EQ(Read().json, OutboxConfig::Json::kDebezium) << "it can be read";
    EXPECT_THAT(draft_.notes(), Not(Contains(HasSubstr("json.payload"))));
    return written;
  };
  EXPECT_THAT(text({}), HasSubstr("\npayload = expand(payload) | 'null'\n"));
  EXPECT_THAT(
      text({{"table.field.event.payload", "body"}, {"route.tombstone.on.empty.payload", "true"}}),
      HasSubstr("\npayload = expand(body)\nblank-is-tombstone = yes\n"));
  EXPECT_THAT(text({{"table.fields.additional.placement", "type:envelope"}}),
              HasSubstr("\nmember = expand(payload):payload\nmember = type:type\n"));
}

TEST_F(RouterConfigTest, WhatAnExpansionKeepsIsItsFunction) {
  const auto text = [&](const std::string& nulls, const std::string& arrays) {
    return Text({{"table.expand.json.payload", "true"},
                 {"table.json.payload.null.behavior", nulls},
                 {"table.json.payload.empty.array.behavior", arrays}},
                json_);
  };
  EXPECT_THAT(text("ignore", "ignore"), HasSubstr("payload = expand(payload)"));
  EXPECT_THAT(text("OPTIONAL_BYTES", "ignore"), HasSubstr("payload = expand-nulls(payload)"));
  EXPECT_THAT(text("ignore", "optional_string"), HasSubstr("payload = expand-arrays(payload)"));
  EXPECT_THAT(text("optional_bytes", "optional_string"),
              HasSubstr("payload = expand-all(payload)"));
}

TEST_F(RouterConfigTest, AnExpansionThatNoJsonConverterWritesIsANote) {
  EXPECT_THAT(Text({{"table.expand.json.payload", "true"}, {"table.field.event.payload", "body"}}),
              HasSubstr("\npayload = body\n"));
  EXPECT_THAT(draft_.notes(), Contains(HasSubstr("Struct{...}")));
}

TEST_F(RouterConfigTest, BehaviorsOfAnExpansionThatThereIsNotAreLeft) {
  Add({{"table.json.payload.null.behavior", "optional_bytes"}});
  EXPECT_TRUE(left_.contains("transforms.outbox.table.json.payload.null.behavior"));
}

TEST_F(RouterConfigTest, JsonConvertersQuoteWhatIsText) {
  const std::string converter = "org.apache.kafka.connect.json.JsonConverter";
  Add({}, {},
      {{"key.converter", converter},
       {"key.converter.schemas.enable", "false"},
       {"value.converter", converter}});
  EXPECT_THAT(draft_.Text(), AllOf(HasSubstr("key = quote(aggregateid) | 'null'\n"),
                                   HasSubstr("payload = quote(payload) | 'null'\n")));
  EXPECT_THAT(draft_.notes(), Contains(HasSubstr("wraps the value into a schema")));
  EXPECT_THAT(draft_.notes(), Not(Contains(HasSubstr("wraps the key into a schema"))));
  EXPECT_THAT(left_, IsEmpty());
}

TEST_F(RouterConfigTest, AConverterWithoutEquivalentIsANote) {
  Add({}, {{"key.converter", "io.debezium.converters.ByteBufferConverter"},
           {"value.converter", "io.confluent.connect.avro.AvroConverter"}});
  EXPECT_THAT(draft_.notes(), Contains(HasSubstr("value.converter = io.confluent.connect.avro."
                                                 "AvroConverter has no equivalent")));
  EXPECT_THAT(draft_.notes(), Not(Contains(HasSubstr("key.converter"))));
}

TEST_F(RouterConfigTest, TombstonesAreKept) {
  EXPECT_THAT(Text({{"route.tombstone.on.empty.payload", "true"}}),
              HasSubstr("blank-is-tombstone = yes\n"));
}

}  // namespace
}  // namespace outboxd
