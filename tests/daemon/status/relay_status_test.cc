#include "daemon/status/relay_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using Phase = RelayStatus::Phase;

constexpr std::uint64_t kNow = 1'700'000'000'000'000;

// So many seconds ago.
std::uint64_t Ago(std::uint64_t time_s) { return kNow - 1'000'000 * time_s; }

RelayStatus In(Phase phase) {
  RelayStatus status;
  status.phase = phase;
  status.receiver = "Kafka";
  status.written_at_us = kNow;
  status.lag.proven_for = seconds(1);
  return status;
}

RelayStatus Streaming() {
  RelayStatus status = In(Phase::kStreaming);
  status.delivered = 17;
  status.file = "binlog.000003";
  status.offset = 1234;
  return status;
}

RelayStatus Reading() {
  RelayStatus status = In(Phase::kInitialRead);
  status.read = InitialRead{.tables = {{.schema_name = "shop", .table_name = "a", .rows = 100},
                                       {.schema_name = "shop", .table_name = "b", .rows = 150}}};
  return status;
}

std::string Line(const RelayStatus& status) { return StatusLine(status, kNow); }

TEST(StatusLineTest, NamesThePhase) {
  EXPECT_EQ(Line(In(Phase::kPreparing)), "preparing");
  EXPECT_EQ(Line(In(Phase::kInitialRead)), "initial read; lag: 0 s");
  EXPECT_EQ(Line(In(Phase::kStopping)), "stopping; lag: 0 s");
}

TEST(StatusLineTest, TellsWhatIsDeliveredOfTheStream) {
  EXPECT_EQ(Line(Streaming()), "streaming: 17 events delivered; at binlog.000003:1234; lag: 0 s");
}

TEST(StatusLineTest, TellsWhatWasSkippedApartFromWhatIsDelivered) {
  RelayStatus status = Streaming();
  status.delivered = 1;
  status.skipped = 2;
  EXPECT_EQ(Line(status),
            "streaming: 1 event delivered, 2 skipped; at binlog.000003:1234; lag: 0 s");
}

TEST(StatusLineTest, NamesNoPlaceWhereNoneIsKnown) {
  RelayStatus status = Streaming();
  status.file.clear();
  status.offset = 0;
  EXPECT_EQ(Line(status), "streaming: 17 events delivered; lag: 0 s");
}

TEST(StatusLineTest, TellsTheRowsOfAllTablesOfTheRead) {
  EXPECT_EQ(Line(Reading()), "initial read: 250 rows delivered; lag: 0 s");
}

TEST(StatusLineTest, TellsTheShareOfTheReadAndItsTimeLeftWhereTheyAreKnown) {
  RelayStatus status = Reading();
  status.read_rows_estimate = 1000;
  EXPECT_EQ(Line(status), "initial read: 250 rows delivered, about 25 % of 1000; lag: 0 s");
  status.rate = 50;
  EXPECT_EQ(Line(status),
            "initial read: 250 rows delivered, about 25 % of 1000, about 15 s left; lag: 0 s");
}

TEST(StatusLineTest, AnEstimateThatIsTooLowIsNotTold) {
  RelayStatus status = Reading();
  status.read_rows_estimate = 200;
  EXPECT_EQ(Line(status), "initial read: 250 rows delivered; lag: 0 s");
}

TEST(StatusLineTest, AHeldEventComesBeforeThePhase) {
  RelayStatus status = Reading();
  status.held.emplace().position = "table:shop.a:7";
  status.held->since_us = Ago(90);
  EXPECT_EQ(Line(status), "holding at event table:shop.a:7 for 90 s; lag: 0 s");
  status.held->reason = "topic a is missing";
  EXPECT_EQ(Line(status), "holding at event table:shop.a:7 for 90 s: topic a is missing; lag: 0 s");
}

TEST(ReminderTextTest, OfAHeldEventSaysWhyAndWhatToType) {
  RelayStatus status = Streaming();
  status.held.emplace().position = "u:7:1";
  status.held->since_us = Ago(65);
  status.held->reason = "too large";
  status.held->hint = "raise max.message.bytes";
  status.lag.oldest = seconds(66);
  EXPECT_EQ(ReminderText(status, kNow),
            "still holding at event u:7:1 for 65 s: too large; lag: 66.0 s HINT: raise"
            " max.message.bytes; 'outboxd skip u:7:1' drops this event, and it only");
  status.held->hint.clear();
  EXPECT_THAT(ReminderText(status, kNow),
              testing::EndsWith("lag: 66.0 s HINT: 'outboxd skip u:7:1' drops this event, and it"
                                " only"));
}

