#include "base/size_text.h"

#include <gtest/gtest.h>

namespace outboxd {
namespace {

TEST(BytesTextTest, HasAUnitThatFits) {
  EXPECT_EQ(BytesText(0), "0 bytes");
  EXPECT_EQ(BytesText(1), "1 byte");
  EXPECT_EQ(BytesText(999), "999 bytes");
  EXPECT_EQ(BytesText(1000), "1.0 kB");
  EXPECT_EQ(BytesText(999'949), "999.9 kB");
  EXPECT_EQ(BytesText(999'950), "1.0 MB");
  EXPECT_EQ(BytesText(7'000'000'000'000'000), "7000.0 TB");
}

}  // namespace
}  // namespace outboxd
