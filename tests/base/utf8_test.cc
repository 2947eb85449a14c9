#include "base/utf8.h"

#include <gtest/gtest.h>

namespace outboxd {
namespace {

TEST(Utf8Test, TakesEveryLengthOfUtf8) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8("a\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"));
}

TEST(Utf8Test, RefusesWhatIsNoUtf8) {
  for (const std::string_view text :
       {"\x80", "\xC2", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xE2\x82", "\xE2(\xA1",
        "\xFF"}) {
    EXPECT_FALSE(IsUtf8(text));
  }
}

TEST(Utf8Test, WritesWhatItReads) {
  for (const std::uint32_t code_point :
       {0x0u, 0x7Fu, 0x80u, 0x7FFu, 0x800u, 0xFFFFu, 0x10000u, 0x10FFFFu}) {
    char text[kUtf8Max];
    const auto size = static_cast<std::size_t>(WriteUtf8(code_point, text) - text);
    const auto read = FirstUtf8Character({text, size});
    ASSERT_TRUE(read) << code_point;
    EXPECT_EQ(read->code_point, char32_t{code_point});
    EXPECT_EQ(read->bytes, size);
  }
}

}  // namespace
}  // namespace outboxd
