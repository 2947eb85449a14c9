#include "daemon/plain_name.h"

#include <gtest/gtest.h>

#include <string>

namespace outboxd {
namespace {

TEST(PlainNameTest, HasLettersDigitsDashAndUnderscore) {
  for (const char* name : {"a", "Z", "0", "-", "_", "Shop_2-eu"}) {
    EXPECT_TRUE(IsPlainName(name)) << name;
  }
  EXPECT_TRUE(IsPlainName(std::string(1000, 'x')));
  for (const char* name : {"", "a b", "a.b", "a/b", "a,b", "ü", "a\n"}) {
    EXPECT_FALSE(IsPlainName(name)) << name;
  }
}

TEST(PlainNameTest, NoCharacterBesideTheThreeRangesBelongsToIt) {
  for (const char c : {'@', '[', '`', '{', '/', ':', '.', '\0', '\x7f', '\x80', '\xff'}) {
    EXPECT_FALSE(IsPlainNameCharacter(c)) << static_cast<int>(c);
  }
}

}  // namespace
}  // namespace outboxd
