#include "daemon/commands/terminal.h"

#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <cstdlib>

namespace outboxd {
namespace {

// A terminal that nobody sits at.
class TerminalTest : public testing::Test {
 protected:
  TerminalTest() {
    EXPECT_EQ(::openpty(&master_, &terminal_, nullptr, nullptr, nullptr), 0);
    ::setenv("TERM", "xterm", 1);
    ::unsetenv("NO_COLOR");
  }
  ~TerminalTest() override {
    ::close(master_);
    ::close(terminal_);
    ::unsetenv("NO_COLOR");
  }

  int master_ = -1, terminal_ = -1;
};

TEST_F(TerminalTest, TakesColoursUnlessNoColorIsSet) {
  EXPECT_TRUE(IsTerminal(terminal_));
  EXPECT_TRUE(TakesColours(terminal_));
  ::setenv("NO_COLOR", "", 1);
  EXPECT_TRUE(TakesColours(terminal_)) << "empty is as good as not set";
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(TakesColours(terminal_));
}

TEST_F(TerminalTest, ADumbOneAndAPipeTakeNone) {
  ::setenv("TERM", "dumb", 1);
  EXPECT_FALSE(TakesColours(terminal_));
  ::setenv("TERM", "xterm", 1);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  EXPECT_FALSE(TakesColours(ends[1]));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(ColouredTest, EndsTheColourAgain) {
  EXPECT_EQ(Coloured("ok", Colour::kGreen, true), "\x1b[32mok\x1b[0m");
  EXPECT_EQ(Coloured("ok", Colour::kGreen, false), "ok");
  EXPECT_EQ(Coloured("ok", Colour::kNone, true), "ok");
}

TEST(BarTextTest, ShowsTheShare) {
  EXPECT_EQ(BarText(0, 0), "[........................]   0 %");
  EXPECT_EQ(BarText(1, 2), "[############............]  50 %");
  EXPECT_EQ(BarText(999, 1000), "[#######################.]  99 %");
  EXPECT_EQ(BarText(3, 2), "[########################] 100 %");
}

}  // namespace
}  // namespace outboxd
