#include "daemon/relay/server_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/daemon/captured_log.h"
#include "tests/daemon/fake_probe.h"
#include "tests/daemon/fakes.h"

namespace outboxd {
namespace {

using binlog::ErrorKind;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Optional;

constexpr const char* kUuid = "11111111-1111-1111-1111-111111111111";
constexpr const char* kOther = "22222222-2222-2222-2222-222222222222";

class ServerWatchTest : public testing::Test {
 protected:
  void SetUp() override { ReadFrom(kUuid); }

  void ReadFrom(const std::string& uuid, std::size_t host = 0) {
    tracker_.SetServer({.server_uuid = uuid, .by_gtid = true, .host = host});
  }
  static binlog::Transaction At(const std::string& file, std::uint64_t offset) {
    binlog::Transaction transaction;
    transaction.file = file;
    transaction.end_offset = offset;
    return transaction;
  }
  // What was read up to there is acknowledged.
  void AcknowledgeUpTo(const std::string& file, std::uint64_t offset) {
    tracker_.Pass(At(file, offset), false);
  }
  // A transaction that ends there is on its way.
  sinks::DeliveryId Send(const std::string& file, std::uint64_t offset) {
    tracker_.Begin();
    const sinks::DeliveryId id = tracker_.NextId();
    tracker_.Finish(At(file, offset), false);
    return id;
  }
  std::optional<std::uint64_t> Asked() {
    clock_.Move(watch_.Ask());
    return watch_.facts().lag_bytes;
  }

