#include "daemon/relay/acknowledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/captured_log.h"
#include "tests/daemon/fakes.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr std::string_view kUuid = "11111111-1111-1111-1111-111111111111";

class FakeStore final : public CheckpointStore {
 public:
  Result<std::optional<Checkpoint>> Load() override { return std::nullopt; }
  Result<void> Settle() override { return {}; }
  Result<void> Store(const Checkpoint& checkpoint) override {
    if (fails) return Fail(ExitCode::kState, "disk full");
    stored.push_back(checkpoint);
    return {};
  }

  std::vector<Checkpoint> stored;
  bool fails = false;
};

class AcknowledgerTest : public ::testing::Test {
 protected:
  AcknowledgerTest() { EXPECT_TRUE(owner_.Open()); }

  // A transaction of one message, sent but not acknowledged.
  void Send(std::uint64_t offset) {
    tracker_.Begin();
    ASSERT_TRUE(sink_.Publish({}, tracker_.NextId()));
    binlog::Transaction transaction;
    transaction.file = "binlog.000001";
    transaction.end_offset = offset;
    transaction.commit_us = offset;
    tracker_.Finish(transaction, false);
  }
  void Pass(milliseconds time) {
    clock_.Move(time);
    acknowledger_.Step(milliseconds(0));
  }

  CapturedLog log_;
  FakeClock clock_;
  FakeSink sink_;
  FakeStore store_;
  TemporaryDirectory directory_;
  Journal journal_{directory_.path(), 1u << 20};
  DeliveryTracker tracker_{Progress{}, true};
  Outages outages_{clock_};
  Liveness liveness_{clock_};
  SinkOwner owner_{sink_, FakeSink::kWords, liveness_, outages_, clock_};
  Acknowledger acknowledger_{owner_,
                             tracker_,
                             &store_,
                             &journal_,
                             outages_,
                             clock_,
                             {"shop", {"b.t", "a.t"}, milliseconds(1000)}};
};

TEST_F(AcknowledgerTest, StoresWhatIsAcknowledgedOnceAnInterval) {
  Send(100);
  Pass(milliseconds(1500));
  EXPECT_TRUE(store_.stored.empty());
  sink_.AcknowledgeAll();
  Pass(milliseconds(10));
  EXPECT_TRUE(store_.stored.empty());
  Pass(milliseconds(1500));
  ASSERT_EQ(store_.stored.size(), 1u);
  EXPECT_EQ(store_.stored[0].position.offset, 100u);
  EXPECT_EQ(store_.stored[0].relay, "shop");
  EXPECT_EQ(store_.stored[0].tables, (std::vector<std::string>{"a.t", "b.t"}));
}

TEST_F(AcknowledgerTest, AProgressThatDoesNotMoveIsNotStoredAgain) {
  Send(100);
  sink_.AcknowledgeAll();
  Pass(milliseconds(1500));
  Pass(milliseconds(1500));
  EXPECT_EQ(store_.stored.size(), 1u);
}

TEST_F(AcknowledgerTest, TriesAgainWhenTheDiskIsFull) {
  store_.fails = true;
  Send(100);
  sink_.AcknowledgeAll();
  Pass(milliseconds(1500));
  store_.fails = false;
  Pass(milliseconds(1500));
  EXPECT_EQ(store_.stored.size(), 1u);
}

