#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sinks/sink_log.h"

namespace outboxd::sinks {

// A setting as the operator wrote it. Secrets come as the name of a file.
struct Setting {
  std::string section;
  std::string key;
  std::string value;

  friend bool operator==(const Setting&, const Setting&) = default;
};

// What the daemon wants of a sink.
struct SinkRequest {
  std::vector<Setting> settings = {};  // In their order; those of other families' sections too.
  std::uint64_t in_flight_bytes_max = 32ull << 20;
  // Whether messages may go to a topic, those of events and the relay's own; empty: to any. Where
  // it says no, Publish() is to refuse the message (TopicIsNotAllowed()). Reader thread.
  std::function<bool(std::string_view topic)> may_publish = {};
  // Topics for messages of the relay itself, to which `may_publish` lets them go. They must exist
  // when the sink is first opened, or be such that it can create them.
  std::vector<std::string> own_topics = {};
  SinkLog log = {};
};

}  // namespace outboxd::sinks
