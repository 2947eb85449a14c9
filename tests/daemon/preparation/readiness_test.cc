#include "daemon/preparation/readiness.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace outboxd {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

// As `check` prints them.
std::vector<std::string> Told(const std::vector<Finding>& findings) {
  static constexpr const char* kLevels[] = {"ok", "warning", "PROBLEM"};
  std::vector<std::string> told;
  for (const Finding& finding : findings) {
    told.push_back(fmt::format("{} {}: {}{}{}", kLevels[static_cast<std::size_t>(finding.level)],
                               finding.subject, finding.found, finding.remedy.empty() ? "" : " -> ",
                               finding.remedy));
  }
  return told;
}

binlog::ServerFacts GoodFacts() {
  binlog::ServerFacts facts;
  facts.version = "9.7.4";
  facts.server_uuid = "11111111-1111-1111-1111-111111111111";
  facts.gtid_mode = "ON";
  facts.log_bin = true;
  facts.binlog_format = "ROW";
  facts.binlog_row_image = "FULL";
  facts.binlog_row_metadata = "FULL";
  facts.sync_binlog = "1";
  facts.innodb_flush_log_at_trx_commit = "1";
  facts.lower_case_table_names = "0";
  facts.log_replica_updates = true;
  return facts;
}

// What is told of a server that is good but for one setting.
std::vector<std::string> ToldWith(std::string binlog::ServerFacts::* setting, const char* value) {
  binlog::ServerFacts facts = GoodFacts();
  facts.*setting = value;
  return Told(CheckServerSettings(facts));
}

EventTables TablesOf(std::vector<std::string> names, const std::vector<std::string>& declared = {},
                     std::string payload = "payload") {
  Config config;
  OutboxConfig outbox;
  outbox.section = "outbox";
  outbox.tables = std::move(names);
  for (const std::string& name : declared) outbox.columns.push_back({.name = name, .kind = {}});
  outbox.payload = std::move(payload);
  config.outboxes.push_back(std::move(outbox));
  return CompileEventTables(config).value();
}

binlog::ColumnFacts Varchar(std::string name, std::uint32_t length) {
  return {.name = std::move(name),
          .type = fmt::format("varchar({})", length),
          .character_set = "utf8mb4",
          .collation = 255,
          .octet_length = 4 * length};
}

// Each column is the only one of its kind.
DescribedTable Described(std::string schema_name = "shop", std::size_t selection = 0) {
  binlog::TableFacts facts;
  facts.schema_name = std::move(schema_name);
  facts.table_name = "outbox";
  facts.engine = "InnoDB";
  facts.engine_is_transactional = true;
  facts.columns = {Varchar("id", 36),
                   Varchar("aggregatetype", 100),
                   Varchar("aggregateid", 64),
                   {.name = "payload", .type = "json"}};
  return {selection, std::move(facts)};
}

const std::string kColumnsFound = "ok shop.outbox: columns id, aggregatetype, aggregateid, payload";

TEST(ServerReadinessTest, AGoodServerHasNothingToMend) {
  const auto findings = CheckServerSettings(GoodFacts());
  EXPECT_THAT(Told(findings),
              ElementsAre("ok server: 9.7.4, 11111111-1111-1111-1111-111111111111",
                          "ok log_bin: ON", "ok binlog_format: ROW", "ok binlog_row_image: FULL",
                          "ok binlog_row_metadata: FULL", "ok gtid_mode: ON",
                          "ok durability: sync_binlog = 1, innodb_flush_log_at_trx_commit = 1"));
  EXPECT_EQ(FirstProblem(findings), nullptr);
}

// Seen through a proxy that greets as MySQL.
TEST(ServerReadinessTest, RefusesMariaDb) {
  binlog::ServerFacts facts;
  facts.version = "10.11.6-MariaDB-log";
  EXPECT_THAT(Told(CheckServerSettings(facts)),
              ElementsAre("PROBLEM server: 10.11.6-MariaDB-log: MariaDB is not supported -> use"
                          " MySQL; docs/compatibility.md names the versions that were tested"));
}

