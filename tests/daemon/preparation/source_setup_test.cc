#include "daemon/preparation/source_setup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/daemon/local_ports.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Pair;
using testing::SizeIs;
using testing::StartsWith;

// What asks a server is in tests/daemon/server/source_setup_test.cc.

MysqlConfig At(std::vector<std::string> hosts) {
  MysqlConfig config;
  config.hosts = std::move(hosts);
  return config;
}

TEST(ConnectionOptionsTest, EachHostMayHaveItsOwnPort) {
  MysqlConfig config = At({"db1", "db2:3307", "[::1]:3308"});
  config.port = 4000;
  const auto options = ConnectionOptionsOf(config);
  ASSERT_THAT(options, SizeIs(3));
  EXPECT_EQ(binlog::AddressText(options[0]), "db1:4000");
  EXPECT_EQ(binlog::AddressText(options[1]), "db2:3307");
  EXPECT_EQ(options[2].host, "::1");
  EXPECT_EQ(options[2].port, 3308);
}

TEST(ConnectionOptionsTest, ASocketIsTheOnlyPlace) {
  MysqlConfig config = At({"db1", "db2"});
  config.socket = "/run/mysqld.sock";
  const auto options = ConnectionOptionsOf(config);
  ASSERT_THAT(options, SizeIs(1));
  EXPECT_EQ(binlog::AddressText(options[0]), "/run/mysqld.sock");
}

TEST(ConnectionOptionsTest, ByDefaultTheWayDecidesWhatTlsHasToProve) {
  const auto tls_of = [](const char* host) { return ConnectionOptionsOf(At({host}))[0].tls; };
  for (const char* host : {"localhost", "127.0.0.1", "127.1.2.3", "::1"}) {
    EXPECT_EQ(tls_of(host), binlog::TlsMode::kRequired) << host;
  }
  for (const char* host : {"db1", "10.0.0.1", "localhost.example.com", "fe80::1"}) {
    EXPECT_EQ(tls_of(host), binlog::TlsMode::kVerifyIdentity) << host;
  }
  MysqlConfig by_socket = At({"db1"});
  by_socket.socket = "/run/mysqld.sock";
  EXPECT_EQ(ConnectionOptionsOf(by_socket)[0].tls, binlog::TlsMode::kDisabled);
}

TEST(ConnectionOptionsTest, AChoiceOfTlsCountsEverywhere) {
  MysqlConfig config = At({"127.0.0.1", "db1"});
  for (const auto& [choice, mode] :
       {std::pair(TlsChoice::kDisabled, binlog::TlsMode::kDisabled),
        {TlsChoice::kRequired, binlog::TlsMode::kRequired},
        {TlsChoice::kVerifyCa, binlog::TlsMode::kVerifyCa},
        {TlsChoice::kVerifyIdentity, binlog::TlsMode::kVerifyIdentity}}) {
    config.tls = choice;
    for (const auto& options : ConnectionOptionsOf(config)) EXPECT_EQ(options.tls, mode);
  }
}

TEST(ConnectionOptionsTest, TheAccountIsTheSameEverywhere) {
  MysqlConfig config = At({"db1", "db2"});
  config.user = "relay";
  config.password_file = "/etc/password";
  config.tls_ca = "/etc/ca.pem";
  for (const auto& options : ConnectionOptionsOf(config)) {
    EXPECT_EQ(options.log_in.user, "relay");
    EXPECT_EQ(options.log_in.password.file, "/etc/password");
    EXPECT_EQ(options.log_in.tls_ca, "/etc/ca.pem");
  }
}

ReplicaIdentity IdentityOf(const std::string& name) {
  Config config;
  config.relay.name = name;
  return RelayIdentity(config);
}

