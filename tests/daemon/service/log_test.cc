#include "daemon/service/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/invariant.h"

namespace outboxd {
namespace {

using testing::MatchesRegex;

// What `write` makes the log write to standard error.
template <typename Write>
std::string Logged(LogConfig::Level level, bool to_journal, Write write) {
  testing::internal::CaptureStderr();
  if (to_journal) {
    struct stat status{};
    fstat(STDERR_FILENO, &status);
    const std::string stream = fmt::format("{}:{}", status.st_dev, status.st_ino);
    setenv("JOURNAL_STREAM", stream.c_str(), 1);
  }
  StartLog(level);
  write();
  unsetenv("JOURNAL_STREAM");
  return testing::internal::GetCapturedStderr();
}

TEST(LogTest, ARecordHasTimeLevelAndText) {
  const std::string text =
      Logged(LogConfig::Level::kInfo, false, [] { spdlog::info("relay {} is active", "shop"); });
  EXPECT_THAT(text, MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}"
                                 "[+-][0-9]{2}:?[0-9]{2} info    relay shop is active\n"));
}

TEST(LogTest, TheJournalGetsPrioritiesAndNoTime) {
  const std::string text = Logged(LogConfig::Level::kDebug, true, [] {
    spdlog::debug("d");
    spdlog::info("i");
    spdlog::warn("w");
    spdlog::error("e");
    spdlog::critical("c");
  });
  EXPECT_EQ(text, "<7>d\n<6>i\n<4>w\n<3>e\n<2>c\n");
}

TEST(LogTest, EveryLineOfAFatalTextHasItsPriorityInTheJournal) {
  const auto print = [] { PrintFatal("two faults:\n  line 1\n  line 2"); };
  EXPECT_EQ(Logged(LogConfig::Level::kInfo, true, print),
            "<2>outboxd: two faults:\n<2>  line 1\n<2>  line 2\n");
  EXPECT_EQ(Logged(LogConfig::Level::kInfo, false, print),
            "outboxd: two faults:\n  line 1\n  line 2\n");
}

TEST(LogTest, ABrokenInvariantHasItsPriorityInTheJournal) {
  EXPECT_DEATH(
      {
        struct stat status{};
        fstat(STDERR_FILENO, &status);
        setenv("JOURNAL_STREAM", fmt::format("{}:{}", status.st_dev, status.st_ino).c_str(), 1);
        StartLog(LogConfig::Level::kInfo);
        OUTBOXD_INVARIANT(false, "it follows from nothing");
      },
      "^<2>outboxd: broken invariant");
}

TEST(LogTest, LeavesOutWhatIsBelowTheLevel) {
  const std::string text = Logged(LogConfig::Level::kWarning, true, [] {
    spdlog::info("i");
    spdlog::warn("w");
  });
  EXPECT_EQ(text, "<4>w\n");
}

TEST(LogTest, ARecordIsOneLineWhateverItsTextHolds) {
  const std::string text =
      Logged(LogConfig::Level::kInfo, true, [] { spdlog::info("a\n<0>forged\x1b[2J"); });
  EXPECT_EQ(text, "<6>a\\x0a<0>forged\\x1b[2J\n");
}

TEST(LogTest, AnotherJournalStreamIsNotStandardError) {
  setenv("JOURNAL_STREAM", "1:2", 1);
  EXPECT_FALSE(StandardErrorIsJournal());
  unsetenv("JOURNAL_STREAM");
}

}  // namespace
}  // namespace outboxd
