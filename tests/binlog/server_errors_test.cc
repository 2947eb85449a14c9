#include "binlog/server_errors.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>

namespace outboxd::binlog {
namespace {

TEST(ServerErrorsTest, EachRowIsFoundByItsNumberAndItsOwnText) {
  for (const ServerError& row : KnownServerErrors()) {
    EXPECT_EQ(FindServerError(row.number, "before " + std::string(row.sign) + " behind"), &row)
        << row.number << ' ' << row.sign;
  }
}

TEST(ServerErrorsTest, NoRowIsThereTwice) {
  std::set<std::pair<unsigned, std::string_view>> seen;
  for (const ServerError& row : KnownServerErrors()) {
    EXPECT_TRUE(seen.emplace(row.number, row.sign).second) << row.number << ' ' << row.sign;
  }
}

TEST(ServerErrorsTest, ANumberThatNobodyListedIsNotKnown) {
  EXPECT_EQ(FindServerError(12345, "anything"), nullptr);
  EXPECT_EQ(FindServerError(0, ""), nullptr);
  EXPECT_EQ(FindServerError(999'999, ""), nullptr);
}

}  // namespace
}  // namespace outboxd::binlog
