#include "daemon/mapping/json_writer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace outboxd {
namespace {

using binlog::ValueKind;

// As nlohmann's library reads it.
TEST(AppendJsonStringTest, AnyTextComesBack) {
  std::string all;
  for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
  for (const std::string& text : {all, std::string(), std::string("é€😀"), std::string("\"\\")}) {
    std::string json;
    AppendJsonString(text, json);
    EXPECT_EQ(nlohmann::json::parse(json).get<std::string>(), text);
  }
}

TEST(AppendJsonTest, NumbersAndJsonStandAsTheyAreTextAndBytesAsStrings) {
  std::string json;
  for (const OptionalValue& value :
       {OptionalValue(), OptionalValue({"a\"b", ValueKind::kText}),
        OptionalValue({"\xFF\x01", ValueKind::kBytes}), OptionalValue({"1.50", ValueKind::kNumber}),
        OptionalValue({"0007", ValueKind::kNumber}), OptionalValue({"0", ValueKind::kNumber}),
        OptionalValue({R"({"a": [1]})", ValueKind::kJson})}) {
    AppendJson(value, json);
    json += ' ';
  }
  EXPECT_EQ(json, R"(null "a\"b" "/wE=" 1.50 7 0 {"a": [1]} )");
}

}  // namespace
}  // namespace outboxd
