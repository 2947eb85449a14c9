#include "base/json_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace outboxd {
namespace {

using testing::ElementsAre;

std::vector<std::string> Names(std::string_view text) {
  std::vector<std::string> names;
  VisitJsonLines(text, [&](const nlohmann::json& json) {
    names.push_back(json.at("name").get<std::string>());
  });
  return names;
}

TEST(JsonLineTest, EndsWithALineFeedAndMendsWhatIsNotUtf8) {
  EXPECT_EQ(JsonLine({{"name", "a\nb"}}), "{\"name\":\"a\\nb\"}\n");
  EXPECT_EQ(JsonLine({{"name", "a\xFF"}}), "{\"name\":\"a\xEF\xBF\xBD\"}\n");
}

TEST(JsonLineTest, LinesAreVisitedInTheirOrderTheLastOneWithoutEndToo) {
  EXPECT_THAT(Names("{\"name\":\"a\"}\n\n{\"name\":\"b\"}"), ElementsAre("a", "b"));
  EXPECT_THAT(Names(""), ElementsAre());
}

TEST(JsonLineTest, HalfALineAndOneWithoutWhatIsLookedForArePassedOver) {
  EXPECT_THAT(Names("{\"na\n{\"name\":1}\n{\"id\":\"x\"}\n{\"name\":\"b\"}\n"), ElementsAre("b"));
}

}  // namespace
}  // namespace outboxd
