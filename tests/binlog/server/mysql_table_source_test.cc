#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "binlog/mysql_event_source.h"
#include "tests/binlog/server/server_fixture.h"

namespace outboxd::binlog {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

class TableSourceTest : public ServerTest {
 protected:
  Result<std::optional<Chunk>> Read(const TableToRead& table,
                                    const std::vector<std::string>& columns,
                                    std::size_t bytes_max = 1'000'000, bool locks = false) {
    return source_.Read({.table = table,
                         .columns = columns,
                         .rows_max = 1000,
                         .bytes_max = bytes_max,
                         .waits_for_commits = locks});
  }

  // The index that a table of these parts is read by.
  std::string IndexOf(const std::string& definition) {
    Run("DROP TABLE IF EXISTS t");
    Run("CREATE TABLE t (" + definition + ")");
    return Describe("t").key.index;
  }
};

TEST_F(TableSourceTest, ReadsByThePrimaryKeyOrAUniqueOneWithoutNull) {
  EXPECT_EQ(IndexOf("a INT PRIMARY KEY, b INT NOT NULL UNIQUE"), "PRIMARY");
  EXPECT_EQ(IndexOf("a INT UNIQUE, b INT NOT NULL, c INT NOT NULL, UNIQUE one (b, c)"), "one");
  EXPECT_EQ(IndexOf("b INT NOT NULL, c INT NOT NULL, UNIQUE one (b, c), UNIQUE two (c)"), "two");
  EXPECT_EQ(IndexOf("a INT, KEY one (a)"), "");
  EXPECT_EQ(IndexOf("a INT UNIQUE"), "");
  EXPECT_EQ(IndexOf("a INT NOT NULL, b INT NOT NULL, c INT NOT NULL, UNIQUE one (a, b),"
                    " UNIQUE two (c) INVISIBLE"),
            "one");
  EXPECT_EQ(IndexOf("a INT NOT NULL, UNIQUE one ((a + 1)), b INT"), "");
  EXPECT_EQ(IndexOf("a VARCHAR(20) NOT NULL, UNIQUE one (a(5))"), "");
  EXPECT_EQ(IndexOf("a INT NOT NULL, UNIQUE one (a) USING HASH) ENGINE=MEMORY -- "), "");
  EXPECT_EQ(IndexOf("a CHAR(5) COLLATE sjis_japanese_ci NOT NULL UNIQUE"), "");
  EXPECT_EQ(IndexOf("a INT NOT NULL INVISIBLE, b INT, UNIQUE one (a)"), "one");
}

TEST_F(TableSourceTest, ReadsByAGeneratedInvisiblePrimaryKey) {
  Run("SET GLOBAL show_gipk_in_create_table_and_information_schema = OFF");
  ASSERT_TRUE(source_.Open(stream_));
  Run("SET SESSION sql_generate_invisible_primary_key = ON");
  Run("CREATE TABLE t (a INT)");
  Run("INSERT INTO t VALUES (7), (5)");
  const TableToRead table = Describe("t");
  Run("SET GLOBAL show_gipk_in_create_table_and_information_schema = ON");
  EXPECT_THAT(table.key.columns, ElementsAre(KeyColumn{.name = "my_row_id",
                                                       .type = "bigint unsigned",
                                                       .collation = "",
                                                       .is_descending = false}));
  const auto chunk = Read(table, {"a"});
  ASSERT_TRUE(chunk && *chunk);
  ASSERT_EQ((*chunk)->rows.size(), 2U);
  EXPECT_EQ((*chunk)->rows[0].values[0], "7");
  EXPECT_EQ((*chunk)->rows[1].key, KeyValues{"2"});
}

TEST_F(TableSourceTest, DescribesDescendingColumns) {
  Run("CREATE TABLE t (a VARCHAR(9) CHARACTER SET latin1 NOT NULL, b ENUM('x') NOT NULL,"
      " PRIMARY KEY (a DESC, b))");
  EXPECT_THAT(
      Describe("t").key.columns,
      ElementsAre(
          KeyColumn{.name = "a",
                    .type = "varchar(9)",
                    .collation = "latin1_swedish_ci",
                    .is_descending = true},
          KeyColumn{.name = "b", .type = "enum('x')", .collation = "", .is_descending = false}));
}

TEST_F(TableSourceTest, ReadsAllRowsOfATableWithoutKey) {
  Run("CREATE TABLE t (a INT, b JSON)");
  Run("INSERT INTO t VALUES (1, '{\"b\": [1, \"x, y: z\"]}'), (1, NULL), (2, NULL)");
  const auto chunk = Read(Describe("t"), {"b", "a"});
  ASSERT_TRUE(chunk && *chunk);
  EXPECT_TRUE((*chunk)->is_last);
  ASSERT_EQ((*chunk)->rows.size(), 3U);
  EXPECT_EQ((*chunk)->rows[0].values[0], R"({"b":[1,"x, y: z"]})");
  EXPECT_EQ((*chunk)->rows[0].values[1], "1");
  EXPECT_EQ((*chunk)->rows[1].values[0], std::nullopt);
  EXPECT_TRUE((*chunk)->rows[0].key.empty());
  EXPECT_TRUE((*chunk)->rows[0].place.empty());
}

TEST_F(TableSourceTest, BreaksOffAChunkThatIsTooLargeAndGoesOn) {
  Run("CREATE TABLE t (id INT PRIMARY KEY, a LONGTEXT)");
  Run("INSERT INTO t VALUES (1, REPEAT('x', 900000)), (2, REPEAT('y', 200000)), (3, 'z')");
  Run("CREATE TABLE keyless AS SELECT a FROM t");
  const TableToRead table = Describe("t");
  const auto broken = Read(table, {"id", "a"});
  ASSERT_TRUE(broken) << broken.error().message;
  EXPECT_FALSE(*broken);
  const auto keyless = Read(Describe("keyless"), {"a"});
  ASSERT_TRUE(keyless) << keyless.error().message;
  EXPECT_FALSE(*keyless);
  const std::vector<std::string> columns = {"id", "a"};
  const auto one =
      source_.Read({.table = table, .columns = columns, .rows_max = 1, .bytes_max = 1000});
  ASSERT_TRUE(one && *one);
  EXPECT_EQ((*one)->rows.size(), 1U);
  EXPECT_EQ((*one)->bytes, 900001U);
  EXPECT_FALSE((*one)->is_last);
}

// The whole answer would be 100 GB.
TEST_F(TableSourceTest, BreaksOffAnAnswerWithoutReadingTheRestOfIt) {
  for (const ConnectionOptions& options : {ServerOptions(), TcpServerOptions()}) {
    auto connection = MysqlConnection::Connect(options);
    ASSERT_TRUE(connection) << connection.error().message;
    ASSERT_TRUE(connection->Query("SET SESSION cte_max_recursion_depth = 1000000"));
    int rows = 0;
    const auto visited = connection->VisitRows(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
        " SELECT REPEAT('x', 1000000) FROM n",
        [&](std::span<const ColumnValue>) { return ++rows < 3; });
    ASSERT_TRUE(visited) << visited.error().message;
    EXPECT_FALSE(*visited);
    EXPECT_EQ(rows, 3);
    EXPECT_EQ(connection->Query("SELECT 1").error().kind, ErrorKind::kDisconnected);
  }
}

TEST_F(TableSourceTest, TellsThatATableIsNotAsDescribed) {
  Run("CREATE TABLE t (id INT PRIMARY KEY, a INT)");
  const TableToRead table = Describe("t");
  const auto no_column = Read(table, {"id", "b"});
  ASSERT_FALSE(no_column);
  EXPECT_EQ(no_column.error().kind, ErrorKind::kUnsuitable);
  Run("ALTER TABLE t DROP PRIMARY KEY");
  EXPECT_EQ(Read(table, {"id"}).error().kind, ErrorKind::kUnsuitable);
  Run("DROP TABLE t");
  const auto no_table = Read(table, {"id", "a"});
  ASSERT_FALSE(no_table);
  EXPECT_EQ(no_table.error().kind, ErrorKind::kUnsuitable);
  EXPECT_THAT(no_table.error().message, HasSubstr("table_source_test.t"));
  EXPECT_TRUE(source_.EndOfLog());
}

TEST_F(TableSourceTest, FindsNoHighestKeyInAnEmptyTable) {
  Run("CREATE TABLE t (id INT PRIMARY KEY)");
  const auto highest = source_.HighestKey(Describe("t"), true);
  ASSERT_TRUE(highest) << highest.error().message;
  EXPECT_FALSE(*highest);
}

TEST_F(TableSourceTest, LockingReadsWaitForCommits) {
  Run("CREATE TABLE t (id INT PRIMARY KEY)");
  const TableToRead table = Describe("t");
  Run("BEGIN");
  Run("INSERT INTO t VALUES (1)");
  auto committed = Read(table, {"id"});
  ASSERT_TRUE(committed && *committed);
  EXPECT_TRUE((*committed)->rows.empty());
  auto waited = Read(table, {"id"}, 1000, true);
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().kind, ErrorKind::kDisconnected);
  EXPECT_THAT(waited.error().message, HasSubstr("a transaction that is not finished holds a lock"));
  ASSERT_TRUE(source_.Open(stream_));
  auto pending = std::async(std::launch::async, [&] { return Read(table, {"id"}, 1000, true); });
  while (Run("SELECT 1 FROM performance_schema.data_lock_waits").empty()) {
    std::this_thread::yield();
  }
  Run("COMMIT");
  waited = pending.get();
  ASSERT_TRUE(waited && *waited) << (waited ? "" : waited.error().message);
  EXPECT_EQ((*waited)->rows.size(), 1U);
}

