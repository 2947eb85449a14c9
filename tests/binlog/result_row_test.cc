#include "binlog/result_row.h"

#include <gtest/gtest.h>

namespace outboxd::binlog {
namespace {

TEST(ResultRowTest, NullIsNoText) {
  EXPECT_EQ(TextOf(std::nullopt), "");
  EXPECT_EQ(TextOf("a"), "a");
}

TEST(ResultRowTest, ANumberIsWhatATextBeginsWith) {
  EXPECT_EQ(NumberOf("18446744073709551615"), 18'446'744'073'709'551'615U);
  EXPECT_EQ(NumberOf("157 bytes"), 157U);
  for (const char* text : {"", "-1", "none", "18446744073709551616"}) {
    EXPECT_EQ(NumberOf(text), 0U) << text;
  }
}

}  // namespace
}  // namespace outboxd::binlog
