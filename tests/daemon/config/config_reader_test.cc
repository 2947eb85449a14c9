#include "daemon/config/config_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "daemon/config/config_keys.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
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
    EXPECT_EQ(config.error().exit_code, ExitCode::kConfiguration);
    std::string message = config.error().message;
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
  EXPECT_EQ(config.sink.type, SinkConfig::Type::kStdout);
  EXPECT_THAT(config.kafka,
              ElementsAre(Pair("bootstrap.servers", "k:9092"), Pair("linger.ms", "5")));
  EXPECT_TRUE(config.topics.create);
  EXPECT_EQ(config.topics.partitions, 12);
  EXPECT_EQ(config.topics.replication, 1);
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
  EXPECT_EQ(config.error().exit_code, ExitCode::kConfiguration);
  EXPECT_THAT(config.error().message,
              AllOf(StartsWith(directory_ / "gone.conf: no such file"), HasSubstr("--config")));
}

TEST_F(ConfigReaderTest, AnUnreadableFileComesWithTheSystemsReason) {
  const auto config = ReadConfig(directory_.path(), {});
  ASSERT_FALSE(config.has_value());
  EXPECT_EQ(config.error().exit_code, ExitCode::kConfiguration);
  EXPECT_THAT(config.error().message, HasSubstr("read failed: Is a directory"));
}

TEST_F(ConfigReaderTest, AnUnknownKeyComesWithLineAndNearestKey) {
  EXPECT_EQ(Wrong(std::string(kLeast) + "[mysql]\nhots = a\n"),
            "c.conf:6: mysql.hots: unknown key HINT: did you mean host?");
  EXPECT_EQ(Wrong(std::string(kLeast) + "[mysql]\nlevel = a\n"),
            "c.conf:6: mysql.level: unknown key HINT: level belongs into [log]");
  EXPECT_THAT(Wrong(std::string(kLeast) + "[log]\nzzzzzzzz = a\n"),
              HasSubstr("unknown key HINT: keys of [log]: level"));
}

TEST_F(ConfigReaderTest, AnUnknownSectionComesWithTheNearest) {
  EXPECT_EQ(Wrong(std::string(kLeast) + "[mysq]\nhost = a\n"),
            "c.conf:5: unknown section [mysq] HINT: did you mean [mysql]?");
  EXPECT_THAT(Wrong(std::string(kLeast) + "[zzzzzzzz]\n"), HasSubstr("HINT: sections: relay, "));
}

TEST_F(ConfigReaderTest, FeaturesToComeAreNotCalledUnknown) {
  const std::string more =
      "[http]\nlisten = 127.0.0.1:9464\n[delivery]\nguarantee = exactly-once\n"
      "standby = yes\n[checkpoint]\nstore = kafka\n";
  const std::string wrong = Wrong(kLeast + more);
  EXPECT_THAT(wrong, HasSubstr("c.conf:5: section [http] is not available in this version"));
  EXPECT_THAT(wrong, HasSubstr("c.conf:8: delivery.guarantee: 'exactly-once' is not available"));
  EXPECT_THAT(wrong, HasSubstr("c.conf:9: delivery.standby: is not available in this version"));
  EXPECT_THAT(wrong, HasSubstr("c.conf:11: checkpoint.store: 'kafka' is not available"));
  EXPECT_THAT(wrong, Not(HasSubstr("unknown")));
}

TEST_F(ConfigReaderTest, AKeyOfThisVersionIsNotCalledOneToComeWhereverItIsWritten) {
  for (const ConfigKey& written_in : ConfigKeys()) {
    for (const ConfigKey& known : ConfigKeys()) {
      EXPECT_FALSE(IsLaterKey(written_in.section, known.key))
          << written_in.section << "." << known.key;
    }
  }
  EXPECT_EQ(Wrong(std::string(kLeast) + "[mysql]\nmax-stall = 1m\n"),
            "c.conf:6: mysql.max-stall: unknown key HINT: max-stall belongs into [delivery]");
}