TEST_F(TableSourceTest, NamesPreparedXaTransactionsAsTheLogDoes) {
  Run("CREATE TABLE t (id INT PRIMARY KEY)");
  const auto prepare = [&](const char* xid, int id) {
    auto other = MysqlConnection::Connect(ServerOptions());
    ASSERT_TRUE(other);
    for (const std::string& sql :
         {fmt::format("XA START {}", xid),
          fmt::format("INSERT INTO table_source_test.t VALUES ({})", id),
          fmt::format("XA END {}", xid), fmt::format("XA PREPARE {}", xid)}) {
      ASSERT_TRUE(other->Query(sql)) << sql;
    }
  };
  prepare("'a\xC3\xBC'", 1);
  prepare("X'6100FF',X'EF',77", 2);
  const auto names = source_.PreparedXa();
  // The sessions that prepared them may not be gone yet.
  for (const char* xid : {"'a\xC3\xBC'", "X'6100FF',X'EF',77"}) {
    while (!session_->Query(fmt::format("XA ROLLBACK {}", xid))) std::this_thread::yield();
  }
  ASSERT_TRUE(names && *names);
  EXPECT_THAT(**names, ElementsAre("X'6100FF',X'EF',77", "X'61C3BC',X'',1"));
  Run("FLUSH BINARY LOGS");
  bool is_logged = false;
  const auto logs = Run("SHOW BINARY LOGS");
  for (const ResultRow& event :
       Run(fmt::format("SHOW BINLOG EVENTS IN '{}'", *logs.at(logs.size() - 2)[0]))) {
    is_logged = is_logged || event[5]->find("XA ROLLBACK X'6100ff',X'ef',77") != std::string::npos;
  }
  EXPECT_TRUE(is_logged);
}

