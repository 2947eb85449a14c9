#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "daemon/checkpoint/checkpoint_file.h"
#include "daemon/checkpoint/state_directory.h"
#include "daemon/commands/commands.h"
#include "tests/daemon/local_ports.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Of a relay whose server nobody has started, and that prints what it would publish. What it says
// of a server is in tests/daemon/server/check_test.cc.
class CheckTest : public testing::Test {
 protected:
  CheckTest() {
    config_.relay.name = "shop";
    config_.relay.state_directory = config_.relay.spill_directory = directory_ / "state";
    config_.mysql.port = closed_.number();
    config_.outboxes.emplace_back().tables = {"shop.outbox"};
    config_.sink.family = FindSinkFamily("stdout");
    config_.delivery.start.kind = StartChoice::Kind::kNow;
  }
  std::string Check() {
    testing::internal::CaptureStdout();
    result_ = CheckCommand(config_, line_);
    return testing::internal::GetCapturedStdout();
  }
  void Store(const std::string& table) {
    std::filesystem::create_directory(config_.relay.state_directory);
    Checkpoint checkpoint;
    checkpoint.relay = "shop";
    checkpoint.tables = {table};
    ASSERT_TRUE(CheckpointFile(config_.relay.state_directory, "shop").Store(checkpoint));
  }

  TemporaryDirectory directory_;
  const ClosedPort closed_;
  Config config_;
  CommandLine line_;
  Result<void> result_;
};

TEST_F(CheckTest, EachFindingIsALineAndAProblemEndsIt) {
  EXPECT_THAT(Check(), AllOf(StartsWith("ok       checkpoint  none yet; delivery.start counts\n"
                                        "PROBLEM  mysql       mysql at 127.0.0.1:"),
                             HasSubstr("\nok       sink        standard output\n")));
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().kind, ExitCode::kUnreachable);
  EXPECT_EQ(result_.error().ToText(), "1 problem to mend before relay shop can run");
}

TEST_F(CheckTest, ForProgramsTheFindingsAreOneObject) {
  line_.json = true;
  const auto json = nlohmann::json::parse(Check());
  EXPECT_EQ(json["relay"], "shop");
  EXPECT_EQ(json["ready"], false);
  EXPECT_EQ(json["findings"][0]["level"], "ok");
  EXPECT_EQ(json["findings"][0]["subject"], "checkpoint");
  EXPECT_TRUE(json["findings"][0]["remedy"].is_null());
  EXPECT_EQ(json["findings"][1]["level"], "problem");
  EXPECT_EQ(json["findings"][1]["subject"], "mysql");
  EXPECT_EQ(json["findings"][1]["code"], 69);
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().kind, ExitCode::kUnreachable);
  EXPECT_EQ(result_.error().message, "") << "nothing besides it";
}

TEST_F(CheckTest, TheFirstOfSeveralProblemsIsTheExitCode) {
  config_.delivery.start = {};
  EXPECT_THAT(Check(), AllOf(HasSubstr("PROBLEM  checkpoint  none yet, and no start is chosen\n"
                                       "                     -> in [delivery]: start = table,"),
                             HasSubstr("\nPROBLEM  mysql ")));
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().kind, ExitCode::kNoStart);
  EXPECT_EQ(result_.error().ToText(), "2 problems to mend before relay shop can run");
}

TEST_F(CheckTest, MakesNothing) {
  Check();
  EXPECT_FALSE(std::filesystem::exists(config_.relay.state_directory));
}

TEST_F(CheckTest, WorksBesideARunningRelay) {
  StateDirectory running(config_.relay.state_directory);
  ASSERT_TRUE(running.Lock());
  EXPECT_THAT(Check(), Not(HasSubstr("another relay")));
}

TEST_F(CheckTest, AStateDirectoryThatCannotBeMadeIsAProblem) {
  directory_.Write("state", "a file");
  EXPECT_THAT(Check(), StartsWith("PROBLEM  state directory  " + directory_ / "state"));
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().kind, ExitCode::kState);
}

TEST_F(CheckTest, ACheckpointIsNamedByItsPlace) {
  Store("shop.outbox");
  EXPECT_THAT(Check(), StartsWith("ok       checkpoint  " + directory_ / "state/checkpoint\n"));
}

TEST_F(CheckTest, ADamagedCheckpointIsAProblemAndDoesNotHideTheOthers) {
  Store("shop.outbox");
  directory_.Write("state/checkpoint", "junk");
  EXPECT_THAT(Check(), AllOf(StartsWith("PROBLEM  checkpoint  "), HasSubstr("PROBLEM  mysql ")));
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().kind, ExitCode::kCheckpoint);
}

TEST_F(CheckTest, ANewEventTableIsAProblemWithWhatMendsIt) {
  Store("shop.former");
  EXPECT_THAT(Check(),
              AllOf(StartsWith("PROBLEM  checkpoint  event table shop.outbox is new to this relay"),
                    HasSubstr("\n                     -> 'outboxd position set keep' begins it")));
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().kind, ExitCode::kCheckpoint);
}

TEST_F(CheckTest, AWrongMappingIsAProblemBeforeAnyServerIsAsked) {
  config_.outboxes[0].topic = "{";
  EXPECT_THAT(Check(), AllOf(HasSubstr("PROBLEM  mapping "), Not(HasSubstr("mysql at"))));
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().kind, ExitCode::kConfiguration);
}

}  // namespace
}  // namespace outboxd
