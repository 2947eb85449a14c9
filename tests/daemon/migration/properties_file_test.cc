#include "daemon/migration/properties_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(PropertiesFileTest, ReadsAFileOfProperties) {
  EXPECT_THAT(*ParseConnectorOptions("# a comment\nname = one\n"),
              UnorderedElementsAre(Pair("name", "one")));
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
