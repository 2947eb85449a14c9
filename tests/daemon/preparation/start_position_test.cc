#include "daemon/preparation/start_position.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using testing::HasSubstr;

// What asks a server is in tests/daemon/server/start_position_test.cc.

TEST(NoStartErrorTest, NamesEachChoice) {
  const Error error = NoStartError();
  EXPECT_EQ(error.kind, ExitCode::kNoStart);
  for (const char* choice :
       {"start = table", "'earliest'", "'now'", "'gtid:SET'", "'file:NAME:OFFSET'"}) {
    EXPECT_THAT(error.ToText(), HasSubstr(choice));
  }
}

StartChoice Start(StartChoice::Kind kind) {
  StartChoice start;
  start.kind = kind;
  return start;
}

TEST(BeginsWithTablesTest, WithoutCheckpointTheStartDecides) {
  using Kind = StartChoice::Kind;
  EXPECT_TRUE(BeginsWithTables(Start(Kind::kTable), std::nullopt));
  for (const Kind kind : {Kind::kNone, Kind::kEarliest, Kind::kNow, Kind::kGtid, Kind::kFile}) {
    EXPECT_FALSE(BeginsWithTables(Start(kind), std::nullopt));
  }
}

TEST(BeginsWithTablesTest, WithACheckpointTheReadThatIsUnderWayDecides) {
  Checkpoint checkpoint;
  EXPECT_FALSE(BeginsWithTables(Start(StartChoice::Kind::kTable), checkpoint));
  checkpoint.read.emplace();
  EXPECT_TRUE(BeginsWithTables(Start(StartChoice::Kind::kNow), checkpoint));
}

}  // namespace
}  // namespace outboxd
