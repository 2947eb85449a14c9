#include "tests/sim/simulated_tables.h"

#include <gtest/gtest.h>

#include "tests/daemon/fakes.h"
#include "tests/sim/log_interpreter.h"
#include "tests/sim/simulated_world.h"

namespace outboxd::sim {
namespace {

using binlog::ErrorKind;

constexpr Scenario kScenario = {
    .has_xa = true,
    .has_torn_files = true,
    .reads_tables = true,
    .row_changes = {.deletes = true, .moves = true, .updates = true, .replaces = true},
    .has_table_ddl = true,
    .transactions_max = 40};

void Replay(const LogInterpreter& log, LogInterpreter::Outcome outcome, EventTable& table) {
  if (outcome == LogInterpreter::Outcome::kTruncation) table.rows.clear();
  if (outcome != LogInterpreter::Outcome::kTransaction) return;
  for (const LoggedChange& change : log.changes()) {
    if (change.before) {
      const auto row = table.rows.extract(change.before->seq);
      ASSERT_FALSE(row.empty());
      EXPECT_EQ(row.mapped(), (EventTable::Row{change.before->event, change.before->version}));
    }
    if (!change.after) continue;
    const EventTable::Row row{change.after->event, change.after->version};
    EXPECT_TRUE(table.rows.try_emplace(change.after->seq, row).second);
  }
}

// What the log of the server says about the table, from its begin on.
EventTable TableOfLog(SimulatedWorld& world, Faults& faults) {
  const FakeClock clock;
  SimulatedSource source(world.source(), faults, clock);
  binlog::Position begin;
  if (!world.source().gtid_mode_is_on) begin = {{}, "binlog.000001", 4};
  binlog::KnownHistory known;
  known.server_uuid = world.source().server->uuid();
  const auto stream = source.Open(begin, known);
  EXPECT_TRUE(stream);
  LogInterpreter log(stream->has_checksums);
  EventTable table;
  for (auto outcome = LogInterpreter::Outcome::kNothing;
       outcome != LogInterpreter::Outcome::kHeartbeat; outcome = log.Feed(source.Next().value())) {
    Replay(log, outcome, table);
  }
  return table;
}

TEST(SimulatedWorldTest, LogAndTableAreTheSameWhenAllIsCommitted) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    Faults faults(seed, false);
    const FakeClock clock;
    SimulatedWorld world(kScenario, faults, clock);
    for (int i = 0; i < 3; ++i) world.FillTable();
    const CommitStages& stages = world.source().server->stages();
    EXPECT_EQ(TableOfLog(world, faults).rows, stages.at_end().rows);
    world.source().server->stages().ExecuteAll();
    EXPECT_EQ(stages.committed(), stages.at_end());
    EXPECT_EQ(stages.executed(), world.source().server->logged_gtids());
  }
}

// One server with rows at the keys 9, 10 and 11.
class SimulatedTablesTest : public ::testing::Test {
 protected:
  SimulatedTablesTest() {
    source_.server = std::make_unique<SimulatedServer>(
        "11111111-1111-1111-1111-111111111111",
        SimulatedServer::Settings{.logs_gtids = false, .commits_in_stages = true}, history_);
    for (const std::uint64_t seq : {10U, 9U, 11U}) Insert(seq);
    source_.server->stages().ExecuteAll();
    EXPECT_TRUE(tables_.Open({.server_uuid = source_.server->uuid()}));
    table_ = tables_.Describe("shop", "out*").value().at(0);
  }