  FakeClock clock_;
  FakeProbe server_{clock_};
  DeliveryTracker tracker_{Progress{}};
  ServerClock server_clock_{clock_};
  LagWatch lag_{tracker_, server_clock_, clock_, {}};
  ServerWatch watch_{server_, tracker_, lag_, server_clock_, clock_};
};

TEST_F(ServerWatchTest, IsWhatLiesBetweenTheAcknowledgedPlaceAndTheEnd) {
  AcknowledgeUpTo("binlog.000001", 400);
  EXPECT_THAT(Asked(), Optional(600));
}

TEST_F(ServerWatchTest, IsZeroOnlyWhenTheAcknowledgedPlaceIsAtTheEnd) {
  AcknowledgeUpTo("binlog.000001", 999);
  EXPECT_THAT(Asked(), Optional(1));
  const auto id = Send("binlog.000001", 1000);
  EXPECT_THAT(Asked(), Optional(1)) << "nothing of it is acknowledged";
  tracker_.Acknowledge(id);
  EXPECT_THAT(Asked(), Optional(0));
}

// A place of now and an end of before would make a relay that runs behind look as if it did not.
TEST_F(ServerWatchTest, ThePlaceAndTheEndAreOfTheSameMoment) {
  AcknowledgeUpTo("binlog.000001", 400);
  server_.while_asked = [this] { AcknowledgeUpTo("binlog.000001", 2000); };
  EXPECT_THAT(Asked(), Optional(600));
  server_.while_asked = nullptr;
  server_.files.back().end_offset = 2500;
  EXPECT_THAT(Asked(), Optional(500));
}

TEST_F(ServerWatchTest, FilesThatWereRotatedWhileTheListWasAskedForAreNotCountedYet) {
  AcknowledgeUpTo("binlog.000001", 400);
  server_.files = {{"binlog.000001", 1000}, {"binlog.000002", 50}};
  server_.while_asked = [this] {
    server_.files = {{"binlog.000001", 1000}, {"binlog.000002", 900}, {"binlog.000003", 10}};
  };
  EXPECT_THAT(Asked(), Optional(600 + 50));
}

TEST_F(ServerWatchTest, CountsOverAllFilesBetweenThePlaceAndTheEnd) {
  AcknowledgeUpTo("binlog.000001", 400);
  server_.files = {{"binlog.000001", 1000}, {"binlog.000002", 5000}, {"binlog.000003", 70}};
  EXPECT_THAT(Asked(), Optional(600 + 5000 + 70));
  AcknowledgeUpTo("binlog.000002", 4000);
  EXPECT_THAT(Asked(), Optional(1000 + 70));
}

TEST_F(ServerWatchTest, WhatTheServerKeepsOfItsLogIsKnownWhileItIsAway) {
  AcknowledgeUpTo("binlog.000001", 400);
  EXPECT_FALSE(watch_.facts().log);
  (void)Asked();
  server_.open_error = {ErrorKind::kDisconnected, "connection refused"};
  clock_.Move(std::chrono::hours(3));
  (void)Asked();
  const auto log = watch_.facts().log;
  ASSERT_TRUE(log);
  EXPECT_EQ(log->needed_file, "binlog.000001");
  EXPECT_EQ(log->keeping.kept(), std::chrono::days(30));
  EXPECT_FALSE(watch_.facts().lag_bytes);
}

TEST_F(ServerWatchTest, WhatAFormerServerKeepsCountsForNoOther) {
  AcknowledgeUpTo("binlog.000001", 400);
  (void)Asked();
  ReadFrom(kOther);
  EXPECT_FALSE(watch_.facts().log);
  tracker_.ReachPlace({"binlog.000001", 400});
  EXPECT_FALSE(watch_.facts().log);
  server_.expiry = std::chrono::hours(7);
  (void)Asked();
  EXPECT_EQ(watch_.facts().log->keeping.kept(), std::chrono::hours(7));
}

// It may be a replica that is behind, the stream of which stands still as well.
TEST_F(ServerWatchTest, HeartbeatsOfAServerThatDoesNotAnswerProveNothing) {
  lag_.OnOpened(kUuid);
  tracker_.ReachPlace({"binlog.000001", 1000});
  const auto lag_after_heartbeats = [this] {
    for (int i = 0; i < 4; ++i) {
      clock_.Move(seconds(1));
      lag_.OnHeartbeat({"binlog.000001", 1000});
    }
    return LagAfter(lag_.Facts(false, {}));
  };
  server_.open_error = {ErrorKind::kDisconnected, "connection refused"};
  (void)watch_.Ask();
  EXPECT_EQ(lag_after_heartbeats(), std::nullopt);
  server_.open_error = {ErrorKind::kDenied, "REPLICATION CLIENT is missing"};
  (void)watch_.Ask();
  EXPECT_THAT(lag_after_heartbeats(), Optional(seconds(0))) << "nothing else can prove it";
}

TEST_F(ServerWatchTest, IsAskedEveryFiveSeconds) {
  AcknowledgeUpTo("binlog.000001", 400);
  EXPECT_EQ(watch_.Ask(), seconds(5));
  server_.end_error = {ErrorKind::kDisconnected, "gone"};
  EXPECT_EQ(watch_.Ask(), seconds(5));
}

TEST_F(ServerWatchTest, IsNoneBeforeTheFirstAnswer) {
  AcknowledgeUpTo("binlog.000001", 1000);
  EXPECT_FALSE(watch_.facts().lag_bytes);
}

TEST_F(ServerWatchTest, IsNoneWithoutTheRightToAskWhichIsSaidOnce) {
  const CapturedLog log;
  AcknowledgeUpTo("binlog.000001", 1000);
  server_.end_error = {ErrorKind::kDenied, "REPLICATION CLIENT is missing"};
  EXPECT_FALSE(Asked());
  EXPECT_FALSE(Asked());
  EXPECT_EQ(log.lines(), 1);
  EXPECT_THAT(log.text(), HasSubstr("REPLICATION CLIENT is missing"));
  server_.end_error.reset();
  EXPECT_THAT(Asked(), Optional(0));
  server_.end_error = {ErrorKind::kDenied, "REPLICATION CLIENT is missing"};
  EXPECT_FALSE(Asked()) << "it was taken away";
  EXPECT_EQ(log.lines(), 2);
}

TEST_F(ServerWatchTest, IsNoneAsSoonAsTheServerCannotBeAsked) {
  const CapturedLog log;
  AcknowledgeUpTo("binlog.000001", 1000);
  for (auto* error : {&server_.open_error, &server_.end_error}) {
    EXPECT_THAT(Asked(), Optional(0));
    *error = {ErrorKind::kDisconnected, "connection refused"};
    EXPECT_FALSE(Asked());
    error->reset();
  }
  EXPECT_EQ(log.lines(), 0) << "the reader tells of an outage";
}

TEST_F(ServerWatchTest, AConnectionThatWasEndedInThePauseIsMadeAnew) {
  AcknowledgeUpTo("binlog.000001", 400);
  EXPECT_TRUE(Asked());
  server_.breaks_connection = true;
  EXPECT_THAT(Asked(), Optional(600));
}

TEST_F(ServerWatchTest, IsNoneWhereTheListIsRefused) {
  AcknowledgeUpTo("binlog.000001", 400);
  server_.files_error = {ErrorKind::kDenied, "no"};
  EXPECT_FALSE(Asked());
  EXPECT_FALSE(watch_.facts().log);
}

TEST_F(ServerWatchTest, IsNoneWhenTheLastAnswerIsOlderThanThirtySeconds) {
  AcknowledgeUpTo("binlog.000001", 400);
  (void)watch_.Ask();
  clock_.Move(seconds(30));
  EXPECT_THAT(watch_.facts().lag_bytes, Optional(600));
  clock_.Move(milliseconds(1));
  EXPECT_FALSE(watch_.facts().lag_bytes);
}

TEST_F(ServerWatchTest, AnAnswerIsAsOldAsItsQuestion) {
  AcknowledgeUpTo("binlog.000001", 400);
  server_.while_asked = [this] { clock_.Move(seconds(20)); };
  (void)watch_.Ask();
  clock_.Move(seconds(11));
  EXPECT_FALSE(watch_.facts().lag_bytes);
}

TEST_F(ServerWatchTest, NobodyIsAskedWhileThePlaceIsNotKnown) {
  EXPECT_EQ(watch_.Ask(), seconds(1));
  EXPECT_FALSE(watch_.facts().lag_bytes);
  EXPECT_EQ(server_.ends_asked, 0);
  tracker_.ReachPlace({"binlog.000001", 1000});
  EXPECT_THAT(Asked(), Optional(0));
}

TEST_F(ServerWatchTest, AfterAFailoverItIsNoneUntilThePlaceIsKnownInTheFilesOfTheNewServer) {
  AcknowledgeUpTo("binlog.000001", 400);
  server_.files = {{"binlog.000001", 1000}, {"binlog.000002", 50}};
  EXPECT_THAT(Asked(), Optional(650));
  ReadFrom(kOther, 1);
  EXPECT_FALSE(watch_.facts().lag_bytes) << "that was another server's";
  server_.files = {{"binlog.000001", 90}, {"binlog.000002", 8}};
  EXPECT_FALSE(Asked());
  AcknowledgeUpTo("binlog.000001", 60);
  EXPECT_THAT(Asked(), Optional(30 + 8)) << "by the list of this server";
  EXPECT_EQ(server_.opened.host, 1u);
  EXPECT_EQ(server_.opened.server_uuid, kOther);
}

TEST_F(ServerWatchTest, TheAnswerOfAFormerServerIsNoneThoughThePlaceIsKnownAlready) {
  AcknowledgeUpTo("binlog.000001", 1000);
  EXPECT_THAT(Asked(), Optional(0));
  ReadFrom(kOther);
  tracker_.ReachPlace({"binlog.000001", 400});
  EXPECT_FALSE(watch_.facts().lag_bytes);
  EXPECT_THAT(Asked(), Optional(600));
}

TEST_F(ServerWatchTest, IsNoneWhereTheLogDoesNotReachToThePlace) {
  AcknowledgeUpTo("binlog.000001", 1001);
  EXPECT_FALSE(Asked()) << "the server lost the end of its log";
  AcknowledgeUpTo("binlog.000007", 4);
  EXPECT_FALSE(Asked()) << "it began a new log";
}

TEST_F(ServerWatchTest, TellsHowFarTheTwoClocksAreApartAsOfTheMiddleOfTheQuestion) {
  AcknowledgeUpTo("binlog.000001", 400);
  server_.while_told_time = [this] { clock_.Move(milliseconds(40)); };
  server_.ahead_us = 500'000 - 20'000;
  (void)watch_.Ask();
  EXPECT_THAT(watch_.facts().clock_ahead, Optional(microseconds(500'000)));
  EXPECT_THAT(watch_.facts().round_trip, Optional(microseconds(40'000)));
}

TEST_F(ServerWatchTest, ClocksThatAreASecondApartAreToldOnceUntilTheyAgreeAgain) {
  const CapturedLog log;
  AcknowledgeUpTo("binlog.000001", 400);
  const auto ask = [this](seconds ahead) {
    server_.ahead_us = 1'000'000 * static_cast<std::uint64_t>(ahead.count());
    (void)watch_.Ask();
  };
  ask(seconds(0));
  EXPECT_EQ(log.lines(), 0);
  ask(seconds(-3600));
  ask(seconds(-3600));
  EXPECT_EQ(log.lines(), 1);
  EXPECT_THAT(log.text(), HasSubstr("3600.0 s behind this one's"));
  ask(seconds(0));
  EXPECT_THAT(log.text(), HasSubstr("agree again"));
  ask(seconds(7));
  EXPECT_THAT(log.text(), HasSubstr("7.0 s ahead of this one's"));
}

TEST_F(ServerWatchTest, TheTimeIsToldToAnAccountThatMayNotAskForTheLog) {
  const CapturedLog log;
  AcknowledgeUpTo("binlog.000001", 400);
  server_.end_error = {ErrorKind::kDenied, "REPLICATION CLIENT is missing"};
  (void)watch_.Ask();
  EXPECT_TRUE(watch_.facts().round_trip);
  EXPECT_FALSE(watch_.facts().lag_bytes);
}

// The server does not answer until it is interrupted.
TEST_F(ServerWatchTest, AStopBreaksOffTheQuestion) {
  class SilentServer final : public binlog::ServerProbe {
   public:
    binlog::Result<void> Open(const binlog::StreamIdentity&) override { return {}; }
    void Interrupt() override { Set(is_interrupted_); }
    binlog::Result<std::uint64_t> TimeOfDay() override { return 1'700'000'000'000'000; }
    binlog::Result<binlog::ReplicaStanding> StandingToSource() override {
      return binlog::ReplicaStanding::kNone;
    }
    binlog::Result<binlog::LogEnd> EndOfLog() override {
      Set(is_asked_);
      Await(is_interrupted_);
      return Fail(ErrorKind::kInterrupted, "interrupted");
    }
    binlog::Result<std::vector<binlog::LogFile>> Files() override { return {}; }
    binlog::Result<std::chrono::seconds> Expiry() override { return {}; }
    binlog::Result<std::uint64_t> BeginOf(const std::string&) override { return {}; }
    void AwaitQuestion() { Await(is_asked_); }

   private:
    void Set(bool& what) {
      const std::lock_guard lock(mutex_);
      what = true;
      changed_.notify_all();
    }
    void Await(const bool& what) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&what] { return what; });
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_asked_ = false, is_interrupted_ = false;
  };
  AcknowledgeUpTo("binlog.000001", 400);
  SilentServer silent;
  ServerWatch watch(silent, tracker_, lag_, server_clock_, clock_);
  std::jthread thread([&watch] { EXPECT_TRUE(watch.Run()); });
  silent.AwaitQuestion();
  watch.RequestStop();
  thread.join();
  EXPECT_FALSE(watch.facts().lag_bytes);
}

TEST_F(ServerWatchTest, AStopEndsThePauseAfterAnAnswer) {
  AcknowledgeUpTo("binlog.000001", 400);
  std::jthread thread([this] { EXPECT_TRUE(watch_.Run()); });
  while (!watch_.facts().lag_bytes) std::this_thread::yield();
  watch_.RequestStop();
  thread.join();
  EXPECT_EQ(server_.ends_asked, 1);
  EXPECT_EQ(server_.interrupted, 1);
}

}  // namespace
}  // namespace outboxd
