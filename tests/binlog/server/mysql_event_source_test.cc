#include "binlog/mysql_event_source.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/binlog/server/server_fixture.h"

namespace outboxd::binlog {
namespace {

constexpr std::string_view kFormer = "22222222-2222-2222-2222-222222222222";

// A server that took over from another one, of which it has the transactions 1 and 2.
class EventSourceServerTest : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    for (int number = 1; number <= 2; ++number) {
      Run(fmt::format("SET gtid_next = '{}:{}'", kFormer, number));
      Run("BEGIN");
      Run("COMMIT");
    }
    Run("SET gtid_next = AUTOMATIC");
    from_.gtids = GtidSet::Parse(*Run("SELECT @@global.gtid_executed").at(0).at(0)).value();
    known_.server_uuid = kFormer;
  }

  static Gtid OfFormer(std::uint64_t number) { return {{ParseUuid(kFormer).value(), ""}, number}; }
  static MysqlEventSourceOptions Options() {
    return {.hosts = {ServerOptions()},
            .server_id = 77,
            .replica_uuid = "77777777-7777-7777-7777-777777777777",
            .lag_timeout = std::chrono::milliseconds(0)};
  }
  Result<StreamIdentity> Open() {
    MysqlEventSource source(Options());
    auto stream = source.Open(from_, known_);
    if (!stream) stream = source.Open(from_, known_);  // The first time it is waited for.
    return stream;
  }

  Position from_;
  KnownHistory known_;
};

TEST_F(EventSourceServerTest, ATransactionThatWasReadInPartAndIsNotThereIsLost) {
  known_.begun = OfFormer(3);
  const auto stream = Open();
  ASSERT_TRUE(stream) << stream.error().message;
  EXPECT_EQ(stream->lost.ToText(), fmt::format("{}:3", kFormer));
}

TEST_F(EventSourceServerTest, ATransactionThatWasReadInPartAndIsThereIsNot) {
  GtidSet last;
  last.Add(OfFormer(2));
  from_.gtids = from_.gtids.Minus(last);
  known_.begun = OfFormer(2);
  const auto stream = Open();
  ASSERT_TRUE(stream) << stream.error().message;
  EXPECT_EQ(stream->lost.ToText(), "");
}

// As `position set` does with what a person typed.
TEST_F(EventSourceServerTest, APositionThatNamesWhatTheServerNeverHadGetsItsVerdictAtOnce) {
  from_.gtids = GtidSet::Parse("33333333-3333-3333-3333-333333333333:1-9").value();
  known_.server_uuid = stream_.server_uuid;
  MysqlEventSourceOptions options = Options();
  options.lag_timeout = std::chrono::hours(1);
  options.asks_once = true;
  const auto stream = MysqlEventSource(std::move(options)).Open(from_, known_);
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().kind, ErrorKind::kDiverged);
  EXPECT_THAT(stream.error().ToText(),
              testing::HasSubstr("does not have the transactions"
                                 " 33333333-3333-3333-3333-333333333333:1-9 that the position names"
                                 " HINT: see which it has with SELECT @@global.gtid_executed"));
}

// As `check` does: only time tells the two apart.
TEST_F(EventSourceServerTest, WhoeverAsksOnceIsNotToldThatWhatMayComeIsLost) {
  known_.last_gtid = known_.begun = OfFormer(3);
  MysqlEventSourceOptions options = Options();
  options.asks_once = true;
  const auto stream = MysqlEventSource(std::move(options)).Open(from_, known_);
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().kind, ErrorKind::kDisconnected);
  EXPECT_THAT(stream.error().message, testing::HasSubstr("it lags, or a failover lost them"));
}

}  // namespace
}  // namespace outboxd::binlog