TEST(ServerReadinessTest, WithoutABinaryLogNothingElseMatters) {
  binlog::ServerFacts facts = GoodFacts();
  facts.log_bin = false;
  facts.binlog_format = "MIXED";
  EXPECT_THAT(Told(CheckServerSettings(facts)),
              ElementsAre("ok server: 9.7.4, 11111111-1111-1111-1111-111111111111",
                          "PROBLEM log_bin: OFF: there is no binary log to read -> in my.cnf:"
                          " [mysqld] log_bin = binlog, then restart the server"));
}

TEST(ServerReadinessTest, RefusesAFormatWithoutRows) {
  for (const char* format : {"MIXED", "STATEMENT"}) {
    EXPECT_THAT(ToldWith(&binlog::ServerFacts::binlog_format, format),
                Contains(fmt::format("PROBLEM binlog_format: {}: rows would not be in the log ->"
                                     " SET PERSIST binlog_format = ROW, and reconnect the"
                                     " application",
                                     format)));
  }
}

TEST(ServerReadinessTest, RefusesRowsWithoutAllColumns) {
  for (const char* image : {"MINIMAL", "NOBLOB"}) {
    EXPECT_THAT(ToldWith(&binlog::ServerFacts::binlog_row_image, image),
                Contains(fmt::format("PROBLEM binlog_row_image: {}: columns can be missing from"
                                     " rows -> SET PERSIST binlog_row_image = FULL, and reconnect"
                                     " the application",
                                     image)));
  }
}

TEST(ServerReadinessTest, WarnsOfALogWithoutNames) {
  const std::string rest =
      ": the log does not name columns -> SET PERSIST binlog_row_metadata = FULL, or declare"
      " 'columns = a,b,c'";
  EXPECT_THAT(ToldWith(&binlog::ServerFacts::binlog_row_metadata, "MINIMAL"),
              Contains("warning binlog_row_metadata: MINIMAL" + rest));
  EXPECT_THAT(ToldWith(&binlog::ServerFacts::binlog_row_metadata, ""),
              Contains("warning binlog_row_metadata: not known to this server" + rest));
}

TEST(ServerReadinessTest, WarnsOfPositionsByFile) {
  for (const char* mode : {"OFF", "OFF_PERMISSIVE", "ON_PERMISSIVE"}) {
    EXPECT_THAT(ToldWith(&binlog::ServerFacts::gtid_mode, mode),
                Contains(fmt::format(
                    "warning gtid_mode: {}: positions are a file and offset, and end with a"
                    " failover -> SET PERSIST enforce_gtid_consistency = ON; then SET PERSIST"
                    " gtid_mode = OFF_PERMISSIVE, ON_PERMISSIVE, ON in turn",
                    mode)));
  }
}

TEST(ServerReadinessTest, WarnsOfAServerThatForgetsCommitsInACrash) {
  const std::pair<const char*, const char*> kSettings[] = {{"0", "1"}, {"1", "2"}, {"100", "0"}};
  for (const auto& [sync_binlog, flush] : kSettings) {
    binlog::ServerFacts facts = GoodFacts();
    facts.sync_binlog = sync_binlog;
    facts.innodb_flush_log_at_trx_commit = flush;
    const auto findings = CheckServerSettings(facts);
    EXPECT_THAT(
        Told(findings),
        Contains(fmt::format("warning durability: sync_binlog = {}, innodb_flush_log_at_trx_commit"
                             " = {}: a crash of the server can take back what was published -> SET"
                             " PERSIST sync_binlog = 1; SET PERSIST innodb_flush_log_at_trx_commit"
                             " = 1",
                             sync_binlog, flush)));
    EXPECT_EQ(FirstProblem(findings), nullptr);
  }
}

TEST(ServerReadinessTest, AReplicaHasToLogWhatComesFromItsSource) {
  binlog::ServerFacts facts = GoodFacts();
  facts.is_replica = true;
  EXPECT_THAT(Told(CheckServerSettings(facts)), Contains("ok log_replica_updates: ON"));
  facts.log_replica_updates = false;
  EXPECT_THAT(Told(CheckServerSettings(facts)),
              Contains("warning log_replica_updates: OFF: the server is a replica, and rows that"
                       " come from its source are not in its log -> in my.cnf: [mysqld]"
                       " log_replica_updates = ON (before 8.0.26 log_slave_updates), then restart"
                       " the server; or read the source"));
}

