#include "daemon/config/environment_variables.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace outboxd {
namespace {

class EnvironmentVariablesTest : public testing::Test {
 protected:
  EnvironmentVariablesTest() { setenv("OUTBOXD_TEST_DIRECTORY", "/run/${OUTBOXD_TEST_GONE}", 1); }
  ~EnvironmentVariablesTest() override { unsetenv("OUTBOXD_TEST_DIRECTORY"); }
};

TEST_F(EnvironmentVariablesTest, EachIsReplacedByItsValueAsItStands) {
  EXPECT_EQ(ExpandEnvironment("a${OUTBOXD_TEST_DIRECTORY}b${OUTBOXD_TEST_DIRECTORY}"),
            "a/run/${OUTBOXD_TEST_GONE}b/run/${OUTBOXD_TEST_GONE}");
}

TEST_F(EnvironmentVariablesTest, OtherTextStaysAsItIs) {
  for (const char* text : {"", "/a/b", "$OUTBOXD_TEST_DIRECTORY", "$(a)", "a}b{", "$"}) {
    EXPECT_EQ(ExpandEnvironment(text), text);
  }
}

TEST_F(EnvironmentVariablesTest, OneThatIsNotSetIsNamed) {
  const auto expanded = ExpandEnvironment("${OUTBOXD_TEST_GONE}/x");
  ASSERT_FALSE(expanded);
  EXPECT_EQ(expanded.error().kind, ExitCode::kConfiguration);
  EXPECT_EQ(expanded.error().ToText(),
            "the environment variable 'OUTBOXD_TEST_GONE' is not set HINT: outboxd --unit "
            "NAME has the variables of a systemd unit, and CREDENTIALS_DIRECTORY where it has "
            "LoadCredential=");
}

TEST_F(EnvironmentVariablesTest, AReferenceHasAnEnd) {
  EXPECT_EQ(ExpandEnvironment("a${OUTBOXD").error().message, "'${OUTBOXD' lacks a '}'");
}

}  // namespace
}  // namespace outboxd
