#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "daemon/commands/commands.h"
#include "tests/daemon/captured_log.h"
#include "tests/daemon/server/event_table.h"
#include "tests/daemon/server/watched_stdout.h"
#include "tests/daemon/stop_signal.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class TailServerTest : public EventTableTest {
 protected:
  // What it prints from `from` on until it is stopped, behind so many messages.
  std::vector<std::string> Tail(const std::string& from, std::size_t messages) {
    CommandLine line;
    line.from = from;
    line.explain = explain_;
    WatchedStdout printed([this, messages](std::size_t lines) {
      if (lines == messages) stop_.Send();
    });
    const auto ended = TailCommand(config_, line);
    EXPECT_TRUE(ended) << (ended ? "" : ended.error().ToText());
    return printed.Close();
  }

  const StopSignal stop_;
  CapturedLog log_;
  bool explain_ = false;
};

TEST_F(TailServerTest, PrintsWhatIsInTheTable) {
  Insert("old1");
  Insert("old2");
  EXPECT_THAT(Tail("table", 2),
              ElementsAre(HasSubstr(R"(["id","old1"])"), HasSubstr(R"(["id","old2"])")));
}

TEST_F(TailServerTest, PrintsWhatComesFromNowOn) {
  Insert("old");
  log_.At("reading the binary log", [this] { Insert("new"); });
  EXPECT_THAT(Tail("", 1), ElementsAre(AllOf(HasSubstr(R"("topic":"outbox.event.order")"),
                                             HasSubstr(R"(["id","new"])"))));
}

TEST_F(TailServerTest, LeavesNoStateAndDisturbsNoRelay) {
  Insert("old");
  Tail("table", 1);
  EXPECT_THAT(directory_.Names(), IsEmpty());
}

TEST_F(TailServerTest, PrintsFromAPlaceInAFile) {
  const auto [file, offset] = EndOfLog();
  Insert("e1");
  EXPECT_THAT(Tail(fmt::format("file:{}:{}", file, offset), 1),
              ElementsAre(HasSubstr(R"(["id","e1"])")));
}

TEST_F(TailServerTest, ExplainsEachPartBesideTheMessages) {
  Insert("e1");
  explain_ = true;
  testing::internal::CaptureStderr();
  EXPECT_THAT(Tail("table", 1), ElementsAre(HasSubstr(R"(["id","e1"])")));
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("event "), HasSubstr("outbox.event.{aggregatetype}"),
                    HasSubstr("outbox.event.order\n")));
}

TEST_F(TailServerTest, APlaceBehindTheEndOfAFileIsRefused) {
  CommandLine line;
  line.from = fmt::format("file:{}:{}", EndOfLog().first, 4'000'000'000U);
  const auto ended = TailCommand(config_, line);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ExitCode::kUsage);
  EXPECT_THAT(ended.error().ToText(), HasSubstr("there is no place 4000000000 in it"));
}

}  // namespace
}  // namespace outboxd
