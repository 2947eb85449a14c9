#include "daemon/config/config_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kLeast[] = "[relay]\nname = shop\n[outbox]\ntable = shop.outbox\n";

class ConfigReaderTest : public testing::Test {
 protected:
  Result<Config> Read(const std::string& text, const std::vector<std::string>& overrides = {}) {
    directory_.Write("c.conf", text);
    return ReadConfig(directory_ / "c.conf", overrides);
  }
  Config Good(const std::string& text, const std::vector<std::string>& overrides = {}) {
    auto config = Read(text, overrides);
    EXPECT_TRUE(config.has_value()) << config.error().message;
    return config.value_or(Config{});
  }
  // All complaints, with the file's directory taken away.
  std::string Wrong(const std::string& text, const std::vector<std::string>& overrides = {}) {
    const auto config = Read(text, overrides);
    EXPECT_FALSE(config.has_value()) << text;
    if (config) return "";
    EXPECT_EQ(config.error().kind, ExitCode::kConfiguration);
    std::string message = config.error().ToText();
    const std::string prefix = directory_.path() + "/";
    for (auto at = message.find(prefix); at != std::string::npos; at = message.find(prefix)) {
      message.erase(at, prefix.size());
    }
    return message;
  }

  TemporaryDirectory directory_;
};

