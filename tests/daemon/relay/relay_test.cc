#include "daemon/relay/relay.h"

#include <gtest/gtest.h>

#include <deque>

#include "tests/binlog/event_bytes.h"
#include "tests/daemon/fakes.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using binlog::EventBytes;
using binlog::EventType;
using std::chrono::milliseconds;

constexpr std::string_view kUuid = "11111111-1111-1111-1111-111111111111";

// A server whose whole log is a list of transactions, each with the ids of its events.
class FakeSource final : public binlog::EventSource {
 public:
  binlog::Result<binlog::StreamIdentity> Open(const binlog::Position& from) override {
    ++opened;
    if (open_error) return std::unexpected(*open_error);
    from_ = from.gtids.ToText();
    events_.clear();
    Add(EventType::kRotate, EventBytes().Little(4, 8).Text("binlog.000001"),
        binlog::EventHeader::kArtificial);
    AddFormatDescription();
    for (std::uint64_t number = 1; number <= transactions.size(); ++number) {
      const binlog::Gtid gtid{{binlog::ParseUuid(kUuid).value(), ""}, number};
      if (!from.gtids.Contains(gtid)) AddTransaction(number, transactions[number - 1]);
    }
    return binlog::StreamIdentity{
        .server_uuid = std::string(kUuid), .by_gtid = true, .has_checksums = false};
  }
  binlog::Result<binlog::Bytes> Next() override {
    if (fails_after == 0) {
      fails_after = -1;
      return binlog::Fail(next_error, "injected");
    }
    if (fails_after > 0) --fails_after;
    if (events_.empty()) return binlog::Bytes(heartbeat_);
    current_ = std::move(events_.front());
    events_.pop_front();
    return binlog::Bytes(current_);
  }
  void Interrupt() override { interrupted = true; }
  void Close() override {}

  std::vector<std::vector<std::string>> transactions;
  std::optional<binlog::Error> open_error;
  binlog::ErrorKind next_error = binlog::ErrorKind::kDisconnected;
  int fails_after = -1;  // Events until Next() fails once; negative: it does not.
  int opened = 0;
  bool interrupted = false;
  std::string from_;

 private:
  void Add(EventType type, const EventBytes& body, std::uint16_t flags = 0) {
    end_ += static_cast<std::uint32_t>(binlog::kEventHeaderBytes + body.bytes().size());
    events_.push_back(MakeEvent(type, body, end_, flags));
  }
  void AddFormatDescription() {
    EventBytes body;
    body.Little(4, 2).Text("9.7.4").Text(std::string(45, '\0')).Little(0, 4).Little(19, 1);
    Add(EventType::kFormatDescription, body.Text(std::string(42, '\x01')).Little(0, 5));
  }
  // Columns id, aggregatetype, aggregateid, payload, all VARCHAR(100) in utf8mb4.
  void AddTransaction(std::uint64_t number, const std::vector<std::string>& ids) {
    EventBytes gtid;
    Add(EventType::kGtid, gtid.Little(0, 1).Text(std::string(16, '\x11')).Little(number, 8));
    EventBytes begin;
    Add(EventType::kQuery, begin.Little(0, 14).Text("BEGIN"));
    EventBytes map;
    map.Little(70, 6).Little(1, 2).Little(4, 1).Text("shop").Little(0, 1);
    map.Little(6, 1).Text("outbox").Little(0, 1).Little(4, 1).Text("\x0f\x0f\x0f\x0f");
    map.Little(8, 1).Little(100, 2).Little(100, 2).Little(100, 2).Little(100, 2).Little(0, 1);
    map.Little(2, 1).Little(1, 1).Little(45, 1);  // The default character set.
    const std::string names =
        "\x02id\x0d"
        "aggregatetype\x0b"
        "aggregateid\x07payload";
    Add(EventType::kTableMap, map.Little(4, 1).Little(names.size(), 1).Text(names));
    for (const std::string& id : ids) {
      EventBytes row;
      row.Little(70, 6).Little(1, 2).Little(2, 2).Little(4, 1).Little(0x0f, 1).Little(0, 1);
      row.Little(id.size(), 1).Text(id).Little(5, 1).Text("order").Little(1, 1).Text("k");
      Add(EventType::kWriteRows, row.Little(1, 1).Text("p"));
      if (&id != &ids.back()) Add(EventType::kTableMap, map);
    }
    Add(EventType::kXid, EventBytes().Little(1, 8));
  }

  const std::vector<std::uint8_t> heartbeat_ =
      MakeEvent(EventType::kHeartbeat, EventBytes().Text("binlog.000001"), 0);
  std::deque<std::vector<std::uint8_t>> events_;
  std::vector<std::uint8_t> current_;
  std::uint32_t end_ = 4;
};

std::vector<OutboxMapping> Mappings() {
  OutboxConfig config;
  config.payload = "payload";
  std::vector<OutboxMapping> mappings;
  mappings.push_back(OutboxMapping::Compile(config).value());
  return mappings;
}

class RelayTest : public ::testing::Test {
 protected:
  // Steps until nothing is left to do but wait for the source; acknowledges on the way if asked to.
  Result<void> Work(bool acknowledge, int steps = 300) {
    for (int i = 0; i < steps; ++i) {
      auto step = relay_.ReadStep();
      if (!step) return std::unexpected(step.error());
      if (step->kind == Step::Kind::kStopped) return {};
      clock_.Move(step->pause);
      if (acknowledge) sink_.AcknowledgeAll();
      Report();
    }
    return {};
  }
  void Report() {
    sinks::DeliveryReports reports;
    sink_.Poll(milliseconds(0), reports);
    tracker_.Report(reports);
  }
  std::string Done() { return tracker_.progress().position.gtids.ToText(); }

