#include "daemon/config/ini_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace outboxd {
namespace {

using testing::HasSubstr;

TEST(IniFileTest, KeepsTheLineOfEveryEntry) {
  const IniFile ini = ParseIni("# heading\n[a]\n\nx = 1\n[b.c]\ny=2");
  ASSERT_EQ(ini.entries.size(), 2u);
  EXPECT_EQ(ini.entries[0].line, 4);
  EXPECT_EQ(ini.entries[1].section, "b.c");
  EXPECT_EQ(ini.entries[1].line, 6);
  EXPECT_EQ(ini.sections[1].line, 5);
  EXPECT_TRUE(ini.complaints.empty());
}

TEST(IniFileTest, ACommentBeginsAtLineStartOrAfterABlankOnly) {
  const IniFile ini = ParseIni("[a] # one\n  # two\nx = p#1#2 # three\ny = p\t#q\nz = #all\n");
  ASSERT_EQ(ini.entries.size(), 3u);
  EXPECT_EQ(ini.entries[0].value, "p#1#2");
  EXPECT_EQ(ini.entries[1].value, "p");
  EXPECT_EQ(ini.entries[2].value, "");
}

TEST(IniFileTest, AValueMayHoldEqualsSignsBlanksAndBrackets) {
  const IniFile ini = ParseIni("[a]\n x.y  =  b = c  d ] \n");
  ASSERT_EQ(ini.entries.size(), 1u);
  EXPECT_EQ(ini.entries[0].key, "x.y");
  EXPECT_EQ(ini.entries[0].value, "b = c  d ]");
}

TEST(IniFileTest, TakesLineEndsOfWindowsAndAByteOrderMark) {
  const IniFile ini = ParseIni("\xEF\xBB\xBF[a]\r\nx = 1\r\n");
  ASSERT_EQ(ini.entries.size(), 1u);
  EXPECT_EQ(ini.entries[0].value, "1");
}

std::string OneComplaint(std::string_view text, int line) {
  const IniFile ini = ParseIni(text);
  EXPECT_EQ(ini.complaints.size(), 1u) << text;
  if (ini.complaints.empty()) return "";
  EXPECT_EQ(ini.complaints[0].line, line);
  return WithHint(ini.complaints[0].text, ini.complaints[0].hint);
}

TEST(IniFileTest, TellsWhatIsNoIni) {
  EXPECT_THAT(OneComplaint("x = 1", 1), HasSubstr("'x' stands before the first section"));
  EXPECT_THAT(OneComplaint("[a]\ny = 1\n[]\nx = 1", 3), HasSubstr("without a name"));
  EXPECT_THAT(OneComplaint("[a]\n= 1", 2), HasSubstr("a value without a key"));
  EXPECT_THAT(OneComplaint("[a", 1), HasSubstr("'[a' has no closing bracket"));
  EXPECT_THAT(OneComplaint("[ ]", 1), HasSubstr("a section without a name"));
  EXPECT_THAT(OneComplaint("[a]\n[b]\n[a]", 3), HasSubstr("[a] stands twice, first in line 1"));
  EXPECT_THAT(OneComplaint("[a]\n; old comment", 2), HasSubstr("a comment begins with #"));
  EXPECT_THAT(OneComplaint("[a]\nx = \xFF", 2), HasSubstr("not UTF-8"));
  EXPECT_THAT(OneComplaint(std::string_view("[a]\nx = \0", 9), 2), HasSubstr("control characters"));
}

TEST(IniFileTest, ShowsNothingOfALineThatMayHoldASecret) {
  EXPECT_THAT(OneComplaint("[kafka]\nsasl.password hunter2", 2), testing::Not(HasSubstr("hunter")));
  EXPECT_THAT(OneComplaint("[kafka]\nsasl.password = hunter2\x01", 2),
              testing::Not(HasSubstr("hunter")));
}

}  // namespace
}  // namespace outboxd
