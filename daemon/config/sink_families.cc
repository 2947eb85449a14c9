#include "daemon/config/sink_families.h"

#include <algorithm>

#include "sinks/kafka/kafka_family.h"
#include "sinks/stdout/stdout_family.h"

namespace outboxd {

std::span<const sinks::SinkFamily* const> SinkFamilies() {
  static const sinks::SinkFamily* const families[] = {
      &sinks::KafkaFamily(),
      &sinks::StdoutFamily(),
  };
  return families;
}

const sinks::SinkFamily* FindSinkFamily(std::string_view name) {
  for (const sinks::SinkFamily* family : SinkFamilies()) {
    if (family->name() == name) return family;
  }
  return nullptr;
}

const std::string& SinkFamilyNames() {
  static const std::string names = [] {
    std::string all;
    for (const sinks::SinkFamily* family : SinkFamilies()) {
      if (!all.empty()) all += ", ";
      all += family->name();
    }
    return all;
  }();
  return names;
}

const sinks::SinkFamily* FindFamilyOfKey(std::string_view section, std::string_view key) {
  for (const sinks::SinkFamily* family : SinkFamilies()) {
    const bool is_its = std::ranges::any_of(family->keys(), [&](const sinks::SettingKey& known) {
      return known.section == section && (known.key == key || known.key == "*");
    });
    if (is_its) return family;
  }
  return nullptr;
}

}  // namespace outboxd