// As relays of earlier versions have it: another one would not end their dumps.
TEST(RelayIdentityTest, OfOneNameStaysTheSameForEver) {
  EXPECT_EQ(IdentityOf("shop").server_id, IdentityOf("shop").server_id);
  EXPECT_EQ(IdentityOf("shop").uuid, IdentityOf("shop").uuid);
  EXPECT_NE(IdentityOf("shop").server_id, IdentityOf("stock").server_id);
  EXPECT_NE(IdentityOf("shop").uuid, IdentityOf("stock").uuid);
}

TEST(RelayIdentityTest, StaysAwayFromTheNumbersThatPeopleGive) {
  for (const char* name : {"shop", "stock", "a", "orders-2"}) {
    EXPECT_GE(IdentityOf(name).server_id, 0x40000000U);
    EXPECT_THAT(IdentityOf(name).uuid,
                MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}"
                             "-[0-9a-f]{12}"));
  }
}

TEST(RelayIdentityTest, TheConfiguredServerIdCounts) {
  Config config;
  config.relay.name = "shop";
  config.mysql.server_id = 77;
  EXPECT_EQ(RelayIdentity(config).server_id, 77U);
  EXPECT_EQ(RelayIdentity(config).uuid, IdentityOf("shop").uuid);
}

TEST(RelayIdentityTest, OfACommandThatOnlyLooksIsAnotherOneEachTime) {
  const ReplicaIdentity one = RandomIdentity(), other = RandomIdentity();
  EXPECT_NE(one.uuid, other.uuid);
  EXPECT_NE(one.uuid, IdentityOf("shop").uuid);
}

