#include "daemon/relay/delivery_tracker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace outboxd {
namespace {

using binlog::XaStep;

constexpr std::string_view kUuid = "11111111-1111-1111-1111-111111111111";
constexpr std::string_view kOther = "22222222-2222-2222-2222-222222222222";

class DeliveryTrackerTest : public ::testing::Test {
 protected:
  static binlog::Transaction Make(std::uint64_t number, std::string_view uuid = kUuid) {
    binlog::Transaction transaction;
    transaction.gtid = binlog::Gtid{{binlog::ParseUuid(uuid).value(), ""}, number};
    transaction.file = "binlog.000001";
    transaction.begin_offset = number * 100 - 100;
    transaction.end_offset = number * 100;
    transaction.commit_us = number;
    return transaction;
  }
  // A transaction with `messages` messages.
  std::vector<sinks::DeliveryId> Send(std::uint64_t number, int messages) {
    std::vector<sinks::DeliveryId> ids;
    tracker_.Begin();
    for (int i = 0; i < messages; ++i) ids.push_back(tracker_.NextId());
    tracker_.Finish(Make(number), true);
    return ids;
  }
  void Pass(std::uint64_t number, std::string_view uuid = kUuid) {
    tracker_.Pass(Make(number, uuid), true);
  }
  // A step of the XA transaction `xid`. `messages`: of the decision to commit it.
  std::vector<sinks::DeliveryId> Xa(binlog::XaStep step, std::uint64_t number,
                                    const std::string& xid, int messages = 0,
                                    std::uint64_t prepared_as = 0) {
    binlog::Transaction transaction = Make(number);
    transaction.xa = step;
    transaction.xid = xid;
    if (is_anonymous_) transaction.gtid.reset();
    if (prepared_as != 0) transaction.prepared_gtid = Make(prepared_as).gtid;
    std::vector<sinks::DeliveryId> ids;
    if (messages == 0) {
      tracker_.Pass(transaction, counts_gtids_);
      return ids;
    }
    tracker_.Begin();
    for (int i = 0; i < messages; ++i) ids.push_back(tracker_.NextId());
    tracker_.Finish(transaction, counts_gtids_);
    return ids;
  }
  std::string Gtids() { return tracker_.progress().position.gtids.ToText(); }
  std::string Place() {
    const binlog::Position position = tracker_.progress().position;
    return fmt::format("{}:{}", position.file, position.offset);
  }
  // The progress of a relay that begins at a place in a file.
  static Progress Stored() {
    Progress progress;
    progress.server_uuid = kUuid;
    progress.position.file = "binlog.000007";
    progress.position.offset = 700;
    return progress;
  }
  void SetServer(std::string_view uuid) {
    tracker_.SetServer({.server_uuid = std::string(uuid), .by_gtid = true});
  }
  // Empty: not known.
  std::string AcknowledgedPlace() {
    const auto place = tracker_.standing().place;
    return place ? fmt::format("{}:{}", place->file, place->offset) : "";
  }
  static binlog::Position NewFile(const std::string& gtids = "") {
    return {.gtids = binlog::GtidSet::Parse(gtids).value(), .file = "binlog.000002", .offset = 4};
  }

