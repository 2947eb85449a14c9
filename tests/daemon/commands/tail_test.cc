#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "daemon/commands/commands.h"
#include "tests/daemon/captured_log.h"
#include "tests/daemon/local_ports.h"
#include "tests/daemon/stop_signal.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// Of a server that nobody has started; what it prints of one is in
// tests/daemon/server/tail_test.cc.
class TailTest : public testing::Test {
 protected:
  TailTest() {
    config_.relay.name = "shop";
    config_.relay.state_directory = directory_ / "state";
    config_.mysql.port = closed_.number();
    config_.outboxes.emplace_back().tables = {"shop.outbox"};
  }
  // Its exit code.
  ExitCode Tail(const std::string& from = {}) {
    CommandLine line;
    line.from = from;
    testing::internal::CaptureStdout();
    const auto ended = TailCommand(config_, line);
    printed_ = testing::internal::GetCapturedStdout();
    text_ = ended ? "" : ended.error().ToText();
    return ended ? ExitCode::kOk : ended.error().kind;
  }

  TemporaryDirectory directory_;
  const StopSignal stop_;
  const ClosedPort closed_;
  Config config_;
  CapturedLog log_;
  std::string printed_, text_;
};

TEST_F(TailTest, AServerThatIsAwayIsNotWaitedFor) {
  EXPECT_EQ(Tail(), ExitCode::kUnreachable);
  EXPECT_THAT(text_, StartsWith("mysql at 127.0.0.1:"));
  EXPECT_THAT(log_.text(), Not(HasSubstr("trying again")));
  EXPECT_THAT(printed_, IsEmpty());
}

TEST_F(TailTest, LeavesNoState) {
  EXPECT_EQ(Tail("table"), ExitCode::kUnreachable);
  EXPECT_THAT(directory_.Names(), IsEmpty());
}

TEST_F(TailTest, NeedsNeitherStartNorCheckpoint) {
  config_.delivery.start = {};
  EXPECT_EQ(Tail(), ExitCode::kUnreachable);
}

TEST_F(TailTest, NeedsNoKafka) {
  config_.sink.settings = {{"kafka", "no.such.property", "1"}};
  EXPECT_EQ(Tail(), ExitCode::kUnreachable);
}

TEST_F(TailTest, APlaceThatIsNoneIsNamedWithWhatThereIs) {
  EXPECT_EQ(Tail("yesterday"), ExitCode::kUsage);
  EXPECT_THAT(text_, StartsWith("--from: 'yesterday' is none of: table, earliest, now, gtid:SET"));
}

TEST_F(TailTest, KeepIsForPositionSetAlone) { EXPECT_EQ(Tail("keep"), ExitCode::kUsage); }

TEST_F(TailTest, APlaceInAFileIsShownToTheServerFirst) {
  EXPECT_EQ(Tail("file:binlog.000001:4"), ExitCode::kUnreachable);
  EXPECT_THAT(log_.text(), IsEmpty());
}

TEST_F(TailTest, ASignalEndsItCleanly) {
  stop_.Send();
  EXPECT_EQ(Tail(), ExitCode::kOk);
}

}  // namespace
}  // namespace outboxd
