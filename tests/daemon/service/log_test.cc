#include "daemon/service/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "base/invariant.h"
#include "daemon/service/log_record.h"
#include "daemon/service/systemd_journal.h"

namespace outboxd {
namespace {

using testing::MatchesRegex;

// What `write` makes the log write to standard error.
template <typename Write>
std::string Logged(const LogConfig& config, bool to_journal, Write write) {
  testing::internal::CaptureStderr();
  if (to_journal) {
    struct stat status{};
    fstat(STDERR_FILENO, &status);
    const std::string stream = fmt::format("{}:{}", status.st_dev, status.st_ino);
    setenv("JOURNAL_STREAM", stream.c_str(), 1);
  }
  StartLog(config, "shop");
  write();
  unsetenv("JOURNAL_STREAM");
  return testing::internal::GetCapturedStderr();
}

TEST(LogTest, ARecordHasTimeLevelAndText) {
  const std::string text = Logged({.level = LogConfig::Level::kInfo}, false,
                                  [] { spdlog::info("relay {} is active", "shop"); });
  EXPECT_THAT(text, MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}"
                                 "[+-][0-9]{2}:?[0-9]{2} info    relay shop is active\n"));
}

// The machine of the tests has no journal as a rule; with one tests/packaging/test_journal.py shows
// what it gets.
bool HasJournal() { return ::access("/run/systemd/journal/socket", W_OK) == 0; }

TEST(LogTest, WhereTheJournalTakesNothingItsStreamGetsPrioritiesAndNoTime) {
  if (HasJournal()) GTEST_SKIP() << "the journal takes it here";
  const std::string text = Logged({.level = LogConfig::Level::kDebug}, true, [] {
    spdlog::debug("d");
    spdlog::info("i");
    spdlog::warn("w");
    spdlog::error("e");
    spdlog::critical("c");
  });
  EXPECT_EQ(text, "<7>d\n<6>i\n<4>w\n<3>e\n<2>c\n");
}

TEST(LogTest, EveryLineOfAFatalTextHasItsPriorityInTheJournal) {
  if (HasJournal()) GTEST_SKIP() << "the journal takes it here";
  const auto print = [] {
    PrintFatal("two faults:\n  line 1\n  line 2", ExitCode::kConfiguration);
  };
  EXPECT_EQ(Logged({.level = LogConfig::Level::kInfo}, true, print),
            "<2>outboxd: two faults:\n<2>  line 1\n<2>  line 2\n");
  EXPECT_EQ(Logged({.level = LogConfig::Level::kInfo}, false, print),
            "outboxd: two faults:\n  line 1\n  line 2\n");
}

TEST(LogTest, ABrokenInvariantHasItsPriorityInTheJournal) {
  EXPECT_DEATH(
      {
        struct stat status{};
        fstat(STDERR_FILENO, &status);
        setenv("JOURNAL_STREAM", fmt::format("{}:{}", status.st_dev, status.st_ino).c_str(), 1);
        StartLog({}, "shop");
        OUTBOXD_INVARIANT(false, "it follows from nothing");
      },
      "^<2>outboxd: broken invariant");
}

TEST(LogTest, LeavesOutWhatIsBelowTheLevel) {
  if (HasJournal()) GTEST_SKIP() << "the journal takes it here";
  const std::string text = Logged({.level = LogConfig::Level::kWarning}, true, [] {
    spdlog::info("i");
    spdlog::warn("w");
  });
  EXPECT_EQ(text, "<4>w\n");
}

TEST(LogTest, ARecordIsOneLineWhateverItsTextHolds) {
  if (HasJournal()) GTEST_SKIP() << "the journal takes it here";
  const std::string text =
      Logged({.level = LogConfig::Level::kInfo}, true, [] { spdlog::info("a\n<0>forged\x1b[2J"); });
  EXPECT_EQ(text, "<6>a\\x0a<0>forged\\x1b[2J\n");
}

TEST(LogTest, ARecordInJsonHasItsFieldsAndItsHintApart) {
  const std::string text = Logged({.format = LogConfig::Format::kJson}, false, [] {
    Log(LogLevel::kError,
        {.notice = Notice::kHoldsAtEvent,
         .position = "3e11fa47-71ca-11e1-9e33-c80aa9429562:23:1",
         .table = "shop.outbox",
         .event_id = "e\n1"},
        "holding at event HINT: create the topic");
    spdlog::info("a\nb");
  });
  const std::size_t end = text.find('\n');
  const auto first = nlohmann::json::parse(text.substr(0, end));
  EXPECT_THAT(first["time"].get<std::string>(),
              MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}"
                           "[+-][0-9]{2}:[0-9]{2}"));
  EXPECT_EQ(first["level"], "error");
  EXPECT_EQ(first["relay"], "shop");
  EXPECT_EQ(first["message"], "holding at event");
  EXPECT_EQ(first["hint"], "create the topic");
  EXPECT_EQ(first["notice"], "holds-at-event");
  EXPECT_EQ(first["message_id"], NameOf(Notice::kHoldsAtEvent).message_id);
  EXPECT_EQ(first["gtid"], "3e11fa47-71ca-11e1-9e33-c80aa9429562:23");
  EXPECT_EQ(first["table"], "shop.outbox");
  EXPECT_EQ(first["event_id"], "e\n1");
  const auto second = nlohmann::json::parse(text.substr(end));
  EXPECT_EQ(second["message"], "a\nb");
  EXPECT_FALSE(second.contains("notice")) << "the fields are those of the record before";
  EXPECT_EQ(std::ranges::count(text, '\n'), 2);
}

TEST(LogTest, AnotherJournalStreamIsNotStandardError) {
  setenv("JOURNAL_STREAM", "1:2", 1);
  EXPECT_FALSE(StandardErrorIsJournal());
  unsetenv("JOURNAL_STREAM");
}

}  // namespace
}  // namespace outboxd