TEST(ReminderTextTest, OfAnOutageSaysWhatStandsInTheWay) {
  RelayStatus status = In(Phase::kPreparing);
  status.sink = Outage{Ago(3), "no broker"};
  EXPECT_EQ(ReminderText(status, kNow),
            "still preparing; Kafka does not answer for 3 s: no broker");
}

TEST(StatusLineTest, TellsOutagesOfBothSidesInEveryPhase) {
  for (const Phase phase :
       {Phase::kPreparing, Phase::kInitialRead, Phase::kStreaming, Phase::kStopping}) {
    RelayStatus status = In(phase);
    status.source = Outage{Ago(12), "connection refused"};
    status.sink = Outage{Ago(3), "no broker"};
    EXPECT_THAT(Line(status), HasSubstr("; MySQL does not answer for 12 s: connection refused;"
                                        " Kafka does not answer for 3 s: no broker"));
  }
}

TEST(StatusLineTest, TellsThatTheSourceIsCutOffFromItsGroup) {
  RelayStatus status = Streaming();
  status.cut_off = Outage{Ago(75), "it has left it"};
  EXPECT_THAT(Line(status),
              HasSubstr("; MySQL is cut off from its group for 75 s: it has left it; lag"));
}

TEST(StatusLineTest, TellsThatTheStateDirectoryFails) {
  RelayStatus status = Streaming();
  status.state = Outage{Ago(5), "/s/checkpoint.new: write failed: No space left on device"};
  EXPECT_THAT(Line(status), HasSubstr("; the state directory fails for 5 s: /s/checkpoint.new:"
                                      " write failed: No space left on device; lag"));
}

TEST(StatusLineTest, AnOutageFromTheFutureIsAsOfNow) {
  RelayStatus status = In(Phase::kPreparing);
  status.source = Outage{kNow + 5'000'000, "refused"};
  EXPECT_EQ(Line(status), "preparing; MySQL does not answer for 0 s: refused");
}

TEST(StatusLineTest, TellsWhatIsOnItsWayAndHowOldItIs) {
  RelayStatus status = Streaming();
  status.in_flight = 1;
  EXPECT_THAT(Line(status), testing::EndsWith("; 1 message in flight; lag: 0 s"));
  status.in_flight = 2;
  status.lag.oldest = seconds(4);
  EXPECT_THAT(Line(status), testing::EndsWith("; 2 messages in flight; lag: 4.0 s"));
  status.server.lag_bytes = 1'449'999;
  EXPECT_THAT(Line(status), testing::EndsWith("; lag: 4.0 s, 1.4 MB of binary log"));
}

TEST(StatusLineTest, TellsALagThatIsNotKnownAndNeverThatItIsNothing) {
  RelayStatus status = Streaming();
  status.lag = {};
  EXPECT_THAT(Line(status), testing::EndsWith("; lag: not known yet"));
  status.server.lag_bytes = 700;
  EXPECT_THAT(Line(status), testing::EndsWith("; lag: not known yet, 700 bytes of binary log"));
  status.lag.oldest = std::chrono::microseconds(300);
  status.server.lag_bytes.reset();
  EXPECT_THAT(Line(status), testing::EndsWith("; lag: 0.1 s"));
  EXPECT_EQ(Line(RelayStatus{}), "preparing") << "nothing is read yet";
}

TEST(StatusLineTest, ALagGoesOnWhileNothingIsWritten) {
  RelayStatus status = Streaming();
  status.lag = {.oldest = {}, .done = seconds(3), .proven_for = seconds(8)};
  EXPECT_THAT(StatusLine(status, kNow + 7'000'000), testing::EndsWith("; lag: 0 s"));
  EXPECT_THAT(StatusLine(status, kNow + 9'000'000), testing::EndsWith("; lag: 12.0 s"));
}