TEST_F(ConfigReaderTest, ADuplicateNamesBothLines) {
  EXPECT_EQ(Wrong("[relay]\nname = a\nname = b\n[outbox]\ntable = a.b\n"),
            "c.conf:3: relay.name: stands twice, first in line 2");
  EXPECT_EQ(Wrong(std::string(kLeast) + "[kafka]\nacks = 1\nacks = all\n"),
            "c.conf:7: kafka.acks: stands twice, first in line 6");
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

TEST_F(ConfigReaderTest, AModeInTheWrongSectionIsSentToTheRightOne) {
  EXPECT_EQ(Wrong(std::string(kLeast) + "on-update = publish\n"),
            "c.conf:5: outbox.on-update: unknown key HINT: on-update belongs into [delivery]");
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
  EXPECT_THAT(config.kafka, ElementsAre(Pair("bootstrap.servers", "k:1")));
}

TEST_F(ConfigReaderTest, TheCommandLineAloneIsEnough) {
  const auto config = ReadConfig("", {"--relay.name=shop", "--outbox.table=shop.outbox"});
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->path, "");
}

TEST_F(ConfigReaderTest, RefusesWhatIsNoOption) {
  EXPECT_EQ(Wrong(kLeast, {"run"}), "'run' is not --section.key=value");
  EXPECT_THAT(Wrong(kLeast, {"--level=info"}), HasSubstr("--level: no such option"));
  EXPECT_EQ(Wrong(kLeast, {"--log.level"}), "--log.level: has no value");
  EXPECT_EQ(Wrong(kLeast, {"--log.level=info", "--log.level=info"}), "--log.level: stands twice");
  EXPECT_THAT(Wrong(kLeast, {"--log.lev=info"}), HasSubstr("--log.lev: unknown key"));
}

TEST_F(ConfigReaderTest, RefusesSecretsOnTheCommandLineWithoutShowingThem) {
  for (const char* key : {"kafka.sasl.password", "kafka.ssl.key.password", "mysql.password",
                          "kafka.sasl.oauthbearer.client.secret", "kafka.ssl.key.pem"}) {
    const std::string wrong = Wrong(kLeast, {std::string("--") + key + "=hunter2"});
    EXPECT_THAT(wrong, AllOf(HasSubstr(key), HasSubstr("refused"), Not(HasSubstr("hunter2"))));
  }
  const Config config = Good(kLeast, {"--mysql.password-file=/run/p"});
  EXPECT_EQ(config.mysql.password_file, "/run/p");
}

TEST_F(ConfigReaderTest, ExpandsTheEnvironmentInPathsOnly) {
  setenv("OUTBOXD_TEST_DIRECTORY", "/run/credentials", 1);
  const Config config = Good(
      "[relay]\nname = shop\nstate-directory = "
      "${OUTBOXD_TEST_DIRECTORY}/${OUTBOXD_TEST_DIRECTORY}\n"
      "[mysql]\nuser = ${OUTBOXD_TEST_DIRECTORY}\n"
      "password-file = ${OUTBOXD_TEST_DIRECTORY}/mysql\n"
      "[kafka]\nsasl.password-file = ${OUTBOXD_TEST_DIRECTORY}/kafka\n"
      "[outbox]\ntable = shop.outbox\n");
  EXPECT_EQ(config.relay.state_directory, "/run/credentials//run/credentials");
  EXPECT_EQ(config.mysql.password_file, "/run/credentials/mysql");
  EXPECT_EQ(config.mysql.user, "${OUTBOXD_TEST_DIRECTORY}");
  EXPECT_THAT(config.kafka, ElementsAre(Pair("sasl.password-file", "/run/credentials/kafka")));
  unsetenv("OUTBOXD_TEST_DIRECTORY");
}

TEST_F(ConfigReaderTest, AnUnsetVariableIsNamed) {
  EXPECT_THAT(Wrong(std::string(kLeast) + "[mysql]\npassword-file = ${OUTBOXD_TEST_GONE}/x\n"),
              StartsWith("c.conf:6: mysql.password-file: the environment variable "
                         "'OUTBOXD_TEST_GONE' is not set"));
  EXPECT_THAT(Wrong(std::string(kLeast) + "[mysql]\npassword-file = ${OUTBOXD\n"),
              HasSubstr("'${OUTBOXD' lacks a '}'"));
}

