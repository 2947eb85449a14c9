#include "daemon/migration/properties_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(PropertiesFileTest, ReadsWhatJavaReads) {
  const auto read = ParseConnectorOptions(
      "# comment\n! comment\n\n a = 1 \nb:2\nc 3\n\td\t=\t4\r\ne=\nf\n"
      "long = one,\\\n    two,\\\r\n  three\n"
      "escaped\\ key\\: = a\\tb\\\\ \\u00e9\\u20AC \\x\n"
      "back = slash\\\\\nnext=5");
  ASSERT_TRUE(read);
  EXPECT_THAT(*read,
              UnorderedElementsAre(Pair("a", "1 "), Pair("b", "2"), Pair("c", "3"), Pair("d", "4"),
                                   Pair("e", ""), Pair("f", ""), Pair("long", "one,two,three"),
                                   Pair("escaped key:", "a\tb\\ é€ x"), Pair("back", "slash\\"),
                                   Pair("next", "5")));
}

TEST(PropertiesFileTest, TheLastOfTwoCounts) {
  EXPECT_THAT(*ParseConnectorOptions("a=1\na=2\n"), UnorderedElementsAre(Pair("a", "2")));
}

TEST(PropertiesFileTest, ReadsWhatConnectsInterfaceTakesAndGives) {
  EXPECT_THAT(
      *ParseConnectorOptions(R"( {"name": "one", "config": {"a": "b", "n": 1, "t": true},
                                          "tasks": [], "type": "source"})"),
      UnorderedElementsAre(Pair("name", "one"), Pair("a", "b"), Pair("n", "1"), Pair("t", "true")));
  EXPECT_THAT(*ParseConnectorOptions(R"({"a": "b", "config": "c", "nothing": null})"),
              UnorderedElementsAre(Pair("a", "b"), Pair("config", "c")));
}

TEST(PropertiesFileTest, WhatIsNoObjectOfTextsIsRefused) {
  EXPECT_THAT(ParseConnectorOptions("{\"a\": ").error().message, HasSubstr("is no JSON object"));
  EXPECT_THAT(ParseConnectorOptions(R"({"a": {"b": 1}})").error().message,
              HasSubstr("option 'a' is no text"));
}

TEST(PropertiesFileTest, AnEmptyFileHasNoOptions) {
  EXPECT_TRUE(ParseConnectorOptions("")->empty());
  EXPECT_TRUE(ParseConnectorOptions(" \n# a\n\\")->size() <= 1);
}

}  // namespace
}  // namespace outboxd