TEST(ServerReadinessTest, AServerWithoutASourceNeedsNoReplicaUpdates) {
  binlog::ServerFacts facts = GoodFacts();
  facts.log_replica_updates = false;
  EXPECT_EQ(Told(CheckServerSettings(facts)), Told(CheckServerSettings(GoodFacts())));
}

TEST(PrivilegeReadinessTest, NamesEachMissingPrivilegeWithItsGrant) {
  const auto findings = CheckPrivileges(
      {{"REPLICATION SLAVE", "GRANT REPLICATION SLAVE ON *.* TO 'outboxd'@'%'"},
       {"SELECT on shop.outbox", "GRANT SELECT ON `shop`.`outbox` TO 'outboxd'@'%'"}});
  EXPECT_THAT(Told(findings),
              ElementsAre("PROBLEM privileges: REPLICATION SLAVE is missing -> GRANT REPLICATION"
                          " SLAVE ON *.* TO 'outboxd'@'%'",
                          "PROBLEM privileges: SELECT on shop.outbox is missing, or there is no"
                          " such table -> see that outbox.table names it rightly, then GRANT SELECT"
                          " ON"
                          " `shop`.`outbox` TO 'outboxd'@'%'"));
  EXPECT_EQ(FirstProblem(findings)->exit_code, ExitCode::kDenied);
}

TEST(PrivilegeReadinessTest, IsReadyWhenNoneIsMissing) {
  EXPECT_THAT(Told(CheckPrivileges({})),
              ElementsAre("ok privileges: REPLICATION SLAVE, REPLICATION CLIENT, SELECT"));
}

TEST(GroupReadinessTest, NamesWhatIsMissingToSeeAGroup) {
  const auto findings = CheckGroup(binlog::MissingPrivilege{"SELECT on p.m", "GRANT ... p.m"});
  EXPECT_THAT(Told(findings),
              ElementsAre("warning group: SELECT on p.m is missing: after a failover the relay"
                          " holds, for it cannot tell whether a member lags or a transaction is"
                          " lost; and it does not notice when the member that it reads leaves the"
                          " group and stays up, so that nothing new comes -> GRANT ... p.m"));
  EXPECT_THAT(CheckGroup(std::nullopt), IsEmpty());
}

class TableReadinessTest : public testing::Test {
 protected:
  std::vector<std::string> Check(std::string_view row_metadata = "FULL") {
    return Told(
        CheckEventTables(TablesOf({"shop.outbox"}, declared_, payload_), {table_}, row_metadata));
  }
  // What is said of the columns of a log without names.
  std::string Nameless(std::string_view row_metadata) {
    const auto told = Check(row_metadata);
    EXPECT_EQ(told.size(), 3u);
    return told.back();
  }

  std::vector<std::string> declared_;
  std::string payload_ = "payload";
  DescribedTable table_ = Described();
};

TEST_F(TableReadinessTest, AGoodTableHasNothingToMend) {
  EXPECT_THAT(Check(), ElementsAre("ok shop.outbox: engine InnoDB", kColumnsFound));
}

TEST_F(TableReadinessTest, RefusesAnEngineThatCannotRollBack) {
  table_.facts.engine = "MyISAM";
  table_.facts.engine_is_transactional = false;
  EXPECT_THAT(Check(), ElementsAre("PROBLEM shop.outbox: engine MyISAM cannot roll back: rows of a"
                                   " rolled-back transaction would be published -> ALTER TABLE"
                                   " `shop`.`outbox` ENGINE = InnoDB",
                                   kColumnsFound));
}

// It keeps no rows, but those of a rolled-back transaction do not reach the log either.
TEST_F(TableReadinessTest, TakesBlackhole) {
  table_.facts.engine = "BLACKHOLE";
  table_.facts.engine_is_transactional = false;
  EXPECT_THAT(Check(), ElementsAre("ok shop.outbox: engine BLACKHOLE", kColumnsFound));
}

