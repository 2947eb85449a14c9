#include "daemon/config/complaints.h"

#include <gtest/gtest.h>

namespace outboxd {
namespace {

Setting InLine(int line) { return {"mysql", "host", "a", line}; }

TEST(ComplaintsTest, AComplaintNamesFileLineAndKey) {
  Complaints complaints("c.conf");
  EXPECT_TRUE(complaints.empty());
  complaints.Add(InLine(7), "is no host", "name one");
  ASSERT_FALSE(complaints.empty());
  EXPECT_EQ(complaints.All().kind, ExitCode::kConfiguration);
  EXPECT_EQ(complaints.All().message, "c.conf:7: mysql.host: is no host");
  EXPECT_EQ(complaints.All().hint, "name one");
}

TEST(ComplaintsTest, OneOfTheCommandLineHasItsDashesAndNoFile) {
  Complaints complaints("c.conf");
  complaints.Add(InLine(Setting::kCommandLine), "is no host");
  EXPECT_EQ(complaints.All().ToText(), "--mysql.host: is no host");
}

TEST(ComplaintsTest, OneAboutTheWholeHasNoLine) {
  Complaints complaints("c.conf");
  complaints.AddOfWhole("relay.name: is missing");
  EXPECT_EQ(complaints.All().ToText(), "c.conf: relay.name: is missing");
  Complaints fileless("");
  fileless.AddOfWhole("relay.name: is missing");
  EXPECT_EQ(fileless.All().ToText(), "relay.name: is missing");
}

TEST(ComplaintsTest, TheFilesComeFirstThenTheCommandLinesThenThoseOfTheWhole) {
  Complaints complaints("c.conf");
  complaints.AddOfWhole("one", "1");
  complaints.Add(Setting::kCommandLine, "two", "2");
  complaints.Add(9, "three", "3");
  complaints.Add(8, "four");
  complaints.Add(8, "five", "5");
  const Error all = complaints.All();
  EXPECT_EQ(all.message,
            "c.conf:8: four\nc.conf:8: five HINT: 5\nc.conf:9: three HINT: 3\ntwo HINT: 2\n"
            "c.conf: one");
  EXPECT_EQ(all.hint, "1");
}

TEST(ComplaintsTest, ALastOneWithoutHintTakesNoneOfAnother) {
  Complaints complaints("c.conf");
  complaints.Add(1, "one", "1");
  complaints.Add(2, "two");
  EXPECT_EQ(complaints.All().hint, "");
}

TEST(ComplaintsTest, NamesAreEscaped) {
  Complaints complaints("a\nb");
  complaints.Add(Setting{"relay", "na\tme", "", 1}, "unknown key");
  EXPECT_EQ(complaints.All().message, "a\\nb:1: relay.na\\tme: unknown key");
}

}  // namespace
}  // namespace outboxd
