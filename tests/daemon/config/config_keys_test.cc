#include "daemon/config/config_keys.h"

#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config_reader.h"

// What the table of keys tells people is what the reader does.

namespace outboxd {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

struct Setting {
  std::string_view section, key, value;
};

// A configuration in which `key` can have any of its values: what some of them need is there.
std::string FileWith(const ConfigKey& key, const std::vector<std::string_view>& values) {
  static constexpr Setting kNeeded[] = {
      {"relay", "name", "shop"},         {"mysql", "tls-ca", "/ca"},
      {"mysql", "tls-cert", "/cert"},    {"mysql", "tls-key", "/key"},
      {"outbox", "table", "shop.event"}, {"outbox", "topic-regex", "a"},
      {"sink", "type", "kafka"},         {"delivery", "dead-letter-topic", "dead"},
  };
  std::string file;
  std::string_view section;
  const auto add = [&](std::string_view name, std::string_view value) {
    file += fmt::format("{} = {}\n", name, value);
  };
  for (const ConfigKey& known : ConfigKeys()) {
    if (known.section != section) file += fmt::format("[{}]\n", section = known.section);
    if (&known == &key) {
      for (const std::string_view value : values) add(known.key, value);
      continue;
    }
    for (const Setting& needed : kNeeded) {
      if (needed.section == known.section && needed.key == known.key) add(needed.key, needed.value);
    }
  }
  return file;
}

std::vector<std::string_view> Split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  for (std::size_t end = text.find(separator); end != std::string_view::npos;
       end = text.find(separator)) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + separator.size());
  }
  parts.push_back(text);
  return parts;
}

// What the reader says of the key, line by line; empty: it takes the values.
std::string Complaint(const ConfigKey& key, const std::vector<std::string_view>& values) {
  const auto config = ReadConfigText(FileWith(key, values), "c.conf");
  if (config) return "";
  const std::string name = fmt::format(": {}.{}: ", key.section, key.key);
  std::vector<std::string_view> complaints;
  const std::string text = config.error().ToText();
  for (const std::string_view line : Split(text, "\n")) {
    const std::size_t at = line.find(name);
    if (at != std::string_view::npos) complaints.push_back(line.substr(at + name.size()));
  }
  return fmt::format("{}", fmt::join(complaints, "\n"));
}

// The keys of one type.
std::vector<const ConfigKey*> KeysOf(ConfigType type) {
  std::vector<const ConfigKey*> keys;
  for (const ConfigKey& key : ConfigKeys()) {
    if (key.type == type) keys.push_back(&key);
  }
  EXPECT_FALSE(keys.empty());
  return keys;
}

TEST(ConfigKeysTest, ADefaultIsWhatTheReaderTakesWithoutTheKey) {
  for (const ConfigKey& key : ConfigKeys()) {
    if (key.default_text.empty() || key.default_text.starts_with('(')) continue;
    // A sink takes its settings as text; its own tests see to their defaults.
    if (FindFamilyOfKey(key.section, key.key) != nullptr) continue;
    const auto without = ReadConfigText(FileWith(key, {}), "c.conf");
    const auto with = ReadConfigText(FileWith(key, {key.default_text}), "c.conf");
    ASSERT_TRUE(without) << key.key << ": " << without.error().message;
    ASSERT_TRUE(with) << key.key << ": " << with.error().message;
    EXPECT_EQ(*with, *without) << key.section << "." << key.key;
  }
}

TEST(ConfigKeysTest, AWordIsOneOfTheListed) {
  for (const ConfigKey* key : KeysOf(ConfigType::kWord)) {
    EXPECT_THAT(Complaint(*key, {"no-such-word"}),
                EndsWith(fmt::format("is none of: {}", key->values)));
  }
}

TEST(ConfigKeysTest, ANumberHasTheListedBounds) {
  for (const ConfigKey* key : KeysOf(ConfigType::kNumber)) {
    EXPECT_THAT(Complaint(*key, {"-1"}),
                EndsWith(fmt::format("is not a number from {}", key->values)));
  }
}

TEST(ConfigKeysTest, ADurationHasTheBoundsOfItsType) {
  EXPECT_THAT(fmt::format("{}", fmt::join(ConfigTypeRows(), "\n")), HasSubstr("`1ms` to `8784h`"));
  for (const ConfigKey* key : KeysOf(ConfigType::kDuration)) {
    for (const char* taken : {"1ms", "8784h"}) EXPECT_EQ(Complaint(*key, {taken}), "") << key->key;
    for (const char* refused : {"0ms", "8785h", "1"}) {
      EXPECT_THAT(Complaint(*key, {refused}), HasSubstr("is not a duration")) << key->key;
    }
  }
}

TEST(ConfigKeysTest, ASizeHasTheListedBounds) {
  for (const ConfigKey* key : KeysOf(ConfigType::kSize)) {
    for (const std::string_view range : Split(key->values, ", or ")) {
      for (const std::string_view bound : Split(range, " to ")) {
        EXPECT_EQ(Complaint(*key, {bound}), "") << key->key << " = " << bound;
      }
    }
    EXPECT_TRUE(key->values.ends_with(" to 1048576GiB")) << key->key;
    EXPECT_THAT(Complaint(*key, {"1048577GiB"}), HasSubstr("is not a size")) << key->key;
    const bool has_least = key->values.contains("64KiB");
    EXPECT_EQ(Complaint(*key, {"65535"}).empty(), !has_least) << key->key;
    EXPECT_EQ(Complaint(*key, {"0"}).empty(), key->values.starts_with("0")) << key->key;
  }
}

TEST(ConfigKeysTest, YesAndNoHaveThreeWordsEach) {
  for (const ConfigKey* key : KeysOf(ConfigType::kYesNo)) {
    for (const char* word : {"yes", "true", "on", "no", "false", "off"}) {
      EXPECT_EQ(Complaint(*key, {word}), "") << key->key;
    }
    EXPECT_THAT(Complaint(*key, {"maybe"}), HasSubstr("neither yes nor no"));
  }
}

TEST(ConfigKeysTest, OnlyWhatMayBeEmptyIsTakenEmpty) {
  for (const ConfigKey& key : ConfigKeys()) {
    if (key.key == "*") continue;
    const bool may_be_empty = key.values.ends_with("may be empty");
    EXPECT_EQ(Complaint(key, {""}).empty(), may_be_empty) << key.section << "." << key.key;
  }
}

TEST(ConfigKeysTest, OnlyARepeatableKeyMayStandTwice) {
  for (const ConfigKey& key : ConfigKeys()) {
    if (key.key == "*") continue;
    const std::string complaint = Complaint(key, {"a", "a"});
    if (key.repeatable) {
      EXPECT_THAT(complaint, Not(HasSubstr("stands twice"))) << key.key;
    } else {
      EXPECT_THAT(complaint, HasSubstr("stands twice")) << key.key;
    }
  }
}

TEST(ConfigKeysTest, OnlyARequiredKeyIsMissed) {
  for (const ConfigKey& key : ConfigKeys()) {
    const bool is_missed = Complaint(key, {}).starts_with("is missing");
    EXPECT_EQ(is_missed, key.is_required) << key.section << "." << key.key;
  }
}

}  // namespace
}  // namespace outboxd
