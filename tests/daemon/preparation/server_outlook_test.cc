#include "daemon/preparation/server_outlook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using testing::HasSubstr;

// 2036-11-08 12:00:00 UTC.
constexpr const char* kEnd = "Nov  8 12:00:00 2036 GMT";
constexpr std::uint64_t kEndUs = 2'109'758'400'000'000;
constexpr std::uint64_t kDayUs = 86'400'000'000;

TEST(CertificateEndTest, IsToldAMonthBefore) {
  EXPECT_TRUE(CheckCertificateEnd(kEnd, kEndUs - 31 * kDayUs).empty());
  const auto findings = CheckCertificateEnd(kEnd, kEndUs - 29 * kDayUs);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].level, Finding::Level::kWarning);
  EXPECT_THAT(findings[0].found, HasSubstr("ends in 29 days, at 2036-11-08 12:00:00 UTC"));
  EXPECT_THAT(findings[0].remedy, HasSubstr("ALTER INSTANCE RELOAD TLS"));
}

TEST(CertificateEndTest, OneThatHasEndedIsToldAsSuch) {
  EXPECT_THAT(CheckCertificateEnd(kEnd, kEndUs + 1).at(0).found, HasSubstr("has ended"));
}

TEST(CertificateEndTest, WhatIsNoTimeIsNotJudged) {
  EXPECT_TRUE(CheckCertificateEnd("", kEndUs).empty()) << "a server without TLS";
  EXPECT_TRUE(CheckCertificateEnd("soon", kEndUs).empty());
}

TEST(LogInMethodTest, OneThatTheNextVersionLacksIsToldAndTheHashIsNot) {
  const auto findings = CheckLogInMethod(
      "CREATE USER `outboxd`@`%` IDENTIFIED WITH 'mysql_native_password' AS '*2470C0C06DEE42'"
      " REQUIRE NONE",
      "'outboxd'@'%'");
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].remedy,
            "ALTER USER 'outboxd'@'%' IDENTIFIED WITH caching_sha2_password BY '...'");
  EXPECT_THAT(findings[0].found + findings[0].remedy, testing::Not(HasSubstr("2470C0C06DEE42")));
  EXPECT_TRUE(CheckLogInMethod("CREATE USER `outboxd`@`%` IDENTIFIED WITH"
                               " 'caching_sha2_password' AS '$A$005$'",
                               "'outboxd'@'%'")
                  .empty());
}

}  // namespace
}  // namespace outboxd
