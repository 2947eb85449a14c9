#include "base/program_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <string>

namespace outboxd {
namespace {

using testing::HasSubstr;

TEST(ProgramOutputTest, IsAllThatItPrinted) {
  EXPECT_EQ(OutputOf({"printf", "a\\000b"}, {.bytes_max = 100}).value(), std::string("a\0b", 3));
  EXPECT_EQ(OutputOf({"head", "-c", "200000", "/dev/zero"}, {.bytes_max = 200'000})->size(),
            200'000u);
}

TEST(ProgramOutputTest, TooMuchIsRefused) {
  EXPECT_TRUE(OutputOf({"printf", "abc"}, {.bytes_max = 3}));
  const auto output = OutputOf({"printf", "abcd"}, {.bytes_max = 3});
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().kind, ProgramFault::kTooMuch);
}

TEST(ProgramOutputTest, AFailureHasTheCodeOrTheSignal) {
  EXPECT_EQ(OutputOf({"false"}, {.bytes_max = 3}).error().message, "false failed with code 1");
  EXPECT_EQ(OutputOf({"sh", "-c", "kill -9 $$"}, {.bytes_max = 3}).error().message,
            "sh was ended by signal 9");
}

TEST(ProgramOutputTest, AProgramThatIsNotThereIsNamed) {
  const auto output = OutputOf({"no-such-program"}, {.bytes_max = 3});
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().kind, ProgramFault::kNotStarted);
  EXPECT_THAT(output.error().message, HasSubstr("no-such-program cannot be started"));
}

TEST(ProgramOutputTest, WhatTakesTooLongIsKilledWithAllThatItStarted) {
  // The shell waits for a program that holds the output open; both have to go.
  const auto begun = std::chrono::steady_clock::now();
  const auto output = OutputOf({"sh", "-c", "echo $$; sleep 600; true"},
                               {.bytes_max = 100, .time_max = std::chrono::milliseconds(300)});
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().kind, ProgramFault::kTooLong);
  EXPECT_EQ(output.error().message, "sh did not end within 300 ms, and was killed");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(30));
}

TEST(ProgramOutputTest, AProgramThatClosesItsOutputIsWaitedForNoLonger) {
  const auto output = OutputOf({"sh", "-c", "exec >&-; exec sleep 600"},
                               {.bytes_max = 100, .time_max = std::chrono::milliseconds(300)});
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().kind, ProgramFault::kTooLong);
}

TEST(ProgramOutputTest, ItCanBeBrokenOff) {
  int asked = 0;
  const auto output =
      OutputOf({"sleep", "600"}, {.bytes_max = 1, .is_over = [&asked] { return ++asked > 2; }});
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().kind, ProgramFault::kInterrupted);
}

TEST(ProgramOutputTest, OurOpenFilesAreNotTheProgramsFiles) {
  const int ours = ::dup(STDOUT_FILENO);  // Without O_CLOEXEC.
  const auto output = OutputOf({"sh", "-c", "ls /proc/$$/fd"}, {.bytes_max = 1000});
  ::close(ours);
  ASSERT_TRUE(output);
  EXPECT_EQ(*output, "0\n1\n2\n");
}

}  // namespace
}  // namespace outboxd