TEST_F(TableReadinessTest, NamesTheColumnsThatAreMissing) {
  table_.facts.columns.erase(table_.facts.columns.begin() + 1, table_.facts.columns.begin() + 3);
  EXPECT_THAT(Check(), Contains("PROBLEM shop.outbox: no column 'aggregatetype', 'aggregateid'; it"
                                " has id, payload -> name the table's own columns in [outbox]: id,"
                                " key, payload, topic, header"));
}

TEST_F(TableReadinessTest, ColumnsOfALogWithoutNamesAreToldByTheirTypes) {
  const std::string told =
      "ok shop.outbox: columns are told by their types, each of which occurs once";
  EXPECT_EQ(Nameless("MINIMAL"), told);
  EXPECT_EQ(Nameless(""), told);
}

TEST_F(TableReadinessTest, ColumnsThatLookAlikeInALogWithoutNamesAreRefused) {
  table_.facts.columns[2] = Varchar("aggregateid", 100);
  const std::string told =
      "PROBLEM shop.outbox: the log does not name columns, and 'aggregatetype' and 'aggregateid'"
      " look alike in it -> SET PERSIST binlog_row_metadata = FULL, or in [outbox]: columns ="
      " id,aggregatetype,aggregateid,payload";
  EXPECT_EQ(Nameless("MINIMAL"), told);
  EXPECT_EQ(Nameless(""), told);
}

TEST_F(TableReadinessTest, OfAWholeRowEveryColumnIsReadAndHasToBeTold) {
  payload_ = "@row";
  table_.facts.columns.push_back(Varchar("note", 10));
  EXPECT_THAT(Check(), Contains(kColumnsFound + ", note"));
  EXPECT_THAT(Nameless("MINIMAL"), testing::StartsWith("ok "));
  table_.facts.columns.push_back(Varchar("other", 10));
  EXPECT_THAT(Nameless("MINIMAL"), testing::HasSubstr("'note' and 'other' look alike"));
}

// MySQL 5.7 logs neither signs nor collations.
TEST_F(TableReadinessTest, OnlyALogWithMetadataTellsColumnsByTheirCollation) {
  table_.facts.columns[2] = Varchar("aggregateid", 100);
  table_.facts.columns[2].collation = 46;
  EXPECT_THAT(Nameless("MINIMAL"), testing::StartsWith("ok "));
  EXPECT_THAT(Nameless(""), testing::StartsWith("PROBLEM "));
}

TEST_F(TableReadinessTest, TakesColumnsThatAreDeclaredAsTheTableHasThem) {
  declared_ = {"id", "aggregatetype", "aggregateid", "payload"};
  table_.facts.columns[2] = Varchar("aggregateid", 100);
  for (const char* metadata : {"MINIMAL", ""}) {
    EXPECT_EQ(Nameless(metadata), "ok shop.outbox: columns are declared as the table has them");
  }
}

TEST_F(TableReadinessTest, RefusesColumnsThatAreDeclaredInAnotherOrder) {
  declared_ = {"id", "aggregateid", "aggregatetype", "payload"};
  EXPECT_EQ(Nameless("MINIMAL"),
            "PROBLEM shop.outbox: 'columns' differs from the table as it is now -> in [outbox]:"
            " columns = id,aggregatetype,aggregateid,payload");
}

TEST_F(TableReadinessTest, WarnsOfColumnsDeclaredForOlderRows) {
  declared_ = {"id", "aggregatetype", "aggregateid", "payload"};
  table_.facts.columns.push_back({.name = "more", .type = "int"});
  EXPECT_EQ(Nameless("MINIMAL"),
            "warning shop.outbox: 'columns' differs from the table as it is now: rows of now will"
            " not do -> once the older rows are read, in [outbox]: columns ="
            " id,aggregatetype,aggregateid,payload,more");
}

TEST_F(TableReadinessTest, RefusesATableThatIsNotThere) {
  EXPECT_THAT(Told(CheckEventTables(TablesOf({"shop.outbox"}), {}, "FULL")),
              ElementsAre("PROBLEM shop.outbox: there is no such table, or the account cannot see"
                          " it -> create it ('outboxd init --table shop.outbox' prints the SQL),"
                          " or mend outbox.table"));
}

