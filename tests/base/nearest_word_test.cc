#include "base/nearest_word.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace outboxd {
namespace {

constexpr std::array<std::string_view, 3> kWords{"heartbeat", "host", "port"};

TEST(NearestWordTest, FindsWhatTheWordIsASlipOf) {
  EXPECT_EQ(NearestWord("hartbeat", kWords), "heartbeat");
  EXPECT_EQ(NearestWord("hosts", kWords), "host");
  EXPECT_EQ(NearestWord("prot", kWords), "port");
}

TEST(NearestWordTest, OfTwoThatAreEquallyNearTheFirstCounts) {
  EXPECT_EQ(NearestWord("hort", kWords), "host");
}

TEST(NearestWordTest, WhatIsFarFromAllHasNone) {
  EXPECT_FALSE(NearestWord("checkpoint", kWords));
  EXPECT_FALSE(NearestWord(std::string(101, 'h'), kWords));
  EXPECT_FALSE(NearestWord("host", {}));
}

}  // namespace
}  // namespace outboxd
