#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/commands/commands.h"

namespace outboxd {
namespace {

TEST(VersionCommandTest, NamesTheLibrariesInForceToo) {
  testing::internal::CaptureStdout();
  VersionCommand();
  EXPECT_THAT(
      testing::internal::GetCapturedStdout(),
      testing::MatchesRegex("outboxd [0-9.]+\nlibmysqlclient [0-9.]+\nlibrdkafka [0-9.]+\n"));
}

}  // namespace
}  // namespace outboxd
