#include "daemon/config/sink_families.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace outboxd {
namespace {

TEST(SinkFamiliesTest, EachIsFoundByItsName) {
  for (const sinks::SinkFamily* family : SinkFamilies()) {
    EXPECT_EQ(FindSinkFamily(family->name()), family);
    EXPECT_TRUE(SinkFamilyNames().contains(family->name()));
  }
  EXPECT_EQ(FindSinkFamily("amqp"), nullptr);
  EXPECT_EQ(FindSinkFamily(""), nullptr);
}

TEST(SinkFamiliesTest, AKeyBelongsToOneFamily) {
  std::set<std::string> seen;
  for (const sinks::SinkFamily* family : SinkFamilies()) {
    for (const sinks::SettingKey& key : family->keys()) {
      EXPECT_EQ(FindFamilyOfKey(key.section, key.key), family) << key.section << "." << key.key;
      EXPECT_TRUE(seen.insert(std::string(key.section) + "." + std::string(key.key)).second);
    }
  }
  EXPECT_EQ(FindFamilyOfKey("kafka", "any.property"), FindSinkFamily("kafka"));
  EXPECT_EQ(FindFamilyOfKey("topics", "allow"), nullptr) << "the relay's own";
}

TEST(SinkFamiliesTest, EachHasWordsForWhatIsSaidOfIt) {
  for (const sinks::SinkFamily* family : SinkFamilies()) {
    EXPECT_FALSE(family->words().receiver.empty()) << family->name();
    EXPECT_FALSE(family->words().destination.empty()) << family->name();
    EXPECT_FALSE(family->words().keep_advice.empty()) << family->name();
  }
}

}  // namespace
}  // namespace outboxd
