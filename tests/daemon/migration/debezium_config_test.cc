#include "daemon/migration/debezium_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "daemon/config/config_reader.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Properties Connector(const Properties& more = {}) {
  Properties options = {
      {"name", "shop-outbox"},
      {"connector.class", "io.debezium.connector.mysql.MySqlConnector"},
      {"tasks.max", "1"},
      {"topic.prefix", "shop"},
      {"database.hostname", "db.example"},
      {"database.user", "debezium"},
      {"table.include.list", "shop\\.outbox"},
      {"transforms", "outbox"},
      {"transforms.outbox.type", "io.debezium.transforms.outbox.EventRouter"},
  };
  for (const auto& [name, value] : more) options.insert_or_assign(name, value);
  return options;
}

class DebeziumConfigTest : public testing::Test {
 protected:
  ImportedConfig Import(const Properties& more = {}, const Properties& worker = {}) {
    auto imported = ImportDebeziumConfig(Connector(more), worker);
    EXPECT_TRUE(imported) << imported.error().message;
    return imported.value_or(ImportedConfig{});
  }
  // What the configuration's own reader makes of it.
  Result<Config> Read(const Properties& more = {}, const Properties& worker = {}) {
    const std::string path = folder_.path() + "/relay.conf";
    std::ofstream(path) << Import(more, worker).text;
    return ReadConfig(path, {});
  }

  TemporaryDirectory folder_;
};

TEST_F(DebeziumConfigTest, TheDefaultsOfBothAreTheSame) {
  const auto config = Read();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->relay.name, "shop-outbox");
  EXPECT_THAT(config->mysql.hosts, ElementsAre("db.example"));
  EXPECT_EQ(config->mysql.user, "debezium");
  ASSERT_EQ(config->outboxes.size(), 1U);
  const OutboxConfig& outbox = config->outboxes[0];
  const OutboxConfig standard;
  EXPECT_THAT(outbox.tables, ElementsAre("shop.outbox"));
  EXPECT_EQ(outbox.topic, standard.topic);
  EXPECT_EQ(outbox.id, standard.id);
  EXPECT_EQ(outbox.key, standard.key);
  EXPECT_EQ(outbox.payload, standard.payload);
  EXPECT_EQ(outbox.json, OutboxConfig::Json::kDebezium);
  EXPECT_EQ(config->delivery.start.kind, StartChoice::Kind::kTable);
}

TEST_F(DebeziumConfigTest, TheConnectorsNameBecomesOneThatARelayMayHave) {
  EXPECT_EQ(Read({{"name", "shop.outbox/EU 2_a"}})->relay.name, "shop-outbox-EU-2_a");
  EXPECT_EQ(Read({{"name", ""}})->relay.name, "outbox");
  Properties nameless = Connector();
  nameless.erase("name");
  EXPECT_THAT(ImportDebeziumConfig(nameless, {})->text, HasSubstr("[relay]\nname = shop\n"));
}

TEST_F(DebeziumConfigTest, CarriesOverWhatHasAKey) {
  const std::string router = "transforms.outbox.";
  const auto config =
      Read({{"database.port", "3307"},
            {"database.server.id", "5400"},
            {"database.ssl.mode", "disabled"},
            {"database.password", "geheim"},
            {"table.include.list", "shop.outbox, tenant_.*\\.outbox"},
            {"snapshot.mode", "no_data"},
            {"topic.creation.default.partitions", "12"},
            {"topic.creation.default.replication.factor", "2"},
            {"producer.override.linger.ms", "5"},
            {"producer.override.max.request.size", "2000000"},
            {router + "table.field.event.id", "event_id"},
            {router + "table.field.event.key", "entity"},
            {router + "table.field.event.payload", "body"},
            {router + "table.field.event.timestamp", "created_at"},
            {router + "table.fields.additional.placement",
             "type:header:eventType, trace:header,shard:partition:ignored"},
            {router + "route.by.field", "kind"},
            {router + "route.topic.replacement", "app.${routedByValue}.v{1}"},
            {router + "table.op.invalid.behavior", "fatal"}},
           {{"bootstrap.servers", "kafka-1:9092,kafka-2:9092"}, {"group.id", "connect"}});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->mysql.port, 3307);
  EXPECT_EQ(config->mysql.server_id, 5400U);
  EXPECT_EQ(config->mysql.tls, TlsChoice::kDisabled);
  EXPECT_EQ(config->mysql.password_file, "/etc/outboxd/shop-outbox.password");
  const OutboxConfig& outbox = config->outboxes.at(0);
  EXPECT_THAT(outbox.tables, ElementsAre("shop.outbox", "tenant_*.outbox"));
  EXPECT_EQ(outbox.id, "event_id");
  EXPECT_EQ(outbox.key, "entity");
  EXPECT_EQ(outbox.payload, "body");
  EXPECT_EQ(outbox.timestamp, "created_at");
  EXPECT_EQ(outbox.partition, "shard");
  EXPECT_EQ(outbox.topic, "app.{kind}.v{{1}}");
  ASSERT_EQ(outbox.headers.size(), 2U);
  EXPECT_EQ(outbox.headers[0].value + ":" + outbox.headers[0].name, "type:eventType");
  EXPECT_EQ(outbox.headers[1].value + ":" + outbox.headers[1].name, "trace:trace");
  EXPECT_EQ(config->delivery.start.kind, StartChoice::Kind::kNow);
  EXPECT_EQ(config->delivery.on_update, DeliveryConfig::OnUpdate::kAlarm);
  EXPECT_THAT(config->sink.settings,
              ElementsAre(sinks::Setting{"kafka", "bootstrap.servers", "kafka-1:9092,kafka-2:9092"},
                          sinks::Setting{"kafka", "linger.ms", "5"},
                          sinks::Setting{"kafka", "message.max.bytes", "2000000"},
                          sinks::Setting{"topics", "create", "yes"},
                          sinks::Setting{"topics", "partitions", "12"},
                          sinks::Setting{"topics", "replication", "2"}));
}