  bool counts_gtids_ = true;  // In XA transactions.
  bool is_anonymous_ = false;
  DeliveryTracker tracker_{Progress{}};
};

TEST_F(DeliveryTrackerTest, MovesOverATransactionOnlyWhenAllItsMessagesAreAcknowledged) {
  const auto ids = Send(1, 3);
  tracker_.Acknowledge(ids[0]);
  tracker_.Acknowledge(ids[2]);
  EXPECT_EQ(Gtids(), "");
  tracker_.Acknowledge(ids[1]);
  EXPECT_EQ(Gtids(), fmt::format("{}:1", kUuid));
  EXPECT_EQ(tracker_.progress().position.offset, 100u);
}

TEST_F(DeliveryTrackerTest, TellsTheProgressThatAllThatWasSentMakesAndStaysWhereItIs) {
  Send(1, 2);
  Send(2, 1);
  Pass(3);
  const Progress end = tracker_.ProgressAtEnd();
  EXPECT_EQ(end.position.gtids.ToText(), fmt::format("{}:1-3", kUuid));
  EXPECT_EQ(end.position.offset, 300u);
  EXPECT_EQ(Gtids(), "");
  tracker_.AcknowledgeBefore(tracker_.end_id());
  EXPECT_EQ(tracker_.progress().position, end.position);
}

TEST_F(DeliveryTrackerTest, NeverMovesOverATransactionThatIsStillBeingSent) {
  tracker_.Begin();
  const auto id = tracker_.NextId();
  tracker_.Acknowledge(id);
  EXPECT_EQ(Gtids(), "");
  tracker_.Finish(Make(1), true);
  EXPECT_EQ(Gtids(), fmt::format("{}:1", kUuid));
}

TEST_F(DeliveryTrackerTest, OfATransactionInHandTheMarkedPartIsDoneOnceAcknowledged) {
  tracker_.Begin();
  const auto first = tracker_.NextId();
  const TransactionPart part{.place = fmt::format("{}:1", kUuid), .commit_us = 1, .rows = 1};
  tracker_.MarkPart(part);
  const auto second = tracker_.NextId();
  EXPECT_FALSE(tracker_.progress().part);
  tracker_.Acknowledge(first);
  EXPECT_EQ(tracker_.progress().part, part);
  EXPECT_EQ(Gtids(), "");
  tracker_.Finish(Make(1), true);
  EXPECT_EQ(tracker_.progress().part, part);
  tracker_.Acknowledge(second);
  EXPECT_FALSE(tracker_.progress().part);
  EXPECT_EQ(Gtids(), fmt::format("{}:1", kUuid));
}

TEST_F(DeliveryTrackerTest, APartStaysUntilItsTransactionIsDone) {
  tracker_.Begin();
  const auto id = tracker_.NextId();
  tracker_.MarkPart({.place = fmt::format("{}:2", kUuid), .commit_us = 2, .rows = 1});
  tracker_.Acknowledge(id);
  EXPECT_TRUE(tracker_.Restart().part);
  Pass(1);
  EXPECT_TRUE(tracker_.progress().part);
  const auto ids = Send(2, 1);
  EXPECT_TRUE(tracker_.progress().part);
  tracker_.Acknowledge(ids[0]);
  EXPECT_FALSE(tracker_.progress().part);
}

TEST_F(DeliveryTrackerTest, WaitsForAllTransactionsBefore) {
  const auto first = Send(1, 1);
  const auto second = Send(2, 1);
  tracker_.Acknowledge(second[0]);
  EXPECT_EQ(Gtids(), "");
  tracker_.Acknowledge(first[0]);
  EXPECT_EQ(Gtids(), fmt::format("{}:1-2", kUuid));
}

TEST_F(DeliveryTrackerTest, TransactionsWithoutMessagesMoveItAtOnceWhenNothingIsInFlight) {
  Pass(1);
  EXPECT_EQ(Gtids(), fmt::format("{}:1", kUuid));
}

TEST_F(DeliveryTrackerTest, TransactionsWithoutMessagesWaitBehindThoseInFlight) {
  const auto ids = Send(1, 1);
  for (std::uint64_t number = 2; number <= 1000; ++number) {
    Pass(number);
    Pass(number, kOther);
  }
  EXPECT_EQ(Gtids(), "");
  tracker_.Acknowledge(ids[0]);
  EXPECT_EQ(Gtids(), fmt::format("{}:1-1000,{}:2-1000", kUuid, kOther));
  EXPECT_EQ(tracker_.progress().position.offset, 100'000u);
}

TEST_F(DeliveryTrackerTest, RestartForgetsWhatIsInFlightAndItsLateReports) {
  const auto lost = Send(1, 2);
  tracker_.Acknowledge(lost[0]);
  EXPECT_EQ(tracker_.Restart().position.gtids.ToText(), "");
  EXPECT_TRUE(tracker_.AllAcknowledged());
  const auto again = Send(1, 2);
  tracker_.Acknowledge(lost[1]);
  tracker_.Acknowledge(again[0]);
  EXPECT_EQ(Gtids(), "");
  tracker_.Acknowledge(again[1]);
  EXPECT_EQ(Gtids(), fmt::format("{}:1", kUuid));
}

TEST_F(DeliveryTrackerTest, NamesTheEarliestRefusedMessageAndItsDistance) {
  const auto done = Send(1, 1);
  const auto ids = Send(2, 3);
  tracker_.Acknowledge(done[0]);
  tracker_.Report({.delivered = {ids[0]},
                   .failed = {{ids[2], {sinks::ErrorKind::kRejected, "later"}},
                              {ids[1], {sinks::ErrorKind::kRejected, "too large"}}},
                   .lost = {}});
  ASSERT_TRUE(tracker_.has_trouble());
  const auto trouble = tracker_.TakeTrouble();
  EXPECT_EQ(trouble.failed->error.message, "too large");
  EXPECT_EQ(trouble.messages_to_failed, 2u);
  EXPECT_FALSE(tracker_.has_trouble());
}

TEST_F(DeliveryTrackerTest, ARefusedMessageIsNeverTakenForDelivered) {
  const auto ids = Send(1, 2);
  tracker_.Report({.delivered = {ids[1]},
                   .failed = {{ids[0], {sinks::ErrorKind::kRejected, "too large"}}},
                   .lost = {}});
  EXPECT_EQ(Gtids(), "");
}

TEST_F(DeliveryTrackerTest, AReadIsAsFarAsItsChunksAreAcknowledgedAndThePositionStays) {
  DeliveryTracker tracker(Progress{.server_uuid = {},
                                   .sink = {},
                                   .position = {.gtids = {}, .file = "f", .offset = 9},
                                   .last_commit_us = 0,
                                   .last_gtid = {},
                                   .read = InitialRead{}});
  tracker.Begin();
  const auto id = tracker.NextId();
  const TableReadState state{"shop", "outbox", false, {{"id", "bigint", "17"}}, 1};
  tracker.FinishChunk(1, state);
  tracker.Begin();
  tracker.FinishRead(2);
  EXPECT_TRUE(tracker.progress().read->tables.empty());
  EXPECT_EQ(tracker.acknowledged_chunk(), 0u);
  tracker.Acknowledge(id);
  EXPECT_FALSE(tracker.progress().read);
  EXPECT_EQ(tracker.acknowledged_chunk(), 2u);
  EXPECT_EQ(tracker.progress().position.offset, 9u);
}

TEST_F(DeliveryTrackerTest, AReadThatIsStartedOverGoesOnBehindTheLastAcknowledgedChunk) {
  Progress begun;
  begun.read.emplace();
  DeliveryTracker tracker(begun);
  const auto chunk = [&tracker](std::uint64_t number, const char* key) {
    tracker.Begin();
    const auto id = tracker.NextId();
    tracker.FinishChunk(number, {"shop", "outbox", false, {{"id", "bigint", key}}, number});
    return id;
  };
  tracker.Acknowledge(chunk(1, "17"));
  chunk(2, "34");
  const Progress progress = tracker.Restart();
  ASSERT_EQ(progress.read->tables.size(), 1u);
  EXPECT_EQ(progress.read->tables[0].last_key[0].value, "17");
  EXPECT_EQ(tracker.acknowledged_chunk(), 1u);
}

TEST_F(DeliveryTrackerTest, AStreamByFileLeavesTheGtidSetAlone) {
  tracker_.Pass(Make(1), false);
  EXPECT_EQ(Gtids(), "");
  EXPECT_EQ(tracker_.progress().position.offset, 100u);
}

TEST_F(DeliveryTrackerTest, APreparedTransactionWithEventsIsDoneOnlyWhenItsDecisionIsDelivered) {
  Pass(1);
  Xa(XaStep::kHeld, 2, "x");
  Pass(3);
  EXPECT_EQ(Gtids(), fmt::format("{}:1:3", kUuid));
  const auto ids = Xa(XaStep::kCommitted, 4, "x", 2, 2);
  tracker_.Acknowledge(ids[0]);
  EXPECT_EQ(Gtids(), fmt::format("{}:1:3", kUuid));
  tracker_.Acknowledge(ids[1]);
  EXPECT_EQ(Gtids(), fmt::format("{}:1-4", kUuid));
}

TEST_F(DeliveryTrackerTest, APreparedTransactionThatIsRolledBackIsDoneWithItsRollback) {
  Xa(XaStep::kHeld, 1, "x");
  Xa(XaStep::kRolledBack, 2, "x", 0, 1);
  EXPECT_EQ(Gtids(), fmt::format("{}:1-2", kUuid));
  EXPECT_EQ(Place(), "binlog.000001:200");
}

TEST_F(DeliveryTrackerTest, FileAndOffsetWaitBeforeTheOldestThatIsPreparedWithEvents) {
  Pass(1);
  Xa(XaStep::kHeld, 2, "x");
  Xa(XaStep::kHeld, 3, "y");
  Pass(4);
  EXPECT_EQ(Place(), "binlog.000001:100");
  Xa(XaStep::kRolledBack, 5, "x", 0, 2);
  EXPECT_EQ(Place(), "binlog.000001:200");
  const auto ids = Xa(XaStep::kCommitted, 6, "y", 1, 3);
  EXPECT_EQ(Place(), "binlog.000001:200");
  tracker_.Acknowledge(ids[0]);
  EXPECT_EQ(Place(), "binlog.000001:600");
}

TEST_F(DeliveryTrackerTest, AYoungerDecisionDoesNotMoveFileAndOffsetOverAnOlderPrepare) {
  Xa(XaStep::kHeld, 1, "x");
  Xa(XaStep::kHeld, 2, "y");
  Xa(XaStep::kRolledBack, 3, "y", 0, 2);
  EXPECT_EQ(Place(), "binlog.000001:0");
  EXPECT_EQ(Gtids(), fmt::format("{}:2-3", kUuid));
}

TEST_F(DeliveryTrackerTest, APrepareBehindMessagesInFlightHoldsNothingBackBeforeItsTurn) {
  const auto ids = Send(1, 1);
  Xa(XaStep::kHeld, 2, "x");
  Pass(3);
  EXPECT_EQ(Place(), ":0");
  tracker_.Acknowledge(ids[0]);
  EXPECT_EQ(Place(), "binlog.000001:100");
  EXPECT_EQ(Gtids(), fmt::format("{}:1:3", kUuid));
}

TEST_F(DeliveryTrackerTest, NamesWhatIsPreparedWithoutEventsUntilItIsDecided) {
  Xa(XaStep::kPrepared, 1, "x");
  Xa(XaStep::kPrepared, 2, "y");
  EXPECT_EQ(tracker_.progress().prepared, (std::set<std::string>{"x", "y"}));
  EXPECT_EQ(Gtids(), fmt::format("{}:1-2", kUuid));
  EXPECT_EQ(Place(), "binlog.000001:200");
  Xa(XaStep::kCommitted, 3, "x");
  Xa(XaStep::kRolledBack, 4, "y");
  EXPECT_TRUE(tracker_.progress().prepared.empty());
}

TEST_F(DeliveryTrackerTest, NamesWhatIsHeldInTheOrderOfTheLogUntilItIsDecided) {
  Xa(XaStep::kHeld, 1, "x");
  Xa(XaStep::kHeld, 2, "y");
  ASSERT_EQ(tracker_.progress().held_xa.size(), 2u);
  EXPECT_EQ(tracker_.progress().held_xa[0], (HeldXa{"x", fmt::format("{}:1", kUuid), 1}));
  EXPECT_EQ(tracker_.progress().held_xa[1].xid, "y");
  Xa(XaStep::kRolledBack, 3, "x", 0, 1);
  ASSERT_EQ(tracker_.progress().held_xa.size(), 1u);
  EXPECT_EQ(tracker_.progress().held_xa[0].xid, "y");
  EXPECT_TRUE(tracker_.Restart().held_xa.empty());
}

TEST_F(DeliveryTrackerTest, WhatIsHeldNeedsTheFileThatItWasPreparedInUntilItIsDecided) {
  SetServer(kUuid);
  const auto needed = [this] {
    const auto place = tracker_.standing().place;
    return place ? place->needed_file : "no place";
  };
  Xa(XaStep::kHeld, 1, "x");
  tracker_.PassFile(NewFile());
  EXPECT_EQ(AcknowledgedPlace(), "binlog.000002:4");
  EXPECT_EQ(needed(), "binlog.000001");
  SetServer(kOther);
  tracker_.ReachPlace({"binlog.000009", 4});
  EXPECT_EQ(needed(), "") << "there it stands in another file";
  Xa(XaStep::kRolledBack, 3, "x", 0, 1);
  tracker_.ReachPlace({"binlog.000009", 400});
  EXPECT_EQ(needed(), "binlog.000009");
}

TEST_F(DeliveryTrackerTest, WhatIsHeldAndWillBeReadAgainMakesThePlaceUnknown) {
  SetServer(kUuid);
  Xa(XaStep::kHeld, 1, "x");
  tracker_.PassFile(NewFile());
  (void)tracker_.Restart();
  EXPECT_EQ(AcknowledgedPlace(), "");
}

TEST_F(DeliveryTrackerTest, AStreamThatBeginsAgainBeforeADecisionKnowsWhatItIsAbout) {
  counts_gtids_ = false;
  Xa(XaStep::kPrepared, 1, "x");
  Xa(XaStep::kHeld, 2, "y");
  Xa(XaStep::kHeld, 3, "held");
  Xa(XaStep::kCommitted, 4, "x");
  Xa(XaStep::kRolledBack, 5, "y");
  EXPECT_EQ(Place(), "binlog.000001:200");  // Of "held", before the decisions.
  EXPECT_EQ(tracker_.progress().prepared, (std::set<std::string>{"x", "y"}));
  EXPECT_EQ(tracker_.Restart().prepared, (std::set<std::string>{"x", "y"}));
  Xa(XaStep::kHeld, 3, "held");
  Xa(XaStep::kCommitted, 4, "x");
  Xa(XaStep::kRolledBack, 5, "y");
  Xa(XaStep::kRolledBack, 6, "held");
  EXPECT_TRUE(tracker_.progress().prepared.empty());
}

TEST_F(DeliveryTrackerTest, AnAnonymousLogHasNoGtidsThoughTheEmptySetIsKnown) {
  is_anonymous_ = true;
  Xa(XaStep::kPrepared, 1, "x");
  Xa(XaStep::kHeld, 2, "held");
  Xa(XaStep::kCommitted, 3, "x");
  EXPECT_EQ(tracker_.Restart().prepared, std::set<std::string>{"x"});
}

TEST_F(DeliveryTrackerTest, NamesWhatIsPreparedOnlyWhenAllBeforeItIsDone) {
  const auto ids = Send(1, 1);
  Xa(XaStep::kPrepared, 2, "x");
  EXPECT_TRUE(tracker_.progress().prepared.empty());
  tracker_.Acknowledge(ids[0]);
  EXPECT_EQ(tracker_.progress().prepared, std::set<std::string>{"x"});
}

TEST_F(DeliveryTrackerTest, RestartForgetsWhatIsHeldAndFindsItAgainInTheStream) {
  Pass(1);
  Xa(XaStep::kHeld, 2, "x");
  Pass(3);
  const Progress from = tracker_.Restart();
  EXPECT_EQ(from.position.gtids.ToText(), fmt::format("{}:1:3", kUuid));
  EXPECT_EQ(from.position.offset, 100u);
  Xa(XaStep::kHeld, 2, "x");
  Pass(4);
  EXPECT_EQ(Place(), "binlog.000001:100");
  Xa(XaStep::kRolledBack, 5, "x", 0, 2);
  EXPECT_EQ(Gtids(), fmt::format("{}:1-5", kUuid));
  EXPECT_EQ(Place(), "binlog.000001:500");
}

TEST_F(DeliveryTrackerTest, AfterARestartWhatIsHeldStandsWhereItIsReadThen) {
  Xa(XaStep::kHeld, 1, "x");
  (void)tracker_.Restart();
  binlog::Transaction elsewhere = Make(1);  // On the server that has taken over.
  elsewhere.file = "log.000009";
  elsewhere.xa = XaStep::kHeld;
  elsewhere.xid = "x";
  tracker_.Pass(elsewhere, true);
  EXPECT_EQ(Place(), "log.000009:0");
}

TEST_F(DeliveryTrackerTest, TheLastGtidAndTheLastCommitTimeAreOfOneTransaction) {
  Xa(XaStep::kHeld, 1, "x");
  const auto ids = Xa(XaStep::kCommitted, 2, "x", 1, 1);
  Pass(7, kOther);
  tracker_.Acknowledge(ids[0]);
  EXPECT_EQ(tracker_.progress().last_commit_us, 7u);
  EXPECT_EQ(ToText(tracker_.progress().last_gtid.value()), fmt::format("{}:7", kOther));
}

TEST_F(DeliveryTrackerTest, ANewFileBringsTheGtidsBeforeIt) {
  tracker_.PassFile(NewFile(fmt::format("{}:1-9", kUuid)));
  EXPECT_EQ(Gtids(), fmt::format("{}:1-9", kUuid));
  EXPECT_EQ(Place(), "binlog.000002:4");
}

TEST_F(DeliveryTrackerTest, ANewFileWaitsBehindMessagesInFlight) {
  const auto ids = Send(1, 1);
  tracker_.PassFile(NewFile(fmt::format("{}:1-9", kUuid)));
  EXPECT_EQ(Gtids(), "");
  EXPECT_EQ(Place(), ":0");
  tracker_.Acknowledge(ids[0]);
  EXPECT_EQ(Gtids(), fmt::format("{}:1-9", kUuid));
  EXPECT_EQ(Place(), "binlog.000002:4");
}

TEST_F(DeliveryTrackerTest, ANewFileWhoseGtidsAreNotKnownLeavesTheSetAlone) {
  Pass(1);
  tracker_.PassFile(NewFile());
  EXPECT_EQ(Gtids(), fmt::format("{}:1", kUuid));
  EXPECT_EQ(Place(), "binlog.000002:4");
}

TEST_F(DeliveryTrackerTest, ANewFileIsNotDoneWhileATransactionBeforeItIsHeld) {
  Pass(1);
  Xa(XaStep::kHeld, 2, "x");
  tracker_.PassFile(NewFile(fmt::format("{}:1", kUuid)));
  EXPECT_EQ(Place(), "binlog.000001:100");
  Xa(XaStep::kRolledBack, 3, "x", 0, 2);
  EXPECT_EQ(Gtids(), fmt::format("{}:1-3", kUuid));
}

TEST_F(DeliveryTrackerTest, ByGtidNoFileIsNamedWhileEverythingIsHeld) {
  tracker_.SetServer({.server_uuid = std::string(kUuid), .by_gtid = true});
  Xa(XaStep::kHeld, 1, "x");
  EXPECT_EQ(Place(), ":0");
  EXPECT_EQ(Gtids(), "");
  Pass(2);
  EXPECT_EQ(Place(), "binlog.000001:0");
  EXPECT_EQ(Gtids(), fmt::format("{}:2", kUuid));
}

TEST_F(DeliveryTrackerTest, AFileStaysThatOfTheServerItWasReadFrom) {
  tracker_.SetServer({.server_uuid = std::string(kUuid)});
  tracker_.PassFile(NewFile());
  const auto ids = Send(1, 1);
  tracker_.SetServer({.server_uuid = std::string(kOther), .by_gtid = true});
  EXPECT_EQ(tracker_.progress().server_uuid, kUuid);
  tracker_.Acknowledge(ids[0]);
  EXPECT_EQ(tracker_.progress().server_uuid, kOther);
  EXPECT_EQ(Gtids(), fmt::format("{}:1", kUuid));
}

TEST_F(DeliveryTrackerTest, ByFileTheAcknowledgedPlaceIsKnownFromTheStart) {
  DeliveryTracker tracker(Stored());
  EXPECT_FALSE(tracker.standing().place);
  tracker.SetServer({.server_uuid = std::string(kUuid), .host = 2});
  const auto place = tracker.standing().place;
  ASSERT_TRUE(place);
  EXPECT_EQ(place->server_uuid, kUuid);
  EXPECT_EQ(place->host, 2u);
  EXPECT_EQ(place->file, "binlog.000007");
  EXPECT_EQ(place->offset, 700u);
}

TEST_F(DeliveryTrackerTest, ByGtidTheStoredPlaceMayBeOfAnotherServer) {
  DeliveryTracker tracker(Stored());
  tracker.SetServer({.server_uuid = std::string(kUuid), .by_gtid = true});
  EXPECT_FALSE(tracker.standing().place);
  // Neither does a change of gtid_mode tell.
  tracker.SetServer({.server_uuid = std::string(kUuid)});
  EXPECT_FALSE(tracker.standing().place);
}

TEST_F(DeliveryTrackerTest, TheAcknowledgedPlaceWaitsForWhatIsInFlight) {
  SetServer(kUuid);
  EXPECT_EQ(AcknowledgedPlace(), "");
  tracker_.ReachPlace({"binlog.000001", 40});
  EXPECT_EQ(AcknowledgedPlace(), "binlog.000001:40");
  const auto ids = Send(1, 1);
  tracker_.ReachPlace({"binlog.000001", 150});
  EXPECT_EQ(AcknowledgedPlace(), "binlog.000001:40");
  tracker_.Acknowledge(ids[0]);
  EXPECT_EQ(AcknowledgedPlace(), "binlog.000001:100");
  tracker_.ReachPlace({"binlog.000001", 150});
  EXPECT_EQ(AcknowledgedPlace(), "binlog.000001:150");
}

TEST_F(DeliveryTrackerTest, APlaceThatWasReachedIsNotLeftWhileTheServerSkipsToIt) {
  SetServer(kUuid);
  Pass(3);
  tracker_.ReachPlace({"binlog.000001", 100});
  EXPECT_EQ(AcknowledgedPlace(), "binlog.000001:300");
  tracker_.ReachPlace({"binlog.000002", 100});
  EXPECT_EQ(AcknowledgedPlace(), "binlog.000002:100");
  SetServer(kOther);
  tracker_.ReachPlace({"binlog.000002", 4});
  EXPECT_EQ(AcknowledgedPlace(), "binlog.000002:4");
}

TEST_F(DeliveryTrackerTest, APlaceThatIsReachedIsNoPosition) {
  SetServer(kUuid);
  Pass(1);
  const std::uint64_t version = tracker_.progress_version();
  tracker_.ReachPlace({"binlog.000002", 4});
  EXPECT_EQ(Place(), "binlog.000001:100");
  EXPECT_EQ(tracker_.progress_version(), version);
}

// Of both servers the file has the same name.
TEST_F(DeliveryTrackerTest, APlaceInTheFilesOfAFormerServerIsNone) {
  SetServer(kUuid);
  Pass(1);
  const auto in_flight = Send(2, 1);
  SetServer(kOther);
  EXPECT_EQ(AcknowledgedPlace(), "");
  const auto first = Send(5, 1);
  tracker_.Acknowledge(in_flight[0]);
  EXPECT_EQ(AcknowledgedPlace(), "") << "what was read of the former server is acknowledged now";
  tracker_.Acknowledge(first[0]);
  EXPECT_EQ(AcknowledgedPlace(), "binlog.000001:500");
  SetServer(kOther);
  EXPECT_EQ(AcknowledgedPlace(), "binlog.000001:500") << "the same server again";
}

TEST_F(DeliveryTrackerTest, ByFileTheAcknowledgedPlaceFollowsTheFiles) {
  tracker_.SetServer({.server_uuid = std::string(kUuid)});
  const auto ids = Send(1, 1);
  tracker_.PassFile(NewFile());
  EXPECT_EQ(AcknowledgedPlace(), "");
  tracker_.Acknowledge(ids[0]);
  EXPECT_EQ(AcknowledgedPlace(), "binlog.000002:4");
}

TEST_F(DeliveryTrackerTest, ThePlaceIsBehindPreparedXaTransactionsThoughThePositionIsBefore) {
  SetServer(kUuid);
  Pass(1);
  Xa(XaStep::kHeld, 2, "x");
  Pass(3);
  EXPECT_EQ(Place(), "binlog.000001:100");
  EXPECT_EQ(AcknowledgedPlace(), "binlog.000001:300");
}

TEST_F(DeliveryTrackerTest, ChunksOfAnInitialReadLeaveThePlaceWhereTheReadBegan) {
  SetServer(kUuid);
  tracker_.ReachPlace({"binlog.000001", 40});
  tracker_.Begin();
  const auto id = tracker_.NextId();
  tracker_.FinishChunk(1, {.schema_name = "shop", .table_name = "outbox"});
  tracker_.Acknowledge(id);
  EXPECT_EQ(AcknowledgedPlace(), "binlog.000001:40");
}

TEST_F(DeliveryTrackerTest, WhatIsForgottenLeavesThePlaceWhereItIs) {
  SetServer(kUuid);
  Pass(1);
  Send(2, 1);
  (void)tracker_.Restart();
  EXPECT_EQ(AcknowledgedPlace(), "binlog.000001:100");
}

// Against the plainest model: transaction n is done when no id up to its last is open.
TEST_F(DeliveryTrackerTest, NeverRunsAheadOfAnAcknowledgementInAnyOrder) {
  std::mt19937 random(20261121);
  std::vector<sinks::DeliveryId> in_flight;
  std::vector<std::pair<std::uint64_t, sinks::DeliveryId>> ends;  // Transaction, id behind it.
  std::uint64_t number = 0;
  sinks::DeliveryId next = 0;
  for (int round = 0; round < 20'000; ++round) {
    if (random() % 3 == 0 && in_flight.size() < 100'000) {
      const auto ids = Send(++number, static_cast<int>(random() % 40) + 1);
      in_flight.insert(in_flight.end(), ids.begin(), ids.end());
      next = ids.back() + 1;
      ends.emplace_back(number, next);
    }
    for (auto i = random() % 12; i > 0 && !in_flight.empty(); --i) {
      // Near the front, as partitions acknowledge.
      const std::size_t at = random() % std::min<std::size_t>(in_flight.size(), 64);
      tracker_.Acknowledge(in_flight[at]);
      in_flight.erase(in_flight.begin() + static_cast<std::ptrdiff_t>(at));
    }
    const auto oldest = in_flight.empty() ? next : *std::ranges::min_element(in_flight);
    std::uint64_t expected = 0;
    for (auto it = ends.rbegin(); it != ends.rend(); ++it) {
      if (it->second <= oldest) {
        expected = it->first;
        break;
      }
    }
    ASSERT_EQ(tracker_.progress().position.gtids.count(), expected) << "round " << round;
  }
}

TEST_F(DeliveryTrackerTest, TheLastTransactionIsThatOfThePositionAndNoOther) {
  const auto ids = Send(1, 1);
  Pass(2);
  tracker_.Report({.delivered = ids, .failed = {}, .lost = {}});
  EXPECT_EQ(tracker_.progress().last_gtid, Make(2).gtid);
  EXPECT_EQ(tracker_.progress().last_commit_us, 2u);
  Xa(XaStep::kHeld, 3, "x");
  EXPECT_EQ(tracker_.progress().last_gtid, Make(2).gtid);
  binlog::Transaction anonymous = Make(4);
  anonymous.gtid.reset();
  tracker_.Pass(anonymous, true);
  EXPECT_FALSE(tracker_.progress().last_gtid);
}

TEST_F(DeliveryTrackerTest, WhatIsTakenOutDoesNotComeBackWithAcknowledgements) {
  Pass(1);
  Pass(2);
  const auto ids = Send(3, 1);
  Pass(4);
  Pass(9);
  binlog::GtidSet lost;
  for (const std::uint64_t number : {2u, 4u, 9u}) lost.Add(*Make(number).gtid);
  tracker_.TakeOut(lost);
  EXPECT_EQ(Gtids(), fmt::format("{}:1", kUuid));
  EXPECT_FALSE(tracker_.progress().last_gtid);
  tracker_.Report({.delivered = ids, .failed = {}, .lost = {}});
  EXPECT_EQ(Gtids(), fmt::format("{}:1:3", kUuid));
  EXPECT_FALSE(tracker_.progress().last_gtid);
}

TEST_F(DeliveryTrackerTest, ASetThatIsTakenOutWholeIsNoPositionByFile) {
  Pass(1);
  EXPECT_NE(tracker_.progress().position.file, "");
  binlog::GtidSet all;
  all.Add(*Make(1).gtid);
  tracker_.TakeOut(all);
  EXPECT_EQ(tracker_.progress().position, binlog::Position{});
}

TEST(DeliveryTrackerEventsTest, AnXaDecisionNamesWhatItDecidesAlsoWithoutEvents) {
  DeliveryTracker tracker{Progress{}, true};
  const binlog::GtidOrigin origin{binlog::ParseUuid(kUuid).value(), ""};
  binlog::Transaction rolled_back;
  rolled_back.gtid = binlog::Gtid{origin, 2};
  rolled_back.prepared_gtid = binlog::Gtid{origin, 1};
  tracker.Pass(rolled_back, true);
  EXPECT_EQ(tracker.TakeDeliveredEvents(), fmt::format("{0}:2 {0}:1\t0\t0\n", kUuid));
}

TEST(DeliveryTrackerEventsTest, OfAPartAreTakenBeforeItIsDeliveredAndNotAgain) {
  DeliveryTracker tracker{Progress{}, true};
  binlog::Transaction transaction;
  transaction.gtid = binlog::Gtid{{binlog::ParseUuid(kUuid).value(), ""}, 1};
  tracker.Begin();
  tracker.AddEvent("shop", "outbox", "a");
  tracker.MarkPart({.place = fmt::format("{}:1", kUuid), .commit_us = 0, .rows = 1});
  EXPECT_EQ(tracker.TakeAnnouncedEvents(), fmt::format("{}:1\t0\t1\tshop.outbox\ta\n", kUuid));
  tracker.AddEvent("shop", "outbox", "b");
  tracker.Finish(transaction, true);
  EXPECT_EQ(tracker.TakeAnnouncedEvents(), fmt::format("{}:1\t0\t1\tshop.outbox\tb\n", kUuid));
  EXPECT_EQ(tracker.TakeAnnouncedEvents(), "");
}

TEST(DeliveryTrackerDeathTest, AnAcknowledgementOfWhatWasNotHandedOverIsAFaultOfOutboxd) {
  DeliveryTracker tracker{Progress{}};
  tracker.Begin();
  const sinks::DeliveryId next = tracker.NextId() + 1;
  EXPECT_DEATH(tracker.Report({.delivered = {next}, .failed = {}, .lost = {}}),
               "broken invariant: id < end: only a message that was handed over");
}

TEST(DeliveryTrackerDeathTest, AnEndWithoutABeginningIsAFaultOfOutboxd) {
  DeliveryTracker tracker{Progress{}};
  const binlog::Transaction transaction;
  EXPECT_DEATH(tracker.Finish(transaction, true), "a transaction begins before it is finished");
  EXPECT_DEATH(tracker.FinishRead(1), "a chunk begins before it is finished");
  EXPECT_DEATH(tracker.MarkPart({.place = "", .commit_us = 0, .rows = 1}),
               "a transaction begins before a part of it is done");
  tracker.Begin();
  tracker.Finish(transaction, true);
  EXPECT_DEATH(tracker.Finish(transaction, true), "a transaction begins before it is finished");
}

TEST(DeliveryTrackerEventsTest, AreTakenOnceDeliveredAndKnownBeforeThat) {
  DeliveryTracker tracker{Progress{}, true};
  binlog::Transaction transaction;
  transaction.gtid = binlog::Gtid{{binlog::ParseUuid(kUuid).value(), ""}, 1};
  tracker.Begin();
  const sinks::DeliveryId id = tracker.NextId();
  tracker.AddEvent("shop", "outbox", "a");
  tracker.Finish(transaction, true);
  const std::string line = fmt::format("{}:1\t0\t1\tshop.outbox\ta\n", kUuid);
  EXPECT_EQ(tracker.UnwrittenEvents(), line);
  EXPECT_EQ(tracker.TakeDeliveredEvents(), "");
  tracker.Acknowledge(id);
  EXPECT_EQ(tracker.delivered_events_bytes(), line.size());
  EXPECT_EQ(tracker.TakeDeliveredEvents(), line);
  EXPECT_EQ(tracker.UnwrittenEvents(), line);
  EXPECT_EQ(tracker.TakeDeliveredEvents(), "");
  EXPECT_EQ(tracker.UnwrittenEvents(), "");
}

}  // namespace
}  // namespace outboxd