TEST(StatusLineTest, TellsThatMysqlHasAnotherTimeOfDay) {
  RelayStatus status = Streaming();
  status.server.clock_ahead = std::chrono::milliseconds(-999);
  EXPECT_THAT(Line(status), testing::EndsWith("; lag: 0 s"));
  status.server.clock_ahead = std::chrono::milliseconds(1500);
  EXPECT_THAT(Line(status), testing::EndsWith("; MySQL's clock is 1.5 s ahead"));
  status.server.clock_ahead = seconds(-3600);
  EXPECT_THAT(Line(status), testing::EndsWith("; MySQL's clock is 3600.0 s behind"));
}

TEST(StatusLineTest, TellsThatTheServerIsAboutToRemoveWhatIsNotDelivered) {
  RelayStatus status = Streaming();
  status.lag = {.oldest = std::chrono::hours(6), .done = {}};
  status.server.log.emplace().keeping.expiry = std::chrono::hours(12);
  EXPECT_THAT(Line(status), testing::EndsWith("; lag: 21600.0 s"));
  EXPECT_THAT(StatusLine(status, kNow + 1'000'000),
              testing::EndsWith("; MySQL may remove what is not delivered in 5 h"));
}

TEST(OldestNeededTest, IsTheLagOrAnOlderTransactionThatIsPrepared) {
  RelayStatus status = Streaming();
  EXPECT_EQ(OldestNeeded(status), seconds(0));
  status.lag = {.oldest = seconds(5), .done = {}};
  EXPECT_EQ(OldestNeeded(status, seconds(2)), seconds(7));
  status.written_at_us = kNow;
  status.held_xa = {{"a", "place", kNow - 60'000'000}, {"b", "place", kNow - 1'000'000}};
  EXPECT_EQ(OldestNeeded(status, seconds(2)), seconds(62));
  status.held_xa[1].since_us = 0;
  EXPECT_EQ(OldestNeeded(status), std::nullopt);
  status.held_xa.clear();
  status.lag = {};
  EXPECT_EQ(OldestNeeded(status), std::nullopt);
}