TEST(SourceOptionsTest, AServerIsDeadAfterThreeHeartbeats) {
  MysqlConfig config = At({"db1", "db2"});
  config.heartbeat = std::chrono::milliseconds(700);
  config.lag_timeout = std::chrono::seconds(9);
  const auto options = SourceOptionsOf(config, {.server_id = 77, .uuid = "u"});
  EXPECT_EQ(options.heartbeat, std::chrono::milliseconds(700));
  EXPECT_EQ(options.read_deadline, std::chrono::milliseconds(2'100));
  EXPECT_EQ(options.first_event_deadline, config.first_event_timeout);
  EXPECT_EQ(options.lag_timeout, std::chrono::seconds(9));
  EXPECT_EQ(options.server_id, 77U);
  EXPECT_EQ(options.replica_uuid, "u");
  EXPECT_THAT(options.hosts, SizeIs(2));
}

TEST(SplitTableNameTest, TheFirstDotParts) {
  EXPECT_THAT(SplitTableName("shop.outbox"), Pair("shop", "outbox"));
  EXPECT_THAT(SplitTableName("shop.out.box"), Pair("shop", "out.box"));
  EXPECT_THAT(SplitTableName("outbox"), Pair("", "outbox"));
}

class EventTablesTest : public testing::Test {
 protected:
  OutboxConfig& Add(std::vector<std::string> tables) {
    OutboxConfig& outbox = config_.outboxes.emplace_back();
    outbox.tables = std::move(tables);
    return outbox;
  }
  std::vector<binlog::TableSelection> Selections() {
    auto tables = CompileEventTables(config_);
    EXPECT_TRUE(tables) << (tables ? "" : tables.error().ToText());
    if (!tables) return {};
    EXPECT_EQ(tables->mappings.size(), tables->selections.size());
    return std::move(tables->selections);
  }

  Config config_;
};

TEST_F(EventTablesTest, EachPatternIsASelectionWithAMapping) {
  Add({"shop.outbox", "shop_*.events"});
  Add({"stock.outbox"});
  EXPECT_THAT(TablePatterns(config_), ElementsAre("shop.outbox", "shop_*.events", "stock.outbox"));
  const auto selections = Selections();
  ASSERT_THAT(selections, SizeIs(3));
  EXPECT_EQ(selections[1].schema_pattern, "shop_*");
  EXPECT_EQ(selections[1].table_pattern, "events");
  EXPECT_EQ(selections[2].schema_pattern, "stock");
}

TEST_F(EventTablesTest, ReadWhatTheirMappingNeeds) {
  OutboxConfig& outbox = Add({"shop.outbox"});
  outbox.key = "customer";
  outbox.columns = {{"id", ""}, {"customer", "unsigned"}};
  outbox.defaults = {{"customer", "7"}};
  const auto selections = Selections();
  ASSERT_THAT(selections, SizeIs(1));
  EXPECT_THAT(selections[0].columns, testing::IsSupersetOf({"id", "customer", "payload"}));
  EXPECT_THAT(selections[0].declared_columns, ElementsAre("id", "customer"));
  EXPECT_THAT(selections[0].declared_kinds, ElementsAre("", "unsigned"));
  EXPECT_THAT(selections[0].declared_defaults, ElementsAre(Pair("customer", "7")));
}

TEST_F(EventTablesTest, UpdatesAreTakenWhereTheyArePublishedOrSelected) {
  Add({"shop.outbox"});
  EXPECT_FALSE(Selections().at(0).takes_updates);
  config_.delivery.on_update = DeliveryConfig::OnUpdate::kPublish;
  EXPECT_TRUE(Selections().at(0).takes_updates);
  config_.delivery.on_update = DeliveryConfig::OnUpdate::kIgnore;
  config_.outboxes[0].update_where = {"state = Done"};
  EXPECT_TRUE(Selections().at(0).takes_updates);
}

TEST_F(EventTablesTest, WithoutAnyTheLineThatIsMissingIsNamed) {
  const auto tables = CompileEventTables(config_);
  ASSERT_FALSE(tables);
  EXPECT_EQ(tables.error().kind, ExitCode::kConfiguration);
  EXPECT_EQ(tables.error().ToText(),
            "no event table is configured HINT: [outbox] with 'table = SCHEMA.TABLE'");
}

TEST_F(EventTablesTest, AWrongMappingIsAWrongConfiguration) {
  Add({"shop.outbox"}).topic = "{";
  const auto tables = CompileEventTables(config_);
  ASSERT_FALSE(tables);
  EXPECT_EQ(tables.error().kind, ExitCode::kConfiguration);
}

class ServerThatIsAwayTest : public testing::Test {
 protected:
  ServerThatIsAwayTest() { config_.port = first_.number(); }

  const ClosedPort first_, second_;
  MysqlConfig config_;
};

TEST_F(ServerThatIsAwayTest, IsNamed) {
  const auto asked = AskServer(config_);
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().kind, binlog::ErrorKind::kDisconnected);
  EXPECT_THAT(asked.error().ToText(),
              StartsWith("mysql at 127.0.0.1:" + std::to_string(first_.number()) + ": "));
}

TEST_F(ServerThatIsAwayTest, OfSeveralEachIsNamed) {
  config_.hosts = {"127.0.0.1", "127.0.0.1:" + std::to_string(second_.number())};
  const auto asked = AskServer(config_);
  ASSERT_FALSE(asked);
  EXPECT_THAT(asked.error().ToText(),
              AllOf(HasSubstr("mysql at 127.0.0.1:" + std::to_string(first_.number())),
                    HasSubstr("mysql at 127.0.0.1:" + std::to_string(second_.number()))));
}

TEST_F(ServerThatIsAwayTest, OfSeveralNoOtherIsAskedBehindAnInterruption) {
  const SilentPort silent;
  config_.port = silent.number();
  config_.hosts = {"127.0.0.1", "127.0.0.1:" + std::to_string(second_.number())};
  binlog::Interrupter interrupter;
  interrupter.Request();
  const auto columns = LookUpSchema(config_, &interrupter)("shop", "outbox");
  ASSERT_FALSE(columns);
  EXPECT_EQ(columns.error().kind, binlog::ErrorKind::kInterrupted);
}

}  // namespace
}  // namespace outboxd
