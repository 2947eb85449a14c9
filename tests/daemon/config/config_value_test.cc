#include "daemon/config/config_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(ConfigValueTest, TakesDurationsInFourUnits) {
  EXPECT_EQ(ParseDuration("500ms"), milliseconds(500));
  EXPECT_EQ(ParseDuration("1s"), milliseconds(1000));
  EXPECT_EQ(ParseDuration("10m"), milliseconds(600'000));
  EXPECT_EQ(ParseDuration("2h"), milliseconds(7'200'000));
}

TEST(ConfigValueTest, RefusesDurationsThatAreNone) {
  for (const char* text : {"", "1", "s", "1 s", "-1s", "1.5s", "1d", "0s", "1S", "99999999999999h",
                           "18446744073709551616ms"}) {
    EXPECT_FALSE(ParseDuration(text).has_value()) << text;
  }
}

TEST(ConfigValueTest, TellsDecimalFromBinarySizes) {
  EXPECT_EQ(ParseByteSize("1048576"), 1'048'576u);
  EXPECT_EQ(ParseByteSize("32MB"), 32'000'000u);
  EXPECT_EQ(ParseByteSize("32MiB"), 33'554'432u);
  EXPECT_EQ(ParseByteSize("1KB"), 1000u);
  EXPECT_EQ(ParseByteSize("1KiB"), 1024u);
  EXPECT_EQ(ParseByteSize("2GiB"), 2'147'483'648u);
  for (const char* text : {"", "MB", "1 MB", "1M", "-1", "1.5MB", "99999999999GiB"}) {
    EXPECT_FALSE(ParseByteSize(text).has_value()) << text;
  }
}

TEST(ConfigValueTest, AListHasNoEmptyElementAndItsBlanksDoNotCount) {
  EXPECT_THAT(ParseWords("a, b\t,c d").value(), ElementsAre("a", "b", "c d"));
  for (const char* text : {"", " ", ",", "a,", ",a", "a, ,b"}) {
    EXPECT_FALSE(ParseWords(text).has_value()) << text;
  }
  EXPECT_EQ(ParseWords("a,,b").error().message, "'a,,b' has an empty element");
}

TEST(ConfigValueTest, ARelayNameHasLettersDigitsDashAndUnderscore) {
  EXPECT_EQ(ParseRelayName("Shop_2-eu"), "Shop_2-eu");
  for (const std::string& text : {std::string(), std::string("a/b"), std::string("a b"),
                                  std::string("a.b"), std::string("ü"), std::string(65, 'a')}) {
    EXPECT_FALSE(ParseRelayName(text).has_value()) << text;
  }
}

TEST(ConfigValueTest, SplitsHostsFromPorts) {
  EXPECT_EQ(SplitHost("db", 3306), (HostAndPort{"db", 3306}));
  EXPECT_EQ(SplitHost("db-1.example.com:3307", 3306), (HostAndPort{"db-1.example.com", 3307}));
  EXPECT_EQ(SplitHost("[::1]", 3306), (HostAndPort{"::1", 3306}));
  EXPECT_EQ(SplitHost("[fe80::a:1]:3307", 3306), (HostAndPort{"fe80::a:1", 3307}));
}

TEST(ConfigValueTest, RefusesHostsThatAreNone) {
  for (const char* text : {"", ":3306", "db:", "db:0", "db:65536", "db:x", "[::1", "[::1]3306",
                           "[db]", "a b", "::1", "db/x", "[]:1"}) {
    EXPECT_FALSE(SplitHost(text, 3306).has_value()) << text;
  }
  EXPECT_THAT(SplitHost("::1", 3306).error().ToText(),
              HasSubstr("put an IPv6 address in brackets"));
}

TEST(ConfigValueTest, TakesAListOfHosts) {
  EXPECT_THAT(ParseHosts("a, b:3307 ,[::1]:1").value(), ElementsAre("a", "b:3307", "[::1]:1"));
  EXPECT_FALSE(ParseHosts("a,,b").has_value());
  EXPECT_FALSE(ParseHosts("a,").has_value());
  EXPECT_FALSE(ParseHosts("").has_value());
}

TEST(ConfigValueTest, ATableHasADatabase) {
  EXPECT_EQ(ParseTablePattern("tenant_*.out?ox"), "tenant_*.out?ox");
  EXPECT_EQ(ParseTablePattern("shop.cap.published"), "shop.cap.published");
  for (const char* text : {"", "outbox", ".outbox", "shop.", "`a`.b", "a.b, a.c", "a. b"}) {
    EXPECT_FALSE(ParseTablePattern(text).has_value()) << text;
  }
}

TEST(ConfigValueTest, AHeaderOrMemberHasValueAndName) {
  const auto header = ParseNamedValue("type : eventType");
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->value, "type");
  EXPECT_EQ(header->name, "eventType");
  EXPECT_FALSE(header->is_optional);
  const auto optional = ParseNamedValue("'a:b' : x?");
  EXPECT_EQ(optional->value, "'a:b'");
  EXPECT_EQ(optional->name, "x");
  EXPECT_TRUE(optional->is_optional);
  for (const char* text : {"", "type", ":x", "type:", "type:?"}) {
    EXPECT_FALSE(ParseNamedValue(text).has_value()) << text;
  }
}

TEST(ConfigValueTest, TakesEveryWayToStart) {
  EXPECT_EQ(ParseStart("table")->kind, StartChoice::Kind::kTable);
  EXPECT_EQ(ParseStart("earliest")->kind, StartChoice::Kind::kEarliest);
  EXPECT_EQ(ParseStart("now")->kind, StartChoice::Kind::kNow);
  const auto gtid = ParseStart("gtid:9C3A6F2E-1D4B-11F0-8A5E-0242AC120002:1-5");
  ASSERT_TRUE(gtid.has_value()) << gtid.error().ToText();
  EXPECT_EQ(gtid->kind, StartChoice::Kind::kGtid);
  EXPECT_EQ(gtid->gtids, "9c3a6f2e-1d4b-11f0-8a5e-0242ac120002:1-5");
  const auto file = ParseStart("file:binlog.000042:157");
  ASSERT_TRUE(file.has_value()) << file.error().ToText();
  EXPECT_EQ(file->kind, StartChoice::Kind::kFile);
  EXPECT_EQ(file->file, "binlog.000042");
  EXPECT_EQ(file->offset, 157u);
}

TEST(ConfigValueTest, RefusesStartsThatAreNone) {
  for (const char* text :
       {"", "Now", "gtid:abc", "file:", "file:binlog.000042", "file::4", "file:binlog.000042:3",
        "file:binlog.000042:4294967296", "file:binlog.000042:x"}) {
    EXPECT_FALSE(ParseStart(text).has_value()) << text;
  }
  EXPECT_EQ(ParseStart("Now").error().ToText(),
            "'Now' is none of: table, earliest, now, gtid:SET, file:NAME:OFFSET");
}

TEST(ConfigValueTest, TellsWhatComesLaterFromWhatIsUnknown) {
  EXPECT_THAT(ParseGuarantee("exactly-once").error().ToText(),
              HasSubstr("not available in this version"));
  EXPECT_THAT(ParseGuarantee("maybe").error().ToText(), HasSubstr("none of: at-least-once"));
  EXPECT_THAT(ParseStore("kafka").error().ToText(), HasSubstr("not available in this version"));
  EXPECT_THAT(ParsePreset("none").error().ToText(),
              HasSubstr("there is no preset 'none' HINT: debezium"));
  EXPECT_EQ(ParseSinkFamily("rocketmq").error().ToText(),
            "'rocketmq' is not available in this version HINT: available: kafka, stdout");
  EXPECT_EQ(ParseSinkFamily("nats").error().ToText(), "'nats' is none of: kafka, stdout");
  EXPECT_THAT(ParseLevel("loud").error().ToText(),
              HasSubstr("none of: debug, info, warning, error"));
}

TEST(ConfigValueTest, JsonPrintsAsMysqlOrAsDebeziumPrintsIt) {
  EXPECT_EQ(ParseJson("mysql"), OutboxConfig::Json::kMysql);
  EXPECT_EQ(ParseJson("debezium"), OutboxConfig::Json::kDebezium);
  EXPECT_EQ(ParseJson("compact").error().ToText(), "'compact' is none of: mysql, debezium");
}

TEST(ConfigValueTest, ChangesThatPublishNothingHaveTheirModes) {
  using enum DeliveryConfig::OnUpdate;
  EXPECT_EQ(ParseOnUpdate("ignore"), kIgnore);
  EXPECT_EQ(ParseOnUpdate("publish"), kPublish);
  EXPECT_EQ(ParseOnUpdate("alarm"), DeliveryConfig::OnUpdate::kAlarm);
  EXPECT_EQ(ParseOnUpdate("stop").error().ToText(), "'stop' is none of: ignore, publish, alarm");
  EXPECT_EQ(ParseOnStatement("alarm"), DeliveryConfig::OnStatement::kAlarm);
  EXPECT_EQ(ParseOnStatement("stop"), DeliveryConfig::OnStatement::kStop);
  EXPECT_EQ(ParseOnStatement("ignore").error().ToText(), "'ignore' is none of: alarm, stop");
  EXPECT_EQ(ParseUnloggedDeletes("refuse"), DeliveryConfig::UnloggedDeletes::kRefuse);
  EXPECT_EQ(ParseUnloggedDeletes("accept"), DeliveryConfig::UnloggedDeletes::kAccept);
  EXPECT_EQ(ParseUnloggedDeletes("yes").error().ToText(), "'yes' is none of: refuse, accept");
  using enum DeliveryConfig::OnLostTransactions;
  EXPECT_EQ(ParseOnLostTransactions("continue"), kContinue);
  EXPECT_EQ(ParseOnLostTransactions("stop"), kStop);
  EXPECT_EQ(ParseOnLostTransactions("hold").error().ToText(), "'hold' is none of: continue, stop");
}

TEST(ConfigValueTest, AColumnsDefaultIsAValueOrNull) {
  const auto value = ParseColumnDefault(" type : a:b ");
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(value->column, "type");
  EXPECT_EQ(value->value, " a:b ");
  EXPECT_EQ(ParseColumnDefault("type:")->value, "");
  EXPECT_EQ(ParseColumnDefault("type")->value, std::nullopt);
  for (const char* text : {"", " ", ":x"}) {
    EXPECT_THAT(ParseColumnDefault(text).error().ToText(), HasSubstr("is not COLUMN:VALUE HINT: "));
  }
}

TEST(ConfigValueTest, NumbersHaveARange) {
  EXPECT_EQ(ParsePort("65535"), 65535);
  EXPECT_FALSE(ParsePort("0").has_value());
  EXPECT_FALSE(ParsePort("65536").has_value());
  EXPECT_EQ(ParseServerId("4294967295"), 4294967295u);
  EXPECT_FALSE(ParseServerId("0").has_value());
  EXPECT_FALSE(ParseInFlightBytes("1KiB").has_value());
  EXPECT_FALSE(ParseJournalBytes("1KiB").has_value());
  EXPECT_EQ(ParseJournalBytes("0"), 0u);
  EXPECT_EQ(ParseJournalBytes("1MiB"), 1u << 20);
}

}  // namespace
}  // namespace outboxd
