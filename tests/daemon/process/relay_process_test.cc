#include "daemon/process/relay_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "daemon/checkpoint/checkpoint_file.h"
#include "daemon/status/relay_status.h"
#include "tests/daemon/captured_log.h"
#include "tests/daemon/fakes.h"
#include "tests/daemon/local_ports.h"
#include "tests/daemon/service_manager.h"
#include "tests/daemon/stop_signal.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;

// A relay whose server nobody has started; what it does with one is in tests/daemon/server.
class RelayProcessTest : public testing::Test {
 protected:
  RelayProcessTest() {
    config_.relay.name = "shop";
    config_.relay.state_directory = config_.relay.spill_directory = directory_.path();
    config_.mysql.port = closed_.number();
    config_.outboxes.emplace_back().tables = {"shop.outbox"};
    config_.delivery.start.kind = StartChoice::Kind::kNow;
    ServiceManager::Watch();
  }

  // To its end, by the signal or otherwise.
  Result<void> Run() {
    StateDirectory state(directory_.path());
    CheckpointFile store(directory_.path(), "shop");
    ServiceNotifier notifier;
    ProcessSignals signals;
    RelayProcess process({.config = config_,
                          .sink = sink_,
                          .lock = &state,
                          .store = &store,
                          .state = &state,
                          .notifier = notifier,
                          .signals = signals,
                          .clock = clock_,
                          .waits_for_server = waits_});
    return process.Run(RelayIdentity(config_));
  }
  void StopWhenLogged(const std::string& what) {
    log_.At(what, [this] { stop_.Send(); });
  }
  ExitCode RunUntilError() {
    auto ended = Run();
    EXPECT_FALSE(ended);
    if (!ended) text_ = ended.error().ToText();
    return ended ? ExitCode::kOk : ended.error().kind;
  }
  // A checkpoint for these event tables.
  void Store(const std::string& tables) {
    Checkpoint checkpoint;
    checkpoint.relay = "shop";
    checkpoint.tables = {tables};
    checkpoint.position = {.gtids = {}, .file = "binlog.000007", .offset = 157};
    ASSERT_TRUE(CheckpointFile(directory_.path(), "shop").Store(checkpoint));
  }
  // As `status` shows it.
  StoredStatus Status() const {
    const auto status = ReadStatus(directory_.path());
    return status && *status ? **status : StoredStatus();
  }
  // Lets time go by, until the status has been told again.
  void Move(std::chrono::seconds by) {
    clock_.Move(by);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (Status().written_at_us != clock_.WallMicroseconds()) {
      if (std::chrono::steady_clock::now() > deadline) return ADD_FAILURE() << "no status";
      std::this_thread::yield();
    }
  }
  // How often the watchdog is fed while the sink takes as long as that to open, and then `more`.
  std::ptrdiff_t FedWhileTheSinkOpensFor(std::chrono::seconds time, std::chrono::seconds more) {
    std::string heard;
    sink_.at_open = [&, this] {
      for (const std::chrono::seconds by : {std::chrono::seconds(0), time, more}) Move(by);
      heard = manager_.ReceivedAll();
      stop_.Send();
    };
    EXPECT_TRUE(Run());
    std::ptrdiff_t fed = 0;
    for (std::size_t at = 0; (at = heard.find("WATCHDOG=1", at)) != std::string::npos; ++at) ++fed;
    return fed;
  }

  TemporaryDirectory directory_;
  ServiceManager manager_;
  const StopSignal stop_;
  const ClosedPort closed_;
  Config config_;
  bool waits_ = true;
  FakeClock clock_;
  CapturedLog log_;
  FakeSink sink_;
  std::string text_;  // Of the error that ended it.
};

TEST_F(RelayProcessTest, ASecondOneOnAStateDirectoryIsRefusedBeforeItDoesAnything) {
  StateDirectory first(directory_.path());
  ASSERT_TRUE(first.Lock());
  directory_.Write("checkpoint", "junk");
  EXPECT_EQ(RunUntilError(), ExitCode::kOtherActive);
  EXPECT_THAT(text_, AllOf(HasSubstr("another relay works on this state directory: process " +
                                     std::to_string(getpid())),
                           HasSubstr("HINT: stop it first")));
  EXPECT_EQ(sink_.opened, 0);
  EXPECT_EQ(manager_.ReceivedAll(), "");
  EXPECT_EQ(Status().line, "");
}

TEST_F(RelayProcessTest, ADamagedCheckpointEndsItBeforeTheSinkIsOpened) {
  directory_.Write("checkpoint", "junk");
  EXPECT_EQ(RunUntilError(), ExitCode::kCheckpoint);
  EXPECT_EQ(sink_.opened, 0);
  EXPECT_EQ(manager_.ReceivedAll(), "") << "it never was ready";
}

TEST_F(RelayProcessTest, ACheckpointOfOtherTablesEndsItBeforeTheSinkIsOpened) {
  Store("shop.former");
  EXPECT_EQ(RunUntilError(), ExitCode::kCheckpoint);
  EXPECT_THAT(text_, HasSubstr("event table shop.outbox is new to this relay"));
  EXPECT_EQ(sink_.opened, 0);
}

