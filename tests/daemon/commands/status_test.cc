#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "daemon/checkpoint/alarm_log.h"
#include "daemon/checkpoint/checkpoint_file.h"
#include "daemon/checkpoint/dead_letter_log.h"
#include "daemon/checkpoint/state_directory.h"
#include "daemon/commands/commands.h"
#include "daemon/http/relay_pages.h"
#include "daemon/service/clock.h"
#include "daemon/service/http_server.h"
#include "daemon/status/relay_status.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class StatusTest : public testing::Test {
 protected:
  StatusTest() {
    config_.relay.name = "shop";
    config_.relay.state_directory = directory_.path();
  }
  std::string Status() {
    testing::internal::CaptureStdout();
    result_ = StatusCommand(config_, line_);
    return testing::internal::GetCapturedStdout();
  }
  std::string Alarms(std::vector<std::string> words) {
    testing::internal::CaptureStdout();
    CommandLine line;
    line.words = std::move(words);
    result_ = AlarmsCommand(config_, line);
    return testing::internal::GetCapturedStdout();
  }
  void Raise() {
    ASSERT_TRUE(AlarmLog(directory_.path())
                    .Record({.kind = "statement",
                             .position = "u:7",
                             .text = "a change",
                             .commit_us = 1'760'000'000'000'000}));
  }

  TemporaryDirectory directory_;
  Config config_;
  CommandLine line_;
  Result<void> result_;
};

TEST_F(StatusTest, OfARelayThatNeverRanSaysSo) {
  EXPECT_EQ(Status(),
            "process       not running\n"
            "checkpoint    none yet\n"
            "alarms        0\n");
  ASSERT_FALSE(result_.has_value());
  EXPECT_EQ(result_.error().kind, ExitCode::kNotRunning);
  EXPECT_EQ(result_.error().message, "") << "it is printed already";
}

TEST_F(StatusTest, ShowsTheCheckpoint) {
  Checkpoint checkpoint;
  checkpoint.relay = "shop";
  checkpoint.position = {.gtids = {}, .file = "binlog.000007", .offset = 157};
  ASSERT_TRUE(CheckpointFile(directory_.path(), "shop").Store(checkpoint));
  EXPECT_THAT(Status(),
              AllOf(HasSubstr("file, offset  binlog.000007:157\n"), Not(HasSubstr("none yet"))));
}

TEST_F(StatusTest, ShowsTheEventThatIsHeld) {
  ASSERT_TRUE(StateDirectory(directory_.path())
                  .WriteHeld({.position = "u:7:1",
                              .id = "evt-1",
                              .table = "shop.outbox",
                              .topic = "t",
                              .reason = "topic is missing",
                              .hint = "create it",
                              .since_us = 1'760'000'000'000'000}));
  EXPECT_THAT(Status(), HasSubstr("held          u:7:1 (id evt-1) of table shop.outbox since "
                                  "2025-10-09 08:53:20 UTC: topic is missing HINT: create it\n"));
}

TEST_F(StatusTest, SaysWhatARunningRelayIsDoing) {
  StateDirectory running(directory_.path());
  ASSERT_TRUE(running.Lock());
  RelayStatus status;
  status.written_at_us = SystemClock().WallMicroseconds() - 3'500'000;
  ASSERT_TRUE(WriteStatus(directory_.path(), status));
  EXPECT_THAT(Status(), AllOf(HasSubstr("doing         preparing (as of 3 s ago)\n"),
                              Not(HasSubstr("ended"))));
}

// The hold is recorded at once, what the relay is doing every few seconds.
TEST_F(StatusTest, WhatItHoldsAtSinceItSaidWhatItIsDoingCounts) {
  StateDirectory running(directory_.path());
  ASSERT_TRUE(running.Lock());
  RelayStatus status;
  status.phase = RelayStatus::Phase::kStreaming;
  status.written_at_us = SystemClock().WallMicroseconds() - 4'000'000;
  ASSERT_TRUE(WriteStatus(directory_.path(), status));
  ASSERT_TRUE(running.WriteHeld({.position = "u:7:1",
                                 .id = "evt-1",
                                 .table = "shop.outbox",
                                 .topic = "t",
                                 .reason = "topic is missing",
                                 .since_us = status.written_at_us + 2'500'000}));
  EXPECT_THAT(Status(), AllOf(HasSubstr("doing         holding at event u:7:1 (as of 1 s ago)\n"),
                              Not(HasSubstr("streaming"))));
}

TEST_F(StatusTest, SaysHowAndWhyTheLastRunEnded) {
  RelayStatus status;
  status.written_at_us = 1'760'000'000'000'000;
  ASSERT_TRUE(WriteStatus(directory_.path(), status));
  EXPECT_THAT(Status(), HasSubstr("ended         without a word, behind 2025-10-09 08:53:20 UTC: "
                                  "killed, or the machine went down\n"));
  ASSERT_TRUE(WriteRunEnd(directory_.path(), {.at_us = 1'760'000'001'000'000,
                                              .exit_code = 82,
                                              .text = "the server stopped HINT: stop one"}));
  EXPECT_THAT(Status(), AllOf(HasSubstr("ended         2025-10-09 08:53:21 UTC with code 82: the "
                                        "server stopped HINT: stop one\n"),
                              Not(HasSubstr("doing"))));
  ASSERT_TRUE(WriteRunEnd(directory_.path(), {.at_us = 1'760'000'002'000'000}));
  EXPECT_THAT(Status(),
              HasSubstr("ended         2025-10-09 08:53:22 UTC with code 0: it was stopped\n"));
}

TEST_F(StatusTest, ShowsHowManyDeadLettersThereWereAndTheLast) {
  ASSERT_TRUE(DeadLetterLog(directory_.path())
                  .Count({.position = "u:7:1",
                          .id = "evt-1",
                          .table = "shop.outbox",
                          .topic = "t",
                          .reason = "topic is missing",
                          .hint = "create it",
                          .since_us = 1'760'000'000'000'000}));
  EXPECT_THAT(Status(),
              HasSubstr("dead letters  1, the last one u:7:1 (id evt-1) of table shop.outbox at "
                        "2025-10-09 08:53:20 UTC: topic is missing HINT: create it\n"));
}

TEST_F(StatusTest, ShowsStandingAlarmsUntilTheyAreAcknowledged) {
  Raise();
  EXPECT_THAT(Status(), HasSubstr("alarms        1 HINT: 'outboxd alarms acknowledge'"));
  EXPECT_THAT(Alarms({}), HasSubstr("statement  u:7  2025-10-09 08:53:20 UTC  a change\n"));
  EXPECT_EQ(Alarms({"acknowledge"}), "1 alarms acknowledged\n");
  EXPECT_EQ(Alarms({}), "");
  EXPECT_THAT(Status(), HasSubstr("alarms        0\n"));
}

TEST_F(StatusTest, AlarmsKnowsNoOtherWord) {
  Raise();
  for (const auto& words : {std::vector<std::string>{"acknowledged"}, {"acknowledge", "now"}}) {
    Alarms(words);
    ASSERT_FALSE(result_);
    EXPECT_EQ(result_.error().kind, ExitCode::kUsage);
  }
  EXPECT_THAT(Status(), HasSubstr("alarms        1 "));
}

TEST_F(StatusTest, ADamagedCheckpointIsReportedWithAllTheRest) {
  directory_.Write("checkpoint", "junk");
  Raise();
  EXPECT_THAT(Status(),
              AllOf(HasSubstr("checkpoint    cannot be read\n"), HasSubstr("alarms        1 ")));
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().kind, ExitCode::kCheckpoint);
}

// A relay that runs and answers at its socket.
class RunningStatusTest : public StatusTest {
 protected:
  RunningStatusTest() {
    EXPECT_TRUE(lock_.Lock());
    status_.phase = RelayStatus::Phase::kStreaming;
    status_.receiver = "Kafka";
    status_.lag.proven_for = std::chrono::hours(1);
    status_.written_at_us = clock_.WallMicroseconds();
    status_.server.log.emplace().keeping = {
        .expiry = std::chrono::days(30), .oldest_file = "binlog.000001", .oldest_age = {}};
    Tell();
    auto server = HttpServer::Start(directory_ / "outboxd.sock", pages_);
    EXPECT_TRUE(server);
    server_ = std::move(*server);
  }
  void Tell(const std::string& relay = "shop") {
    pages_.Set({.version = "1.2.3", .relay = relay, .config_hash = ""});
    board_.Set(status_);
  }
  [[nodiscard]] int Code() const { return result_ ? 0 : static_cast<int>(result_.error().kind); }

  const SystemClock clock_;
  StateDirectory lock_{directory_.path()};
  RelayStatus status_;
  HealthBoard health_{clock_};
  StatusBoard board_{clock_};
  RecentRecords records_;
  RelayPages pages_{health_, board_, records_, clock_};
  std::unique_ptr<HttpServer> server_;
};

TEST_F(RunningStatusTest, TellsWhatTheRelayItselfSays) {
  status_.delivered = 17;
  status_.in_flight = 2;
  status_.at_receiver.in_flight_bytes = 1500;
  Tell();
  EXPECT_THAT(Status(),
              AllOf(HasSubstr(fmt::format("process       {}, streaming\n", ::getpid())),
                    HasSubstr("doing         streaming: 17 events delivered"),
                    HasSubstr("rate          0 events/s\n"),
                    HasSubstr("in flight     2 messages, 1.5 kB\n"),
                    HasSubstr("safe outage   30 days, as MySQL is set\n"), Not(HasSubstr("\x1b"))));
  EXPECT_EQ(Code(), 0);
}

TEST_F(RunningStatusTest, EndsWithOneWhereMessagesDoNotFlowOrSomebodyIsNeeded) {
  status_.sink = Outage{status_.written_at_us, "no broker"};
  Tell();
  EXPECT_THAT(Status(), HasSubstr("Kafka does not answer for 0 s: no broker"));
  EXPECT_EQ(Code(), 1);
  status_.sink.reset();
  status_.refused_reload = Outage{status_.written_at_us, "a typing error"};
  Tell();
  Status();
  EXPECT_EQ(Code(), 1);
  status_.refused_reload.reset();
  status_.server.log->is_gone = true;
  status_.server.log->needed_file = "binlog.000007";
  Tell();
  EXPECT_THAT(Status(), HasSubstr("MySQL has removed binlog.000007"));
  EXPECT_EQ(Code(), 1);
  status_.server.log->is_gone = false;
  Tell();
  Raise();
  Status();
  EXPECT_EQ(Code(), 1) << "an alarm stands";
}

TEST_F(RunningStatusTest, OneThatIsParkedIsDown) {
  status_.parked = Outage{status_.written_at_us, "ended with code 77: no password"};
  Tell();
  EXPECT_THAT(Status(),
              AllOf(HasSubstr("process       parked: it has ended, and waits for a person\n"),
                    HasSubstr("doing         ended with code 77: no password\n")));
  EXPECT_EQ(Code(), 3);
}

TEST_F(RunningStatusTest, OneThatDoesNotAnswerIsDegraded) {
  server_.reset();
  ASSERT_TRUE(WriteStatus(directory_.path(), status_));
  EXPECT_THAT(Status(), AllOf(HasSubstr(", which does not answer: socket "),
                              HasSubstr("doing         streaming: 0 events delivered")));
  EXPECT_EQ(Code(), 1);
}

TEST_F(RunningStatusTest, AnotherRelayAtItsSocketSaysNothingOfThisOne) {
  Tell("bakery");
  EXPECT_THAT(Status(), AllOf(HasSubstr("another relay answers there: bakery"),
                              Not(HasSubstr("doing         streaming"))));
  EXPECT_EQ(Code(), 1);
}

TEST_F(RunningStatusTest, AnInitialReadHasABar) {
  status_.phase = RelayStatus::Phase::kInitialRead;
  status_.read = InitialRead{.tables = {{"shop", "outbox", false, {}, 500}}, .begun_us = 1};
  status_.read_rows_estimate = 1000;
  status_.rate = 100;
  Tell();
  EXPECT_THAT(Status(), HasSubstr("read          [############............]  50 %, 500 of about "
                                  "1000 rows, about 5 s left\n"));
}

TEST_F(RunningStatusTest, ForProgramsItIsOneObject) {
  line_.json = true;
  Raise();
  const auto json = nlohmann::json::parse(Status());
  EXPECT_EQ(json["verdict"], "degraded");
  EXPECT_EQ(json["process"], ::getpid());
  EXPECT_EQ(json["status"]["state"], "streaming");
  EXPECT_EQ(json["alarms"][0]["position"], "u:7");
  EXPECT_TRUE(json["ended"].is_null());
  EXPECT_EQ(Code(), 1);
}

TEST_F(StatusTest, ForProgramsItTellsHowTheLastRunEnded) {
  line_.json = true;
  RelayStatus status;
  status.written_at_us = 1'760'000'000'000'000;
  ASSERT_TRUE(WriteStatus(directory_.path(), status));
  auto json = nlohmann::json::parse(Status());
  EXPECT_EQ(json["verdict"], "down");
  EXPECT_TRUE(json["status"].is_null());
  EXPECT_TRUE(json["ended"]["code"].is_null()) << "killed";
  ASSERT_TRUE(WriteRunEnd(directory_.path(),
                          {.at_us = 1'760'000'001'000'000, .exit_code = 82, .text = "why"}));
  json = nlohmann::json::parse(Status());
  EXPECT_EQ(json["ended"]["code"], 82);
  EXPECT_EQ(json["ended"]["text"], "why");
  EXPECT_EQ(json["ended"]["at"], 1'760'000'001.0);
}

}  // namespace
}  // namespace outboxd