TEST(StatusLineTest, TellsTheLagInBytesInUnitsThatFit) {
  const auto lag = [](std::uint64_t bytes) {
    RelayStatus status = In(Phase::kStreaming);
    status.server.lag_bytes = bytes;
    const std::string line = Line(status);
    return line.substr(line.find("lag: "));
  };
  EXPECT_EQ(lag(0), "lag: 0 s, 0 bytes of binary log");
  EXPECT_EQ(lag(1), "lag: 0 s, 1 byte of binary log");
  EXPECT_EQ(lag(999), "lag: 0 s, 999 bytes of binary log");
  EXPECT_EQ(lag(1000), "lag: 0 s, 1.0 kB of binary log");
  EXPECT_EQ(lag(999'949), "lag: 0 s, 999.9 kB of binary log");
  EXPECT_EQ(lag(999'950), "lag: 0 s, 1.0 MB of binary log");
  EXPECT_EQ(lag(2'500'000'000), "lag: 0 s, 2.5 GB of binary log");
  EXPECT_EQ(lag(5'000'000'000'000'000), "lag: 0 s, 5000.0 TB of binary log");
}

TEST(StatusLineTest, TellsPreparedXaTransactionsAndAlarms) {
  RelayStatus status = Streaming();
  status.held_xa = {{"x", "binlog.000001:4", Ago(60)}};
  status.alarms = 1;
  EXPECT_THAT(Line(status), testing::EndsWith("; 1 prepared XA transaction held, the oldest"
                                              " binlog.000001:4 for 60 s; 1 alarm standing"));
  status.held_xa = {{"x", "binlog.000001:4", 0}, {"y", "binlog.000001:900", Ago(1)}};
  status.alarms = 2;
  EXPECT_THAT(Line(status), testing::EndsWith("; 2 prepared XA transactions held, the oldest"
                                              " binlog.000001:4; 2 alarms standing"));
}

TEST(RelayStatusTest, WhatIsWrittenIsReadBack) {
  const TemporaryDirectory directory;
  RelayStatus status = Streaming();
  status.source = Outage{Ago(12), "caf\xe9 \"quoted\""};
  status.written_at_us = kNow;
  ASSERT_TRUE(WriteStatus(directory.path(), status));
  const auto stored = ReadStatus(directory.path());
  ASSERT_TRUE(stored && *stored);
  EXPECT_THAT((*stored)->line, HasSubstr("streaming: 17 events delivered"));
  EXPECT_THAT((*stored)->line, HasSubstr("for 12 s"));
  EXPECT_EQ((*stored)->written_at_us, kNow);
  EXPECT_THAT(directory.Names(), ElementsAre("status"));
}

// Zero is said when it is known.
TEST(RelayStatusTest, ALagThatIsNotKnownHasNoKey) {
  const TemporaryDirectory directory;
  RelayStatus status = Streaming();
  const auto written = [&] {
    EXPECT_TRUE(WriteStatus(directory.path(), status));
    return directory.Read("status");
  };
  EXPECT_THAT(written(), testing::Not(HasSubstr("lag_bytes")));
  status.server.lag_bytes = 0;
  EXPECT_THAT(written(), HasSubstr("\"lag_bytes\":0"));
  status.server.lag_bytes = 12'345;
  EXPECT_THAT(written(), HasSubstr("\"lag_bytes\":12345"));
  EXPECT_THAT(written(), HasSubstr("\"lag_seconds\":0.0"));
  status.lag = {};
  EXPECT_THAT(written(), testing::Not(HasSubstr("lag_seconds")));
}

TEST(RelayStatusTest, AFileOfAnotherVersionCanBeRead) {
  const TemporaryDirectory directory;
  directory.Write("status", "{\"line\":\"a\",\"of a later version\":{},\"written_at_us\":2}");
  EXPECT_EQ(ReadStatus(directory.path()).value()->line, "a");
}

TEST(RelayStatusTest, TheEndOfARunIsKeptUntilTheNextRun) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(WriteStatus(directory.path(), Streaming()));
  EXPECT_FALSE(ReadStatus(directory.path()).value()->end);
  ASSERT_TRUE(WriteRunEnd(directory.path(), {.at_us = kNow, .exit_code = 82, .text = "another"}));
  const auto stored = ReadStatus(directory.path()).value();
  EXPECT_THAT(stored->line, HasSubstr("streaming: 17 events delivered"));
  ASSERT_TRUE(stored->end);
  EXPECT_EQ(stored->end->at_us, kNow);
  EXPECT_EQ(stored->end->exit_code, 82);
  EXPECT_EQ(stored->end->text, "another");
  ASSERT_TRUE(WriteStatus(directory.path(), Streaming()));
  EXPECT_FALSE(ReadStatus(directory.path()).value()->end);
}

TEST(RelayStatusTest, ARunThatEndsBeforeItWroteAnythingIsToldToo) {
  const TemporaryDirectory directory;
  for (const char* contents : {"", "nonsense", "[]"}) {
    if (*contents != '\0') directory.Write("status", contents);
    ASSERT_TRUE(WriteRunEnd(directory.path(), {.at_us = kNow, .exit_code = 77, .text = "denied"}));
    EXPECT_EQ(ReadStatus(directory.path()).value()->end->text, "denied") << contents;
  }
}

TEST(RelayStatusTest, TheLastOneWrittenCounts) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(WriteStatus(directory.path(), Streaming()));
  ASSERT_TRUE(WriteStatus(directory.path(), Reading()));
  EXPECT_THAT(ReadStatus(directory.path()).value()->line, HasSubstr("initial read"));
}

TEST(RelayStatusTest, WithoutAFileThereIsNone) {
  const TemporaryDirectory directory;
  const auto stored = ReadStatus(directory.path());
  ASSERT_TRUE(stored);
  EXPECT_FALSE(*stored);
}

TEST(RelayStatusTest, AFileThatIsNoStatusIsAnError) {
  const TemporaryDirectory directory;
  for (const char* contents : {"", "nonsense", "{}", "{\"line\":1,\"written_at_us\":2}",
                               "{\"line\":\"a\",\"written_at_us\":\"b\"}", "[]"}) {
    directory.Write("status", contents);
    const auto stored = ReadStatus(directory.path());
    ASSERT_FALSE(stored) << contents;
    EXPECT_THAT(stored.error().message, HasSubstr("status"));
  }
}

TEST(RelayStatusTest, ADirectoryThatIsMissingCannotBeWrittenTo) {
  const TemporaryDirectory directory;
  const auto written = WriteStatus(directory / "missing", Streaming());
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ExitCode::kState);
}

}  // namespace
}  // namespace outboxd