TEST_F(RelayProcessTest, WithNeitherCheckpointNorStartItEndsBeforeTheSinkIsOpened) {
  config_.delivery.start = {};
  EXPECT_EQ(RunUntilError(), ExitCode::kNoStart);
  EXPECT_THAT(text_, StartsWith("relay shop: there is no checkpoint yet"));
  EXPECT_EQ(sink_.opened, 0);
  EXPECT_EQ(manager_.ReceivedAll(), "");
}

TEST_F(RelayProcessTest, WithACheckpointNoStartIsNeeded) {
  config_.delivery.start = {};
  Store("shop.outbox");
  StopWhenLogged("source: ");
  EXPECT_TRUE(Run());
}

TEST_F(RelayProcessTest, AnOperatorsFaultAtTheSinkEndsItBeforeTheSourceIsAsked) {
  sink_.open_error = sinks::Error{sinks::ErrorKind::kDenied, "no such account"};
  EXPECT_EQ(RunUntilError(), ExitCode::kDenied);
  EXPECT_EQ(text_, "no such account");
  EXPECT_THAT(log_.text(), IsEmpty());
  EXPECT_EQ(sink_.closed, 1);
}

TEST_F(RelayProcessTest, ASourceThatIsAwayEndsOneThatDoesNotWait) {
  waits_ = false;
  EXPECT_EQ(RunUntilError(), ExitCode::kUnreachable);
  EXPECT_EQ(sink_.closed, 1);
}

TEST_F(RelayProcessTest, ASignalWhileTheSinkIsWaitedForEndsItCleanly) {
  sink_.open_error = sinks::Error{sinks::ErrorKind::kUnreachable, "nobody there"};
  StopWhenLogged("sink: ");
  EXPECT_TRUE(Run());
  EXPECT_EQ(sink_.closed, 1);
  EXPECT_THAT(log_.text(), AllOf(HasSubstr("stopping"), Not(HasSubstr("source:"))));
}

TEST_F(RelayProcessTest, ASignalWhileTheSourceIsWaitedForEndsItCleanlyAndStoresNothing) {
  StopWhenLogged("source: ");
  EXPECT_TRUE(Run());
  EXPECT_EQ(sink_.closed, 1);
  EXPECT_THAT(directory_.Names(), UnorderedElementsAre("lock", "status"));
  EXPECT_THAT(Status().line, StartsWith("preparing"));
}

TEST_F(RelayProcessTest, ASignalThatCameBeforeEndsItAsSoonAsItBegins) {
  stop_.Send();
  EXPECT_TRUE(Run());
  EXPECT_THAT(log_.text(), HasSubstr("stopping"));
}

TEST_F(RelayProcessTest, TheStateDirectoryIsFreeForTheNextOne) {
  StopWhenLogged("source: ");
  EXPECT_TRUE(Run());
  EXPECT_TRUE(StateDirectory(directory_.path()).Lock());
}

TEST_F(RelayProcessTest, IsReadyBeforeItsServersAre) {
  StopWhenLogged("source: ");
  ASSERT_TRUE(Run());
  EXPECT_EQ(manager_.ReceivedAll(), "READY=1\nSTATUS=preparing\nWATCHDOG=1\nSTOPPING=1\n");
}

TEST_F(RelayProcessTest, WhatItWaitsForStandsInTheStatus) {
  sink_.open_error = sinks::Error{sinks::ErrorKind::kUnreachable, "nobody there"};
  log_.At("sink: ", [this] {
    if (Status().line.contains("Kafka")) return stop_.Send();
    clock_.Move(std::chrono::seconds(6));
  });
  ASSERT_TRUE(Run());
  EXPECT_THAT(Status().line, StartsWith("preparing; Kafka does not answer for "));
  EXPECT_THAT(Status().line, HasSubstr(" s: nobody there"));
  EXPECT_THAT(manager_.ReceivedAll(), HasSubstr("STATUS=" + Status().line));
}

TEST_F(RelayProcessTest, WhatStandsInTheWayIsSaidAgainAfterAMinute) {
  sink_.open_error = sinks::Error{sinks::ErrorKind::kUnreachable, "nobody there"};
  log_.At("sink: ", [this] { clock_.Move(std::chrono::seconds(61)); });
  StopWhenLogged("still ");
  ASSERT_TRUE(Run());
  EXPECT_THAT(log_.text(), HasSubstr("still preparing; Kafka does not answer for "));
}

TEST_F(RelayProcessTest, TheWatchdogIsFedWhileAnAnswerMayBeWaitedFor) {
  EXPECT_EQ(FedWhileTheSinkOpensFor(std::chrono::seconds(10), std::chrono::seconds(6)), 2);
}

TEST_F(RelayProcessTest, TheWatchdogIsNotFedWhenTheAnswerIsOverdue) {
  EXPECT_EQ(FedWhileTheSinkOpensFor(std::chrono::seconds(26), std::chrono::seconds(9)), 1);
}

}  // namespace
}  // namespace outboxd
