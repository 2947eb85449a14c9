#include "sinks/kafka/kafka_token.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace outboxd::sinks {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kNow = 1'700'000'000s;

// Made with `printf '{"sub":"relay","exp":1700000600}' | basenc --base64url`.
constexpr std::string_view kPayload = "eyJzdWIiOiJyZWxheSIsImV4cCI6MTcwMDAwMDYwMH0";

TEST(KafkaTokenTest, AJsonWebTokenSaysWhoseItIsAndWhenItExpires) {
  const auto claims = ClaimsOf(fmt::format("eyJhbGciOiJub25lIn0.{}.", kPayload), kNow);
  EXPECT_EQ(claims.principal, "relay");
  EXPECT_EQ(claims.expires_at, 1'700'000'600s);
}

TEST(KafkaTokenTest, OfAnyOtherTokenFiveMinutesAreSupposed) {
  for (const std::string_view token :
       {"opaque", "", ".", "..", "a.b.c", "a.!!!!.c", "a.W10.c", "a.bnVsbA.c"}) {
    const auto claims = ClaimsOf(token, kNow);
    EXPECT_EQ(claims.principal, "outboxd") << token;
    EXPECT_EQ(claims.expires_at, kNow + 5min) << token;
  }
}

TEST(KafkaTokenTest, ClaimsOfOtherTypesAreNotTaken) {
  // {"sub":7,"exp":"soon"}
  const auto claims = ClaimsOf("a.eyJzdWIiOjcsImV4cCI6InNvb24ifQ.c", kNow);
  EXPECT_EQ(claims.principal, "outboxd");
  EXPECT_EQ(claims.expires_at, kNow + 5min);
}

TEST(KafkaTokenTest, AnExpiryBeyondAllTimeIsNotWrappedAround) {
  // {"exp":1e300}
  EXPECT_GT(ClaimsOf("a.eyJleHAiOjFlMzAwfQ.c", kNow).expires_at, kNow);
}

}  // namespace
}  // namespace outboxd::sinks
