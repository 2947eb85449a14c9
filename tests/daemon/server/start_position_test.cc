#include "daemon/preparation/start_position.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/preparation/source_setup.h"
#include "daemon/service/clock.h"
#include "tests/daemon/server/event_table.h"

namespace outboxd {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using Kind = StartChoice::Kind;

class StartPositionServerTest : public EventTableTest {
 protected:
  void SetUp() override {
    EventTableTest::SetUp();
    auto asked = AskServer(config_.mysql);
    ASSERT_TRUE(asked) << asked.error().ToText();
    asked_.emplace(std::move(*asked));
  }
  Result<Progress> Resolve(Kind kind, const std::string& gtids = {}) {
    StartChoice start;
    start.kind = kind;
    start.gtids = gtids;
    start.file = "binlog.000001";
    start.offset = 157;
    return ResolveStart(start, asked_->facts, asked_->server);
  }

  std::optional<AskedServer> asked_;
};

TEST_F(StartPositionServerTest, NowIsBehindEverythingThatIsCommitted) {
  Insert("old");
  const auto progress = Resolve(Kind::kNow);
  ASSERT_TRUE(progress) << progress.error().ToText();
  EXPECT_EQ(progress->position.gtids.ToText(), Executed());
  EXPECT_EQ(progress->server_uuid, Value("SELECT @@server_uuid"));
  EXPECT_FALSE(progress->read);
}

TEST_F(StartPositionServerTest, TableIsTheSamePlaceWithARead) {
  const std::uint64_t before = SystemClock().WallMicroseconds();
  const auto progress = Resolve(Kind::kTable);
  ASSERT_TRUE(progress) << progress.error().ToText();
  EXPECT_EQ(progress->position.gtids.ToText(), Executed());
  ASSERT_TRUE(progress->read);
  EXPECT_GE(progress->read->begun_us, before);
}

TEST_F(StartPositionServerTest, EarliestIsBehindWhatWasPurged) {
  Run("FLUSH BINARY LOGS");
  Run(fmt::format("PURGE BINARY LOGS TO '{}'", EndOfLog().first));
  const std::string purged = OneLine(Value("SELECT @@global.gtid_purged"));
  Insert("new");
  const auto progress = Resolve(Kind::kEarliest);
  ASSERT_TRUE(progress) << progress.error().ToText();
  EXPECT_EQ(progress->position.gtids.ToText(), purged);
}

TEST_F(StartPositionServerTest, GivenGtidsAreThePlace) {
  constexpr const char* kSet = "33333333-3333-3333-3333-333333333333:1-9";
  const auto progress = Resolve(Kind::kGtid, kSet);
  ASSERT_TRUE(progress) << progress.error().ToText();
  EXPECT_EQ(progress->position.gtids.ToText(), kSet);
  EXPECT_EQ(progress->position.file, "");
}

TEST_F(StartPositionServerTest, WhatIsNoSetOfGtidsIsAWrongConfiguration) {
  const auto progress = Resolve(Kind::kGtid, "x:1");
  ASSERT_FALSE(progress);
  EXPECT_EQ(progress.error().kind, ExitCode::kConfiguration);
  EXPECT_THAT(progress.error().ToText(), StartsWith("start: "));
}

TEST_F(StartPositionServerTest, GtidsNeedAServerThatReadsByThem) {
  asked_->facts.gtid_mode = "ON_PERMISSIVE";
  const auto progress = Resolve(Kind::kGtid, "33333333-3333-3333-3333-333333333333:1-9");
  ASSERT_FALSE(progress);
  EXPECT_EQ(progress.error().kind, ExitCode::kConfiguration);
  EXPECT_THAT(progress.error().ToText(), HasSubstr("the server has ON_PERMISSIVE HINT: start = f"));
}

TEST_F(StartPositionServerTest, AGivenFileIsThePlaceAsItIs) {
  const auto progress = Resolve(Kind::kFile);
  ASSERT_TRUE(progress) << progress.error().ToText();
  EXPECT_EQ(progress->position.file, "binlog.000001");
  EXPECT_EQ(progress->position.offset, 157U);
  EXPECT_TRUE(progress->position.gtids.empty());
}

TEST_F(StartPositionServerTest, WithoutAChoiceThereIsNone) {
  const auto progress = Resolve(Kind::kNone);
  ASSERT_FALSE(progress);
  EXPECT_EQ(progress.error().ToText(), NoStartError().ToText());
}

}  // namespace
}  // namespace outboxd
