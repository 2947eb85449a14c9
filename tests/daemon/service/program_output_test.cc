#include "daemon/service/program_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace outboxd {
namespace {

using testing::HasSubstr;

TEST(ProgramOutputTest, IsAllThatItPrinted) {
  EXPECT_EQ(OutputOf({"printf", "a\\000b"}, 100).value(), std::string("a\0b", 3));
  EXPECT_EQ(OutputOf({"head", "-c", "200000", "/dev/zero"}, 200'000)->size(), 200'000u);
}

TEST(ProgramOutputTest, TooMuchIsRefused) {
  EXPECT_TRUE(OutputOf({"printf", "abc"}, 3));
  const auto output = OutputOf({"printf", "abcd"}, 3);
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().kind, ExitCode::kConfiguration);
}

TEST(ProgramOutputTest, AFailureHasTheCodeOrTheSignal) {
  EXPECT_EQ(OutputOf({"false"}, 3).error().message, "false failed with code 1");
  EXPECT_EQ(OutputOf({"sh", "-c", "kill -9 $$"}, 3).error().message, "sh was ended by signal 9");
}

TEST(ProgramOutputTest, AProgramThatIsNotThereIsNamed) {
  const auto output = OutputOf({"no-such-program"}, 3);
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().kind, ExitCode::kState);
  EXPECT_THAT(output.error().message, HasSubstr("no-such-program cannot be started"));
}

}  // namespace
}  // namespace outboxd