  TemporaryDirectory directory_;
  StateDirectory state_{directory_.path()};
  FakeClock clock_;
  FakeSource source_;
  FakeSink sink_;
  binlog::CharacterSets character_sets_;
  binlog::TableFilter filter_{{{"shop", "outbox", Mappings()[0].columns(), {}}}};
  binlog::TransactionReader transactions_{filter_, {directory_.path()}};
  binlog::RowReader rows_{filter_, character_sets_};
  DeliveryTracker tracker_{Progress{}};
  Publisher publisher_{Mappings(), sink_, tracker_, &state_, clock_, {}};
  ChangeWatch changes_{DeliveryConfig{}, nullptr, clock_};
  Relay relay_{{source_, transactions_, rows_, sink_, tracker_, publisher_, changes_, clock_}, {}};
};

TEST_F(RelayTest, DeliversWhatWasCommittedAndMovesTheProgress) {
  source_.transactions = {{"a", "b"}, {}, {"c"}};
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(sink_.delivered.size(), 3u);
  EXPECT_EQ(Done(), fmt::format("{}:1-3", kUuid));
}

TEST_F(RelayTest, AReconnectGoesOnBehindWhatWasReadAndRepeatsNothing) {
  source_.transactions = {{"a"}, {"b"}, {"c"}};
  source_.fails_after = 9;  // Within the second transaction.
  ASSERT_TRUE(Work(false));
  EXPECT_EQ(source_.opened, 2);
  EXPECT_EQ(source_.from_, fmt::format("{}:1", kUuid));
  EXPECT_EQ(sink_.in_flight.size(), 3u);
}

TEST_F(RelayTest, ALostProducerIsReplacedAndWhatIsNotAcknowledgedSentAgain) {
  source_.transactions = {{"a"}, {"b"}, {"c"}};
  ASSERT_TRUE(Work(false));
  sink_.Acknowledge();
  Report();
  sink_.Lose("fatal");
  Report();
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(sink_.opened, 2);
  EXPECT_EQ(source_.from_, fmt::format("{}:1", kUuid));
  EXPECT_EQ(sink_.delivered.size(), 3u);
  EXPECT_EQ(Done(), fmt::format("{}:1-3", kUuid));
}

TEST_F(RelayTest, HoldsAtARefusedMessageAndNothingBehindItIsSent) {
  source_.transactions = {{"a"}, {"b"}, {"c"}};
  ASSERT_TRUE(Work(false));
  sink_.Acknowledge();
  sink_.Refuse("too large");  // "b"
  Report();
  for (int i = 0; i < 400; ++i) {
    ASSERT_TRUE(Work(false, 1));
    ASSERT_LE(sink_.in_flight.size(), 1u);
    if (!sink_.in_flight.empty()) sink_.Refuse("too large");
    Report();
  }
  EXPECT_TRUE(publisher_.held());
  EXPECT_EQ(Done(), fmt::format("{}:1", kUuid));
  ASSERT_TRUE(Work(true, 1000));
  EXPECT_FALSE(publisher_.held());
  EXPECT_EQ(Done(), fmt::format("{}:1-3", kUuid));
}

TEST_F(RelayTest, NeverGivesUpOnAServerThatIsAway) {
  source_.open_error = binlog::Error{binlog::ErrorKind::kDisconnected, "refused"};
  source_.transactions = {{"a"}};
  ASSERT_TRUE(Work(true, 2000));
  source_.open_error.reset();
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(sink_.delivered.size(), 1u);
}

TEST_F(RelayTest, EndsWhenTheServerHasPurgedWhatIsNeeded) {
  source_.open_error = binlog::Error{binlog::ErrorKind::kGone, "purged"};
  const auto ended = Work(true);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().exit_code, ExitCode::kGap);
}

TEST_F(RelayTest, ReadsADamagedEventAgainAndEndsAtTheThirdTime) {
  source_.next_error = binlog::ErrorKind::kCorrupt;
  source_.transactions = {{"a"}};
  source_.fails_after = 3;
  ASSERT_TRUE(Work(true));
  EXPECT_EQ(source_.opened, 2);
  EXPECT_EQ(sink_.delivered.size(), 1u);
}

TEST_F(RelayTest, AWrongPasswordEndsTheStartButNotARunningRelay) {
  source_.open_error = binlog::Error{binlog::ErrorKind::kDenied, "wrong password"};
  const auto ended = Work(true);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().exit_code, ExitCode::kDenied);
}

TEST_F(RelayTest, RefusesAnotherKafkaClusterThanTheCheckpoints) {
  tracker_.SetSink("another");
  const auto ended = Work(true);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().exit_code, ExitCode::kCheckpoint);
}

TEST_F(RelayTest, StopsBehindTheTransactionInHand) {
  source_.transactions = {{"a"}};
  ASSERT_TRUE(Work(true));
  relay_.RequestStop();
  EXPECT_TRUE(source_.interrupted);
  EXPECT_EQ(relay_.ReadStep()->kind, Step::Kind::kStopped);
}

}  // namespace
}  // namespace outboxd