TEST_F(ConfigReaderTest, FillsInEveryDefault) {
  const Config config = Good(kLeast);
  EXPECT_EQ(config.path, directory_ / "c.conf");
  EXPECT_EQ(config.relay.name, "shop");
  EXPECT_EQ(config.relay.state_directory, "/var/lib/outboxd/shop");
  EXPECT_EQ(config.relay.spill_directory, "/var/lib/outboxd/shop");
  EXPECT_THAT(config.mysql.hosts, ElementsAre("127.0.0.1"));
  EXPECT_EQ(config.mysql.user, "outboxd");
  ASSERT_EQ(config.outboxes.size(), 1u);
  EXPECT_EQ(config.outboxes[0].section, "outbox");
  EXPECT_EQ(config.outboxes[0].id, "id");
  EXPECT_EQ(config.outboxes[0].key, "aggregateid");
  EXPECT_EQ(config.outboxes[0].payload, "payload");
  EXPECT_EQ(config.outboxes[0].topic, "outbox.event.{aggregatetype}");
  EXPECT_EQ(config.relay.spill_bytes_max, 16ull << 30);
  EXPECT_TRUE(config.outboxes[0].defaults.empty());
  EXPECT_EQ(config.delivery.start.kind, StartChoice::Kind::kNone);
  EXPECT_EQ(config.delivery.on_statement, DeliveryConfig::OnStatement::kAlarm);
  EXPECT_EQ(config.delivery.on_lost_transactions, DeliveryConfig::OnLostTransactions::kContinue);
  EXPECT_EQ(config.checkpoint.journal_bytes_max, 16u << 20);
  EXPECT_EQ(config.mysql.first_event_timeout, std::chrono::minutes(10));
  EXPECT_EQ(config.mysql.lag_timeout, std::chrono::milliseconds(60'000));
  EXPECT_EQ(config.delivery.on_update, DeliveryConfig::OnUpdate::kIgnore);
}

TEST_F(ConfigReaderTest, TakesEveryKey) {
  const Config config = Good(R"(
[relay]
name = shop
state-directory = /s
spill-directory = /tmp/spill
spill-bytes-max = 3GiB
stop-timeout = 5s
[mysql]
host = a:1, b
port = 3307
user = u
password-file = /p
tls = verify-ca
tls-ca = /ca
tls-cert = /cert
tls-key = /key
server-id = 7
heartbeat = 250ms
first-event-timeout = 90s
lag-timeout = 5s
[outbox]
table = shop.outbox
table = shop.outbox2
preset = debezium
id = event_id
key =
payload = body
timestamp = at
partition = part
topic = t.{kind}
header = type:eventType
header = tenant:tenant
columns = event_id, body:utf8mb4,kind : unsigned
default = body:{}
default = tenant
table-header = no
position-header = off
[outbox.eu]
table = eu.outbox
[sink]
type = stdout
[kafka]
bootstrap.servers = k:9092
linger.ms = 5
[topics]
create = yes
partitions = 12
replication = 1
allow = outbox.*
allow = t.?
[delivery]
guarantee = at-least-once
start = file:binlog.000001:4
on-bad-event = stop
dead-letter-topic = dead
on-statement = stop
on-lost-transactions = stop
on-update = publish
in-flight-bytes-max = 8MiB
[checkpoint]
store = file
interval = 200ms
[log]
level = debug
)");
  EXPECT_EQ(config.relay.state_directory, "/s");
  EXPECT_EQ(config.relay.spill_directory, "/tmp/spill");
  EXPECT_EQ(config.relay.spill_bytes_max, 3ull << 30);
  EXPECT_EQ(config.relay.stop_timeout, std::chrono::seconds(5));
  EXPECT_THAT(config.mysql.hosts, ElementsAre("a:1", "b"));
  EXPECT_EQ(config.mysql.port, 3307);
  EXPECT_EQ(config.mysql.user, "u");
  EXPECT_EQ(config.mysql.password_file, "/p");
  EXPECT_EQ(config.mysql.tls, TlsChoice::kVerifyCa);
  EXPECT_EQ(config.mysql.tls_ca + config.mysql.tls_cert + config.mysql.tls_key, "/ca/cert/key");
  EXPECT_EQ(config.mysql.server_id, 7u);
  EXPECT_EQ(config.mysql.heartbeat, std::chrono::milliseconds(250));
  EXPECT_EQ(config.mysql.first_event_timeout, std::chrono::seconds(90));
  EXPECT_EQ(config.mysql.lag_timeout, std::chrono::milliseconds(5000));
  ASSERT_EQ(config.outboxes.size(), 2u);
  const OutboxConfig& outbox = config.outboxes[0];
  EXPECT_THAT(outbox.tables, ElementsAre("shop.outbox", "shop.outbox2"));
  EXPECT_EQ(outbox.id + "," + outbox.key + "," + outbox.payload, "event_id,,body");
  EXPECT_EQ(outbox.timestamp + "," + outbox.partition + "," + outbox.topic, "at,part,t.{kind}");
  ASSERT_EQ(outbox.headers.size(), 2u);
  EXPECT_EQ(outbox.headers[0].value + ">" + outbox.headers[0].name, "type>eventType");
  EXPECT_THAT(outbox.columns,
              ElementsAre(DeclaredColumn{"event_id", ""}, DeclaredColumn{"body", "utf8mb4"},
                          DeclaredColumn{"kind", "unsigned"}));
  ASSERT_EQ(outbox.defaults.size(), 2u);
  EXPECT_EQ(outbox.defaults[0].column + ":" + outbox.defaults[0].value.value(), "body:{}");
  EXPECT_EQ(outbox.defaults[1].column, "tenant");
  EXPECT_EQ(outbox.defaults[1].value, std::nullopt);
  EXPECT_FALSE(outbox.table_header);
  EXPECT_FALSE(outbox.position_header);
  EXPECT_EQ(config.outboxes[1].section, "outbox.eu");
  EXPECT_THAT(config.outboxes[1].tables, ElementsAre("eu.outbox"));
  EXPECT_EQ(config.outboxes[1].id, "id");
  EXPECT_EQ(config.sink.family, FindSinkFamily("stdout"));
  EXPECT_THAT(config.sink.settings,
              ElementsAre(sinks::Setting{"kafka", "bootstrap.servers", "k:9092"},
                          sinks::Setting{"kafka", "linger.ms", "5"},
                          sinks::Setting{"topics", "create", "yes"},
                          sinks::Setting{"topics", "partitions", "12"},
                          sinks::Setting{"topics", "replication", "1"}));
  EXPECT_THAT(config.topics.allow, ElementsAre("outbox.*", "t.?"));
  EXPECT_EQ(config.delivery.start.file, "binlog.000001");
  EXPECT_EQ(config.delivery.on_bad_event, DeliveryConfig::OnBadEvent::kStop);
  EXPECT_EQ(config.delivery.dead_letter_topic, "dead");
  EXPECT_EQ(config.delivery.on_statement, DeliveryConfig::OnStatement::kStop);
  EXPECT_EQ(config.delivery.on_lost_transactions, DeliveryConfig::OnLostTransactions::kStop);
  EXPECT_EQ(config.delivery.on_update, DeliveryConfig::OnUpdate::kPublish);
  EXPECT_EQ(config.delivery.in_flight_bytes_max, 8u << 20);
  EXPECT_EQ(config.checkpoint.interval, std::chrono::milliseconds(200));
  EXPECT_EQ(config.log.level, LogConfig::Level::kDebug);
}

TEST_F(ConfigReaderTest, AMissingFileIsNamed) {
  const auto config = ReadConfig(directory_ / "gone.conf", {});
  ASSERT_FALSE(config.has_value());
  EXPECT_EQ(config.error().kind, ExitCode::kConfiguration);
  EXPECT_THAT(config.error().ToText(),
              AllOf(StartsWith(directory_ / "gone.conf: no such file"), HasSubstr("--config")));
}

TEST_F(ConfigReaderTest, AnUnreadableFileComesWithTheSystemsReason) {
  const auto config = ReadConfig(directory_.path(), {});
  ASSERT_FALSE(config.has_value());
  EXPECT_EQ(config.error().kind, ExitCode::kConfiguration);
  EXPECT_THAT(config.error().message, HasSubstr("read failed: Is a directory"));
}

TEST_F(ConfigReaderTest, FeaturesToComeAreNotCalledUnknown) {
  const std::string more =
      "[housekeeping]\nmark = yes\n[delivery]\nguarantee = exactly-once\n"
      "standby = yes\n[checkpoint]\nstore = kafka\n";
  const std::string wrong = Wrong(kLeast + more);
  EXPECT_THAT(wrong, HasSubstr("c.conf:5: section [housekeeping] is not available"));
  EXPECT_THAT(wrong, HasSubstr("c.conf:8: delivery.guarantee: 'exactly-once' is not available"));
  EXPECT_THAT(wrong, HasSubstr("c.conf:9: delivery.standby: is not available in this version"));
  EXPECT_THAT(wrong, HasSubstr("c.conf:11: checkpoint.store: 'kafka' is not available"));
  EXPECT_THAT(wrong, Not(HasSubstr("unknown")));
}

TEST_F(ConfigReaderTest, ABadValueNamesLineKeyAndValue) {
  EXPECT_EQ(Wrong(std::string(kLeast) + "[log]\nlevel = loud\n"),
            "c.conf:6: log.level: 'loud' is none of: debug, info, warning, error");
  EXPECT_THAT(Wrong(std::string(kLeast) + "[checkpoint]\ninterval = 5\n"),
              HasSubstr("c.conf:6: checkpoint.interval: '5' is not a duration HINT: "));
  EXPECT_EQ(Wrong("[relay]\nname = shop\n[outbox]\ntable = shop.outbox\nid =\n"),
            "c.conf:5: outbox.id: has no value");
}

TEST_F(ConfigReaderTest, TheModesForWhatIsNotPublishedAreChecked) {
  EXPECT_EQ(Wrong(std::string(kLeast) + "[delivery]\non-statement = ignore\n"),
            "c.conf:6: delivery.on-statement: 'ignore' is none of: alarm, stop");
  EXPECT_EQ(Wrong(std::string(kLeast) + "[delivery]\non-update = stop\n"),
            "c.conf:6: delivery.on-update: 'stop' is none of: ignore, publish, alarm");
  EXPECT_THAT(Wrong("[relay]\nname = shop\nspill-bytes-max = lots\n[outbox]\ntable = a.b\n"),
              StartsWith("c.conf:3: relay.spill-bytes-max: 'lots' is not a size HINT: "));
  for (const std::string columns : {"a,b:utf9", "a,b:", ":signed", "a,,b"}) {
    EXPECT_THAT(Wrong("[relay]\nname = shop\n[outbox]\ncolumns = " + columns + "\n"),
                StartsWith("c.conf:4: outbox.columns: '"));
  }
  EXPECT_THAT(Wrong(std::string(kLeast) + "default = :x\n"),
              StartsWith("c.conf:5: outbox.default: ':x' is not COLUMN:VALUE HINT: "));
}

TEST_F(ConfigReaderTest, ADefaultIsForAColumnThatIsReadAndStandsOnce) {
  EXPECT_EQ(Wrong(std::string(kLeast) + "default = payloads:{}\n"),
            "c.conf:5: outbox.default: the mapping reads no column 'payloads'");
  EXPECT_EQ(Wrong(std::string(kLeast) + "default = payload:{}\ndefault = PAYLOAD\n"),
            "c.conf:5: outbox.default: column 'PAYLOAD' stands twice");
}

TEST_F(ConfigReaderTest, TellsAllMistakesInTheOrderOfTheirLines) {
  EXPECT_EQ(
      Wrong("[relay]\nnam = a\njunk\n[log]\nlevel = x\n", {"--log.levl=info"}),
      "c.conf:2: relay.nam: unknown key HINT: did you mean name?\n"
      "c.conf:3: neither [section] nor key = value HINT: a comment begins with #\n"
      "c.conf:5: log.level: 'x' is none of: debug, info, warning, error\n"
      "--log.levl: unknown key HINT: did you mean level?\n"
      "c.conf: relay.name: is missing HINT: add name = NAME to [relay], letters, digits, - and "
      "_\n"
      "c.conf: outbox.table: is missing HINT: name the event table in [outbox], for example "
      "table = shop.outbox");
}

TEST_F(ConfigReaderTest, TheCommandLineCountsInsteadOfTheFile) {
  const Config config = Good(std::string(kLeast) + "[log]\nlevel = error\n",
                             {"--log.level=debug", "--outbox.table=a.b", "--outbox.table", "a.c",
                              "--kafka.bootstrap.servers=k:1", "--outbox.eu.table=eu.o"});
  EXPECT_EQ(config.log.level, LogConfig::Level::kDebug);
  ASSERT_EQ(config.outboxes.size(), 2u);
  EXPECT_THAT(config.outboxes[0].tables, ElementsAre("a.b", "a.c"));
  EXPECT_THAT(config.outboxes[1].tables, ElementsAre("eu.o"));
  EXPECT_THAT(config.sink.settings,
              ElementsAre(sinks::Setting{"kafka", "bootstrap.servers", "k:1"}));
}

TEST_F(ConfigReaderTest, TheCommandLineAloneIsEnough) {
  const auto config = ReadConfig("", {"--relay.name=shop", "--outbox.table=shop.outbox"});
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->path, "");
}

TEST_F(ConfigReaderTest, AMistakeOfTheMappingHasItsLine) {
  EXPECT_THAT(Wrong(std::string(kLeast) + "topic = a.{b\n"),
              StartsWith("c.conf:5: outbox.topic: there is no '}' before its end"));
  EXPECT_THAT(Wrong(std::string(kLeast) + "header = a:outboxd.x\n"),
              StartsWith("c.conf:5: outbox.header: the name 'outboxd.x' is taken"));
  EXPECT_THAT(Wrong(kLeast, {"--outbox.topic={"}), StartsWith("--outbox.topic: there is no term"));
}

}  // namespace
}  // namespace outboxd