TEST_F(DebeziumConfigTest, NoSecretIsPrinted) {
  const auto imported = Import({{"database.password", "geheim-1"},
                                {"database.ssl.keystore.password", "geheim-2"},
                                {"database.ssl.truststore.password", "geheim-3"},
                                {"producer.override.sasl.jaas.config", "password=\"geheim-4\";"},
                                {"producer.override.ssl.key.password", "geheim-5"},
                                {"some.unknown.password", "geheim-6"}});
  EXPECT_THAT(imported.text, Not(HasSubstr("geheim")));
  EXPECT_THAT(imported.notes, Not(Contains(HasSubstr("geheim"))));
  EXPECT_THAT(imported.notes, Contains(HasSubstr("/etc/outboxd/shop-outbox.password")));
}

TEST_F(DebeziumConfigTest, EveryOptionIsNamed) {
  const Properties more = {{"heartbeat.interval.ms", "1000"},
                           {"max.batch.size", "2048"},
                           {"signal.enabled.channels", "source,kafka"},
                           {"column.mask.with.10.chars", "shop.outbox.payload"},
                           {"a.thing.nobody.knows", "1"},
                           {"transforms.outbox.tracing.operation.name", "x"},
                           {"transforms.outbox.table.nothing", "x"}};
  const auto imported = Import(more, {{"worker.thing", "1"}, {"rest.port", "8083"}});
  for (const auto& [name, value] : more) EXPECT_THAT(imported.text, HasSubstr(name + ":"));
  EXPECT_THAT(imported.text, HasSubstr("of the worker, rest.port:"));
  EXPECT_THAT(imported.notes, Contains("a.thing.nobody.knows: unknown here, not carried over"));
  EXPECT_THAT(imported.notes, Contains(HasSubstr("of the worker, worker.thing: unknown")));
  EXPECT_THAT(imported.notes, Contains(HasSubstr("signal.enabled.channels: there are no signals")));
  EXPECT_THAT(imported.notes, Not(Contains(HasSubstr("heartbeat.interval.ms"))));
}

TEST_F(DebeziumConfigTest, AHarmlessValueIsNoNote) {
  EXPECT_THAT(Import({{"errors.tolerance", "all"}}).notes, Contains(HasSubstr("errors.tolerance")));
  EXPECT_THAT(Import({{"errors.tolerance", "none"}}).notes,
              Not(Contains(HasSubstr("errors.tolerance"))));
}

TEST_F(DebeziumConfigTest, AnOptionThatMeansNothingWithoutAnotherIsNamedAsUnneeded) {
  const auto imported =
      Import({{"transforms.outbox.table.json.payload.null.behavior", "optional_bytes"}});
  EXPECT_THAT(imported.text, HasSubstr("null.behavior: means something with"));
  EXPECT_THAT(imported.notes, Not(Contains(HasSubstr("json.payload"))));
}

TEST_F(DebeziumConfigTest, ATransformWithoutEquivalentIsANote) {
  const auto imported = Import({{"transforms", "rename,outbox"},
                                {"transforms.rename.type", "org.example.Rename"},
                                {"transforms.rename.regex", "x"}});
  EXPECT_THAT(imported.notes, Contains(HasSubstr("transform 'rename' (org.example.Rename)")));
}

TEST_F(DebeziumConfigTest, WhatNoRelayCanReplaceIsRefused) {
  const auto refusal = [](const Properties& more) {
    return ImportDebeziumConfig(Connector(more), {}).error().ToText();
  };
  EXPECT_THAT(refusal({{"connector.class", "io.debezium.connector.postgresql.PostgresConnector"}}),
              HasSubstr("only Debezium's connector for MySQL"));
  EXPECT_THAT(refusal({{"transforms", "other"}}), HasSubstr("no transform is of type"));
}

TEST_F(DebeziumConfigTest, CertificatesBecomeAPemFile) {
  const auto config =
      Read({{"database.ssl.mode", "verify_identity"}, {"database.ssl.truststore", "/a/store.jks"}});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->mysql.tls, TlsChoice::kVerifyIdentity);
  EXPECT_EQ(config->mysql.tls_ca, "/etc/outboxd/shop-outbox-ca.pem");
}

}  // namespace
}  // namespace outboxd