  void Log(Transaction transaction) {
    history_.transactions.push_back(std::move(transaction));
    source_.server->Log(history_.transactions.size() - 1);
  }
  void Insert(std::uint64_t seq) {
    const std::size_t event = history_.events.size();
    history_.events.push_back(
        {.transaction = history_.transactions.size(), .key = 0, .state = Event::State::kCommitted});
    Log({.kind = Transaction::Kind::kInsert,
         .events = {event},
         .changes = {{RowChange::Kind::kInsert, event, seq, seq}}});
  }
  binlog::ChunkRequest Request(const binlog::KeyValues* after = nullptr) {
    binlog::ChunkRequest request{.table = table_, .columns = columns_};
    request.after = after;
    request.rows_max = 10;
    request.bytes_max = 100;
    return request;
  }
  static std::string Keys(const binlog::Chunk& chunk) {
    std::string keys;
    for (const binlog::ChunkRow& row : chunk.rows) keys += row.key.at(0) + " ";
    return keys;
  }

  History history_;
  Source source_;
  Faults faults_{1, false};
  SimulatedTables tables_{source_, history_, faults_};
  binlog::TableToRead table_;
  std::vector<std::string> columns_ = {"id", "payload"};
};

TEST_F(SimulatedTablesTest, ReadsInTheOrderOfNumbers) {
  const binlog::KeyValues nine = {"9"};
  EXPECT_EQ(Keys(**tables_.Read(Request())), "9 10 11 ");
  EXPECT_EQ(Keys(**tables_.Read(Request(&nine))), "10 11 ");
  EXPECT_EQ(tables_.HighestKey(table_, false).value(), binlog::KeyValues{"11"});
  const auto places = tables_.PlacesOf(table_.key, {{"9"}, {"10"}}).value();
  EXPECT_LT(places[0], places[1]);
}

TEST_F(SimulatedTablesTest, ReadsNothingBehindABoundThatIsBehindTheKey) {
  const binlog::KeyValues eleven = {"11"}, nine = {"9"};
  auto request = Request(&eleven);
  request.up_to = &nine;
  const auto chunk = tables_.Read(request).value();
  EXPECT_EQ(Keys(*chunk), "");
  EXPECT_TRUE(chunk->is_last);
}

TEST_F(SimulatedTablesTest, SeesWhatIsCommittedUnlessItWaits) {
  Insert(12);
  EXPECT_EQ(Keys(**tables_.Read(Request())), "9 10 11 ");
  auto request = Request();
  request.waits_for_commits = true;
  EXPECT_EQ(Keys(**tables_.Read(request)), "9 10 11 12 ");
}

TEST_F(SimulatedTablesTest, ListsWhatTheEngineHasPrepared) {
  Log({.kind = Transaction::Kind::kXaPrepare, .xid = "X'61',X'',1"});
  EXPECT_TRUE(tables_.PreparedXa().value()->empty());
  source_.server->stages().CommitNext();
  EXPECT_TRUE(tables_.PreparedXa().value()->contains("X'61',X'',1"));
}

TEST_F(SimulatedTablesTest, BreaksAChunkOffThatIsTooLarge) {
  auto request = Request();
  request.bytes_max = 3;
  EXPECT_EQ(tables_.Read(request).value(), std::nullopt);
  request.rows_max = 1;
  EXPECT_EQ(Keys(**tables_.Read(request)), "9 ");
}

TEST_F(SimulatedTablesTest, DoesNotReadATableThatWasAltered) {
  Log({.kind = Transaction::Kind::kDdl, .ddl = Transaction::Ddl::kAddColumn});
  EXPECT_EQ(tables_.Read(Request()).error().kind, ErrorKind::kUnsuitable);
  table_ = tables_.Describe("shop", "outbox").value().at(0);
  EXPECT_EQ(Keys(**tables_.Read(Request())), "9 10 11 ");
}

TEST_F(SimulatedTablesTest, IsDisconnectedWhereAnotherServerAnswers) {
  source_.server = std::make_unique<SimulatedServer>("22222222-2222-2222-2222-222222222222",
                                                     SimulatedServer::Settings{}, history_);
  EXPECT_EQ(tables_.EndOfLog().error().kind, ErrorKind::kDisconnected);
  EXPECT_EQ(tables_.Open({.server_uuid = "11111111-1111-1111-1111-111111111111"}).error().kind,
            ErrorKind::kDisconnected);
}

}  // namespace
}  // namespace outboxd::sim
