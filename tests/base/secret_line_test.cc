#include "base/secret_line.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace outboxd {
namespace {

std::expected<std::string, BasicError<SecretFault>> Printed(const std::string& shell) {
  return SecretLineOf({"/bin/sh", "-c", shell}, "token", 100);
}

TEST(SecretLineTest, IsTheOneLineThatTheProgramPrints) {
  EXPECT_EQ(Printed("echo abc").value(), "abc");
  EXPECT_EQ(Printed("printf abc").value(), "abc");
  EXPECT_EQ(Printed("printf 'abc\\r\\n'").value(), "abc");
  EXPECT_EQ(Printed("echo ' a b '").value(), " a b ");
}

TEST(SecretLineTest, WhateverElseItPrintsIsNoSecret) {
  for (const char* shell : {"true", "echo", "echo a; echo b", "printf '\\na'", "printf 'a\\0b'",
                            "printf '\\0'", "seq 1000"}) {
    const auto secret = Printed(shell);
    ASSERT_FALSE(secret) << shell;
    EXPECT_EQ(secret.error().kind, SecretFault::kWrong) << shell;
    EXPECT_FALSE(secret.error().message.contains("abc"));
  }
}

TEST(SecretLineTest, AFailureMayPassAndAMissingProgramDoesNot) {
  EXPECT_EQ(Printed("echo abc; exit 3").error().kind, SecretFault::kFailed);
  EXPECT_EQ(SecretLineOf({"/not/there"}, "token", 100).error().kind, SecretFault::kWrong);
}

TEST(SecretLineTest, IsBrokenOff) {
  const auto begun = std::chrono::steady_clock::now();
  const auto secret = SecretLineOf({"sleep", "60"}, "token", 100, [] { return true; });
  EXPECT_EQ(secret.error().kind, SecretFault::kInterrupted);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
}

}  // namespace
}  // namespace outboxd