TEST_F(ConfigReaderTest, KeysThatDoNotGoTogetherAreRefused) {
  EXPECT_THAT(Wrong(std::string(kLeast) + "[mysql]\nhost = a\nsocket = /s\n"),
              HasSubstr("c.conf:7: mysql.socket: excludes mysql.host"));
  EXPECT_THAT(Wrong(std::string(kLeast) + "[mysql]\ntls = verify-identity\n"),
              HasSubstr("c.conf:6: mysql.tls: needs mysql.tls-ca"));
  EXPECT_THAT(Wrong(std::string(kLeast) + "[mysql]\ntls-key = /k\n"),
              HasSubstr("c.conf:6: mysql.tls-key: mysql.tls-cert and mysql.tls-key go together"));
}

TEST_F(ConfigReaderTest, DeadLettersNeedATopicThatNoEventCanNameByItself) {
  const auto with = [](const std::string& delivery) {
    return std::string(kLeast) + "[delivery]\non-bad-event = dead-letter\n" + delivery;
  };
  EXPECT_THAT(Wrong(with("")), HasSubstr("dead-letter needs delivery.dead-letter-topic"));
  EXPECT_THAT(Wrong(with("dead-letter-topic = __dead\n")), HasSubstr("internal to Kafka"));
  EXPECT_THAT(Wrong(with("dead-letter-topic = outbox.event.dead\n")),
              HasSubstr("outbox.topic = outbox.event.{aggregatetype} lets events go there too"));
  EXPECT_THAT(Wrong(with("dead-letter-topic = shop.dead\n[topics]\nallow = shop.*\n")),
              HasSubstr("topics.allow = shop.* lets events go there too"));
  EXPECT_EQ(Good(with("dead-letter-topic = outbox.event.dead\n[topics]\nallow = outbox.event.x\n"))
                .delivery.dead_letter_topic,
            "outbox.event.dead");
}

TEST_F(ConfigReaderTest, AMistakeOfTheMappingHasItsLine) {
  EXPECT_THAT(Wrong(std::string(kLeast) + "topic = a.{b\n"),
              StartsWith("c.conf:5: outbox.topic: there is no '}' before its end"));
  EXPECT_THAT(Wrong(std::string(kLeast) + "header = a:outboxd.x\n"),
              StartsWith("c.conf:5: outbox.header: the name 'outboxd.x' is taken"));
  EXPECT_THAT(Wrong(kLeast, {"--outbox.topic={"}), StartsWith("--outbox.topic: there is no term"));
}

TEST_F(ConfigReaderTest, NoTableBelongsToTwoFamilies) {
  const std::string eu = std::string(kLeast) + "[outbox.eu]\ntable = eu.outbox\n";
  EXPECT_EQ(Wrong(eu + "table = shop.*\n"),
            "c.conf:7: outbox.eu.table: a table can fit both 'shop.*' and 'shop.outbox' of"
            " outbox.table HINT: narrow one of the two, so that each table belongs to one of them");
  EXPECT_THAT(Wrong(eu + "table = ?u.out*\n"),
              StartsWith("c.conf:7: outbox.eu.table: a table can fit both '?u.out*' and"
                         " 'eu.outbox' of outbox.eu.table"));
  EXPECT_THAT(Wrong(eu + "table = eu.outbox\n"),
              StartsWith("c.conf:7: outbox.eu.table: 'eu.outbox' stands in outbox.eu.table"));
  EXPECT_THAT(Wrong(eu, {"--outbox.us.table=*.*"}),
              StartsWith("--outbox.us.table: a table can fit both '*.*' and 'shop.outbox'"));
  // Schema and table are compared each for itself.
  EXPECT_EQ(Good(eu + "table = shop.events\ntable = *.x*\ntable = tenant_*.outbox2\n")
                .outboxes[1]
                .tables.size(),
            4u);
}

TEST_F(ConfigReaderTest, EveryFamilyNeedsATableOfItsOwn) {
  EXPECT_THAT(Wrong(std::string(kLeast) + "[outbox.eu]\nid = x\n"),
              StartsWith("c.conf: outbox.eu.table: is missing"));
  EXPECT_EQ(Wrong(std::string(kLeast) + "[outbox.eu]\ntable = shop.outbox\n"),
            "c.conf:6: outbox.eu.table: 'shop.outbox' stands in outbox.table already HINT: remove"
            " one of the two");
  EXPECT_THAT(Wrong(std::string(kLeast) + "[outbox.e,u]\ntable = a.b\n"),
              StartsWith("c.conf:5: section [outbox.e,u]: the name behind the dot"));
}

}  // namespace
}  // namespace outboxd