TEST_F(TableSourceTest, DoesWithoutXaNamesAndLocksByTheSelectPrivilegeAlone) {
  Run("CREATE TABLE t (id INT PRIMARY KEY)");
  Run("INSERT INTO t VALUES (1)");
  Run("DROP USER IF EXISTS table_source_reader");
  Run("CREATE USER table_source_reader");
  Run("GRANT SELECT ON table_source_test.* TO table_source_reader");
  ConnectionOptions options = ServerOptions();
  options.log_in.user = "table_source_reader";
  options.log_in.password = {};
  MysqlTableSource source({.hosts = {options}});
  const auto opened = source.Open(stream_);
  ASSERT_TRUE(opened) << opened.error().message;
  const auto names = source.PreparedXa();
  ASSERT_TRUE(names) << names.error().message;
  EXPECT_FALSE(*names);
  auto tables = source.Describe(kSchema, "t");
  ASSERT_TRUE(tables);
  const std::vector<std::string> columns = {"id"};
  const auto chunk = source.Read({.table = tables->at(0),
                                  .columns = columns,
                                  .rows_max = 10,
                                  .bytes_max = 10,
                                  .waits_for_commits = true});
  EXPECT_TRUE(chunk) << chunk.error().message;
  EXPECT_EQ(source.EndOfLog().error().kind, ErrorKind::kDenied);
  Run("DROP USER table_source_reader");
}

TEST_F(TableSourceTest, TellsTheEndOfTheLog) {
  const auto before = source_.EndOfLog();
  ASSERT_TRUE(before) << before.error().message;
  Run("CREATE TABLE t (id INT PRIMARY KEY)");
  const auto behind = source_.EndOfLog();
  ASSERT_TRUE(behind);
  EXPECT_EQ(behind->file, before->file);
  EXPECT_GT(behind->offset, before->offset);
}

