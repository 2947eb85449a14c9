#include "daemon/relay/failover_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::string_view kUuid = "11111111-1111-1111-1111-111111111111";

class FailoverWatchTest : public testing::Test {
 protected:
  using OnLostTransactions = DeliveryConfig::OnLostTransactions;

  static std::string Line(std::uint64_t number, int events) {
    JournalLine line;
    for (int i = 1; i <= events; ++i) line.Add("shop", "outbox", fmt::format("e{}-{}", number, i));
    return line.Text({{binlog::ParseUuid(kUuid).value(), ""}, number}, number * 1'000'000);
  }
  Result<binlog::GtidSet> Lose(const std::string& numbers, const Journal* journal,
                               OnLostTransactions on_lost = OnLostTransactions::kContinue,
                               AlarmLog* alarms = nullptr) {
    const auto lost = binlog::GtidSet::Parse(fmt::format("{}:{}", kUuid, numbers));
    FailoverWatch watch(on_lost, {journal, alarms == nullptr ? &alarms_ : alarms},
                        directory_.path());
    return watch.OnLost(lost.value(), {kUuid, "other"}, "");
  }
  std::string AlarmText() {
    const auto standing = alarms_.Standing().value();
    return standing.size() == 1 ? standing[0].text : "not one alarm";
  }

  TemporaryDirectory directory_;
  Journal journal_{directory_.path(), 1u << 20};
  AlarmLog alarms_{directory_.path()};
};

TEST_F(FailoverWatchTest, NamesTransactionsAndEventsOnceUntilTheAlarmIsAcknowledged) {
  ASSERT_TRUE(journal_.Append(Line(1, 1) + Line(2, 2)));
  ASSERT_TRUE(Lose("2-3", &journal_));
  ASSERT_TRUE(Lose("2-3", &journal_));
  EXPECT_EQ(AlarmText(),
            fmt::format("the failover from server {0} to server other lost 2 transactions that were"
                        " already read: {0}:2-3; 2 events were published of them: shop.outbox id"
                        " e2-1, id e2-2; the ids stand in {1}/lost.jsonl",
                        kUuid, directory_.path()));
  EXPECT_EQ(directory_.Read("lost.jsonl"),
            fmt::format("{{\"gtid\":\"{0}:2\",\"table\":\"shop.outbox\",\"id\":\"e2-1\","
                        "\"commit_us\":2000000}}\n"
                        "{{\"gtid\":\"{0}:2\",\"table\":\"shop.outbox\",\"id\":\"e2-2\","
                        "\"commit_us\":2000000}}\n",
                        kUuid));
}

TEST_F(FailoverWatchTest, StopsWhereThatIsConfiguredWithTheSameText) {
  ASSERT_TRUE(journal_.Append(Line(1, 1)));
  const auto ended = Lose("1", &journal_, OnLostTransactions::kStop);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ExitCode::kDiverged);
  EXPECT_THAT(ended.error().ToText(),
              AllOf(HasSubstr(AlarmText()), HasSubstr("on-lost-transactions = continue")));
}

TEST_F(FailoverWatchTest, TransactionsWithoutEventsAreAnAlarmToo) {
  ASSERT_TRUE(journal_.Append(Line(1, 1)));
  ASSERT_TRUE(Lose("2", &journal_));
  EXPECT_THAT(AlarmText(), HasSubstr("no event was published of them"));
  EXPECT_EQ(directory_.Read("lost.jsonl"), "");
}

TEST_F(FailoverWatchTest, TellsWhatIsToBeDecidedOnceMore) {
  const binlog::GtidOrigin origin{binlog::ParseUuid(kUuid).value(), ""};
  ASSERT_TRUE(journal_.Append(JournalLine().Text({origin, 7}, 1, binlog::Gtid{origin, 3}) +
                              JournalLine().Text({origin, 8}, 1, binlog::Gtid{origin, 6})));
  EXPECT_EQ(Lose("6-8", &journal_).value().ToText(), fmt::format("{}:3", kUuid));
}

TEST_F(FailoverWatchTest, OfManyEventsTheTextNamesSomeAndTheFileAll) {
  ASSERT_TRUE(journal_.Append(Line(1, 500)));
  ASSERT_TRUE(Lose("1", &journal_));
  EXPECT_THAT(AlarmText(), AllOf(HasSubstr("500 events"), HasSubstr("e1-20, and 480 more")));
  EXPECT_THAT(directory_.Read("lost.jsonl"), HasSubstr("\"e1-500\""));
}

TEST_F(FailoverWatchTest, SaysWhenTheJournalDoesNotReachBack) {
  ASSERT_TRUE(Lose("1", nullptr));
  EXPECT_THAT(AlarmText(), HasSubstr("the journal does not reach back so far"));
}

TEST_F(FailoverWatchTest, SaysWhenTheJournalBeginsWithinWhatWasLost) {
  directory_.Write("journal.old", Line(5, 1));
  ASSERT_TRUE(Lose("4-5", &journal_));
  EXPECT_THAT(AlarmText(), AllOf(HasSubstr("1 event was"), HasSubstr("earlier ones may be")));
}

TEST_F(FailoverWatchTest, AnAlarmThatCannotBeRecordedEndsTheRun) {
  AlarmLog broken(directory_ / "missing");
  const auto ended = Lose("1", &journal_, OnLostTransactions::kContinue, &broken);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ExitCode::kState);
}

}  // namespace
}  // namespace outboxd