TEST_F(TableReadinessTest, WarnsOfAPatternThatNoTableFits) {
  EXPECT_THAT(Told(CheckEventTables(TablesOf({"shop.outbox", "tenant_*.outbox", "shop.events?"}),
                                    {table_}, "FULL")),
              ElementsAre("ok shop.outbox: engine InnoDB", kColumnsFound,
                          "warning tenant_*.outbox: no table fits this pattern yet",
                          "warning shop.events?: no table fits this pattern yet"));
}

class LogFilterReadinessTest : public testing::Test {
 protected:
  std::vector<std::string> Check(std::string name, const std::vector<DescribedTable>& found = {}) {
    return Told(CheckLogFilters(facts_, TablesOf({std::move(name)}), found));
  }

  binlog::ServerFacts facts_ = GoodFacts();
};

TEST_F(LogFilterReadinessTest, WithoutFiltersThereIsNothingToTell) {
  EXPECT_THAT(Check("shop.outbox", {Described()}), IsEmpty());
}

TEST_F(LogFilterReadinessTest, RefusesASchemaThatDoDbDoesNotName) {
  facts_.binlog_do_db = {"accounts", "stock"};
  EXPECT_THAT(Check("shop.outbox", {Described()}),
              ElementsAre("PROBLEM binlog_do_db: accounts,stock: rows of shop.outbox are not in the"
                          " log -> in my.cnf: [mysqld] further binlog_do_db = shop, then restart"
                          " the server"));
  facts_.binlog_do_db.push_back("shop");
  EXPECT_THAT(Check("shop.outbox", {Described()}),
              ElementsAre("ok binlog_do_db: shop.outbox is logged"));
}

TEST_F(LogFilterReadinessTest, RefusesASchemaThatIgnoreDbNames) {
  facts_.binlog_ignore_db = {"accounts", "shop"};
  EXPECT_THAT(Check("shop.outbox", {Described()}),
              ElementsAre("PROBLEM binlog_ignore_db: accounts,shop: rows of shop.outbox are not in"
                          " the log -> in my.cnf: [mysqld] no binlog_ignore_db = shop, then restart"
                          " the server"));
  facts_.binlog_ignore_db.pop_back();
  EXPECT_THAT(Check("shop.outbox", {Described()}),
              ElementsAre("ok binlog_ignore_db: shop.outbox is logged"));
}

TEST_F(LogFilterReadinessTest, TheServerDoesNotLookAtIgnoreDbBesideDoDb) {
  facts_.binlog_do_db = {"shop"};
  facts_.binlog_ignore_db = {"shop"};
  EXPECT_THAT(Check("shop.outbox"), ElementsAre("ok binlog_do_db: shop.outbox is logged"));
}

TEST_F(LogFilterReadinessTest, SchemasDifferByCaseAsOnTheServer) {
  facts_.binlog_do_db = {"Shop"};
  EXPECT_THAT(Check("shop.outbox"), Contains(testing::StartsWith("PROBLEM ")));
  for (const char* setting : {"1", "2"}) {
    facts_.lower_case_table_names = setting;
    EXPECT_THAT(Check("shop.outbox"), ElementsAre("ok binlog_do_db: shop.outbox is logged"));
  }
}

TEST_F(LogFilterReadinessTest, WarnsOfSchemasThatAPatternMayMean) {
  facts_.binlog_do_db = {"tenant_1"};
  EXPECT_THAT(Check("tenant_*.outbox", {Described("tenant_1")}),
              ElementsAre("ok binlog_do_db: tenant_1.outbox is logged",
                          "warning binlog_do_db: tenant_1: rows of tenant_*.outbox in other schemas"
                          " would not be in the log -> in my.cnf: [mysqld] a binlog_do_db for each"
                          " schema of event tables, or none"));
  facts_.binlog_do_db.clear();
  facts_.binlog_ignore_db = {"stock", "tenant_2"};
  EXPECT_THAT(Check("tenant_*.outbox", {Described("tenant_1")}),
              ElementsAre("ok binlog_ignore_db: tenant_1.outbox is logged",
                          "warning binlog_ignore_db: tenant_2: rows of tenant_*.outbox in it would"
                          " not be in the log -> in my.cnf: [mysqld] no binlog_ignore_db ="
                          " tenant_2, then restart the server"));
}