TEST_F(TableSourceTest, DoesNotReadAnotherServer) {
  const auto opened = source_.Open({.server_uuid = "another"});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kDisconnected);
  EXPECT_THAT(opened.error().message, HasSubstr("another server answers there now"));
  EXPECT_EQ(source_.EndOfLog().error().kind, ErrorKind::kDisconnected);
}

TEST_F(TableSourceTest, AKilledConnectionIsDisconnected) {
  for (const ResultRow& row :
       Run("SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND command"
           " = 'Sleep'")) {
    Run("KILL " + *row[0]);
  }
  const auto end = source_.EndOfLog();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().kind, ErrorKind::kDisconnected);
  ASSERT_TRUE(source_.Open(stream_));
  EXPECT_TRUE(source_.EndOfLog());
}

TEST_F(TableSourceTest, IsInterruptedWhileItWaitsForALock) {
  Run("CREATE TABLE t (id INT PRIMARY KEY)");
  const TableToRead table = Describe("t");
  MysqlTableSource source({.hosts = {ServerOptions()}, .lock_wait_timeout = seconds(60)});
  ASSERT_TRUE(source.Open(stream_));
  Run("BEGIN");
  Run("INSERT INTO t VALUES (1)");
  const std::vector<std::string> columns = {"id"};
  auto pending = std::async(std::launch::async, [&] {
    return source.Read({.table = table,
                        .columns = columns,
                        .rows_max = 10,
                        .bytes_max = 10,
                        .waits_for_commits = true});
  });
  while (Run("SELECT 1 FROM performance_schema.data_lock_waits").empty()) {
    std::this_thread::yield();
  }
  const auto begun = std::chrono::steady_clock::now();
  source.Interrupt();
  const auto chunk = pending.get();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(1));
  ASSERT_FALSE(chunk);
  EXPECT_EQ(chunk.error().kind, ErrorKind::kInterrupted);
  EXPECT_TRUE(source.Open(stream_));
}

TEST_F(TableSourceTest, AnInterruptMeetsTheNextCall) {
  source_.Interrupt();
  EXPECT_EQ(source_.EndOfLog().error().kind, ErrorKind::kInterrupted);
  ASSERT_TRUE(source_.Open(stream_));
  source_.Interrupt();
  EXPECT_EQ(source_.Open(stream_).error().kind, ErrorKind::kInterrupted);
  EXPECT_TRUE(source_.Open(stream_));
}

// Accepts connections by its backlog and says nothing.
class SilentHost {
 public:
  SilentHost() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_, generic, size), 0);
    ::listen(socket_, 5);
    ::getsockname(socket_, generic, &size);
    port_ = ntohs(address.sin_port);
  }
  ~SilentHost() { ::close(socket_); }
  SilentHost(const SilentHost&) = delete;
  SilentHost& operator=(const SilentHost&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  int socket_;
  std::uint16_t port_ = 0;
};

TEST(SilentHostTest, AConnectIsInterruptedWithinASecond) {
  const SilentHost host;
  ConnectionOptions options;
  options.port = host.port();
  options.connect_timeout = seconds(60);
  MysqlTableSource source({.hosts = {options}});
  auto pending = std::async(std::launch::async, [&] { return source.Open({}); });
  EXPECT_EQ(pending.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  const auto begun = std::chrono::steady_clock::now();
  source.Interrupt();
  const auto opened = pending.get();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(1));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kInterrupted);
}

TEST(SilentHostTest, TheOpeningOfAStreamIsInterruptedWithinASecond) {
  const SilentHost host;
  ConnectionOptions options;
  options.port = host.port();
  options.connect_timeout = seconds(60);
  MysqlEventSourceOptions source_options;
  source_options.hosts = {options, options};
  MysqlEventSource source(source_options);
  auto pending = std::async(std::launch::async, [&] { return source.Open({}, {}); });
  EXPECT_EQ(pending.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  const auto begun = std::chrono::steady_clock::now();
  source.Interrupt();
  const auto opened = pending.get();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(1));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kInterrupted);
}

TEST_F(TableSourceTest, TheStreamTellsWhichHostItComesFrom) {
  ConnectionOptions nobody;
  nobody.socket = "/nonexistent";
  MysqlEventSourceOptions options;
  options.hosts = {nobody, ServerOptions()};
  options.server_id = 4'000'000;
  options.replica_uuid = "11111111-2222-3333-4444-555555555555";
  MysqlEventSource stream(options);
  const auto opened = stream.Open({}, {});
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->host, 1U);
  MysqlTableSource source({.hosts = options.hosts});
  EXPECT_TRUE(source.Open(*opened));
}

}  // namespace
}  // namespace outboxd::binlog