TEST_F(AcknowledgerTest, TellsForHowLongNoCheckpointCouldBeStored) {
  store_.fails = true;
  Send(100);
  sink_.AcknowledgeAll();
  for (int i = 0; i < 11; ++i) Pass(milliseconds(1000));
  EXPECT_TRUE(outages_.CheckpointFailsFor(milliseconds(10'000)));
  EXPECT_FALSE(outages_.CheckpointFailsFor(milliseconds(10'001)));
  EXPECT_EQ(outages_.state()->reason, "disk full");
  EXPECT_THAT(log_.text(), HasSubstr("holding: the checkpoint could not be stored for 10000 ms"));
  store_.fails = false;
  Pass(milliseconds(1000));
  EXPECT_FALSE(outages_.CheckpointFailsFor(milliseconds(0)));
  EXPECT_FALSE(outages_.state());
}

TEST_F(AcknowledgerTest, ACheckpointAndItsProgressAreTheSame) {
  Send(100);
  sink_.AcknowledgeAll();
  Pass(milliseconds(1500));
  const Progress progress = MakeProgress(store_.stored.at(0));
  EXPECT_EQ(progress.position, tracker_.progress().position);
}

TEST_F(AcknowledgerTest, WritesTheJournalOfWhatIsDeliveredBeforeTheCheckpoint) {
  const binlog::Gtid gtid{{binlog::ParseUuid(kUuid).value(), ""}, 7};
  tracker_.Begin();
  ASSERT_TRUE(sink_.Publish({}, tracker_.NextId()));
  tracker_.AddEvent("shop", "outbox", "e1");
  binlog::Transaction transaction;
  transaction.gtid = gtid;
  transaction.commit_us = 5;
  tracker_.Finish(transaction, true);
  Pass(milliseconds(1500));
  EXPECT_EQ(directory_.Names().size(), 0u);
  sink_.AcknowledgeAll();
  store_.fails = true;
  Pass(milliseconds(1500));
  EXPECT_EQ(directory_.Read("journal"), fmt::format("{}:7\t5\t1\tshop.outbox\te1\n", kUuid));
  store_.fails = false;
  Pass(milliseconds(1500));
  const Progress progress = MakeProgress(store_.stored.at(0));
  EXPECT_EQ(progress.last_gtid, gtid);
  EXPECT_EQ(progress.last_commit_us, 5u);
}

TEST_F(AcknowledgerTest, AJournalThatCannotBeWrittenKeepsNoCheckpointBack) {
  std::filesystem::create_directory(directory_ / "journal");
  Send(100);
  sink_.AcknowledgeAll();
  Pass(milliseconds(1500));
  EXPECT_EQ(store_.stored.size(), 1u);
}

TEST_F(AcknowledgerTest, TellsWhenNothingThatWasSentIsAcknowledged) {
  const CapturedLog log;
  Pass(milliseconds(60'000));
  Send(100);
  Pass(milliseconds(100));
  EXPECT_EQ(log.text(), "") << "the silence begins with the message";
  sink_.Complain("kafka-1:9092/1: Connect failed");
  Pass(milliseconds(5'000));
  EXPECT_THAT(log.text(), HasSubstr("Kafka has acknowledged nothing for 5 s; events wait, none is"
                                    " lost: kafka-1:9092/1: Connect failed"));
  sink_.AcknowledgeAll();
  Pass(milliseconds(900));
  EXPECT_THAT(log.text(), HasSubstr("Kafka answers again after 6.0 s"));
}

TEST_F(AcknowledgerTest, ARefusalIsNoSilence) {
  const CapturedLog log;
  Send(100);
  sink_.Refuse("too large");
  Pass(milliseconds(100));
  Pass(milliseconds(60'000));
  EXPECT_EQ(log.text(), "");
}

TEST_F(AcknowledgerTest, ACheckpointNamesWhatIsPreparedWithoutEvents) {
  binlog::Transaction prepare;
  prepare.file = "binlog.000001";
  prepare.end_offset = 200;
  prepare.xa = binlog::XaStep::kPrepared;
  for (const char* xid : {"y", "x"}) {
    prepare.xid = xid;
    tracker_.Pass(prepare, false);
  }
  Pass(milliseconds(1500));
  const Checkpoint& checkpoint = store_.stored.at(0);
  EXPECT_EQ(checkpoint.prepared, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(MakeProgress(checkpoint).prepared, (std::set<std::string>{"x", "y"}));
}

}  // namespace
}  // namespace outboxd