TEST_F(LogFilterReadinessTest, APatternThatFitsNoIgnoredSchemaIsLogged) {
  facts_.binlog_ignore_db = {"stock"};
  EXPECT_THAT(Check("tenant_*.outbox"), IsEmpty());
}

TEST_F(LogFilterReadinessTest, RefusesATableOfAPatternWhoseSchemaIsLeftOut) {
  facts_.binlog_do_db = {"tenant_1"};
  EXPECT_THAT(Check("tenant_*.outbox", {Described("tenant_1"), Described("tenant_2")}),
              Contains("PROBLEM binlog_do_db: tenant_1: rows of tenant_2.outbox are not in the log"
                       " -> in my.cnf: [mysqld] further binlog_do_db = tenant_2, then restart the"
                       " server"));
}

TEST_F(LogFilterReadinessTest, LooksAtEachTableOfItsOwnSelectionOnly) {
  facts_.binlog_ignore_db = {"stock"};
  EXPECT_THAT(Told(CheckLogFilters(facts_, TablesOf({"shop.outbox", "tenant_?.outbox"}),
                                   {Described("shop", 0), Described("tenant_1", 1)})),
              ElementsAre("ok binlog_ignore_db: shop.outbox is logged",
                          "ok binlog_ignore_db: tenant_1.outbox is logged"));
}

class TableReadReadinessTest : public testing::Test {
 protected:
  std::vector<Finding> Check() { return CheckTableRead(facts_, server_, delivery_); }
  void HasCascade() {
    facts_.cascades = {{.schema_name = "shop",
                        .table_name = "outbox",
                        .name = "fk_1",
                        .rules = "ON DELETE CASCADE",
                        .parent = "shop.orders"}};
  }

  TableReadFacts facts_;
  binlog::ServerFacts server_ = GoodFacts();
  DeliveryConfig delivery_;
};

TEST_F(TableReadReadinessTest, OrdinaryTablesHaveNothingToMend) {
  facts_.rows = 1'000'000;
  server_.log_expiry = std::chrono::days(30);
  EXPECT_THAT(Check(), IsEmpty());
}

TEST_F(TableReadReadinessTest, RefusesRowsThatGoWithoutTheLog) {
  HasCascade();
  const auto findings = Check();
  EXPECT_THAT(
      Told(findings),
      ElementsAre(
          "PROBLEM shop.outbox: the server does not log the rows that foreign key fk_1 (ON"
          " DELETE CASCADE) to shop.orders deletes or changes: while the table is read they"
          " can be missed, or published as they were later -> ALTER TABLE `shop`.`outbox`"
          " DROP FOREIGN KEY `fk_1`; or MySQL 9.6 or later with innodb_native_foreign_keys ="
          " OFF; or leave the rows of shop.orders alone during the read, and in [delivery]:"
          " unlogged-deletes = accept"));
  EXPECT_EQ(FirstProblem(findings)->exit_code, ExitCode::kConfiguration);
}

TEST_F(TableReadReadinessTest, UnloggedDeletesMayBeAccepted) {
  HasCascade();
  delivery_.unlogged_deletes = DeliveryConfig::UnloggedDeletes::kAccept;
  EXPECT_THAT(Told(Check()),
              ElementsAre("warning shop.outbox: the server does not log the rows that foreign key"
                          " fk_1 (ON DELETE CASCADE) to shop.orders deletes or changes: while the"
                          " table is read they can be missed, or published as they were later ->"
                          " leave the rows of shop.orders alone during the read"));
}

TEST_F(TableReadReadinessTest, CascadesThatAreLoggedAreFine) {
  HasCascade();
  facts_.logs_cascades = true;
  EXPECT_THAT(Check(), IsEmpty());
  server_.is_replica = true;
  EXPECT_THAT(Told(Check()),
              ElementsAre(testing::AllOf(testing::StartsWith("warning shop.outbox: the rows that"),
                                         testing::HasSubstr("only if that server logs them"))));
}

TEST_F(TableReadReadinessTest, WarnsWhereXaTransactionsCannotBeAskedFor) {
  facts_.missing_xa_privilege = {"XA_RECOVER_ADMIN",
                                 "GRANT XA_RECOVER_ADMIN ON *.* TO 'outboxd'@'%'"};
  EXPECT_THAT(Told(Check()),
              ElementsAre("warning privileges: XA_RECOVER_ADMIN is missing: rows of XA transactions"
                          " that were prepared before the start may be missed, for the relay cannot"
                          " ask for them -> GRANT XA_RECOVER_ADMIN ON *.* TO 'outboxd'@'%'"));
}

TEST_F(TableReadReadinessTest, WarnsOfAReadThatMayOutlastTheLog) {
  facts_.rows = 10'000'000;  // 2000 s.
  server_.log_expiry = std::chrono::seconds(3600);
  EXPECT_THAT(
      Told(Check()),
      ElementsAre("warning binlog_expire_logs_seconds: 3600: the event tables have about"
                  " 10000000 rows, and to read them takes 2000 s if it goes at 5000 a second:"
                  " the log of its beginning may be purged before its end -> SET PERSIST"
                  " binlog_expire_logs_seconds = 8000, or delete rows that need not be"
                  " published"));
  server_.log_expiry = std::chrono::seconds(4000);
  EXPECT_THAT(Check(), IsEmpty());
  delivery_.max_rate = 1000;
  EXPECT_THAT(Told(Check()), ElementsAre(testing::HasSubstr("takes 10000 s if it goes at 1000 a")));
  server_.log_expiry = std::chrono::seconds(0);
  EXPECT_THAT(Check(), IsEmpty()) << "the log is kept";
}

TEST(FirstProblemTest, PassesOverWarnings) {
  binlog::ServerFacts facts = GoodFacts();
  facts.gtid_mode = "OFF";
  facts.binlog_row_image = "MINIMAL";
  facts.binlog_row_metadata = "MINIMAL";
  const auto findings = CheckServerSettings(facts);
  ASSERT_NE(FirstProblem(findings), nullptr);
  EXPECT_EQ(FirstProblem(findings)->subject, "binlog_row_image");
  EXPECT_EQ(FirstProblem(findings)->exit_code, ExitCode::kConfiguration);
  EXPECT_EQ(FirstProblem({}), nullptr);
}

class IdentityTest : public testing::Test {
 protected:
  static DescribedTable Counted(std::string schema_name, std::string engine = "InnoDB") {
    DescribedTable described = Described(std::move(schema_name));
    described.facts.engine = std::move(engine);
    described.facts.columns[0] = {.name = "ID", .type = "bigint", .is_auto_increment = true};
    return described;
  }
  static std::vector<std::string> Identity(const std::vector<DescribedTable>& found,
                                           std::string_view version = "9.7.4") {
    return Told(CheckIdentity(TablesOf({"*.outbox"}), found, version));
  }
};

TEST_F(IdentityTest, OneCounterOrIdsOfTheApplicationAreFine) {
  EXPECT_THAT(Identity({Counted("a")}), IsEmpty());
  EXPECT_THAT(Identity({Described("a"), Described("b")}), IsEmpty());
}

TEST_F(IdentityTest, CountersOfSeveralTablesRepeatEachOther) {
  EXPECT_THAT(Identity({Counted("a"), Described("b"), Counted("c")}),
              ElementsAre("warning ids: AUTO_INCREMENT counts for each table: ids of a.outbox,"
                          " c.outbox are alike -> consumers dedupe by the header outboxd.table and"
                          " id, or let the application give the id, a UUID for example"));
}

TEST_F(IdentityTest, ABlackholeTableDoesNotCount) {
  EXPECT_THAT(Identity({Counted("a", "BLACKHOLE")}),
              ElementsAre(testing::HasSubstr("every row of a BLACKHOLE table has the same")));
}

TEST_F(IdentityTest, BeforeMysql8ARestartCountsFromTheLastRowLeft) {
  EXPECT_THAT(Identity({Counted("a")}, "5.7.44-log"),
              ElementsAre(testing::HasSubstr("before MySQL 8.0 a restart gives AUTO_INCREMENT")));
}

}  // namespace
}  // namespace outboxd
