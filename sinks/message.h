#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace outboxd::sinks {

struct Header {
  std::string_view name;
  std::optional<std::string_view> value;  // None: a header with a null value.
};

// What a sink gets for one row. All views are borrowed: they need to live only for the call that
// takes the message.
struct Message {
  std::string_view topic;
  std::optional<std::string_view> key = {};
  std::optional<std::string_view> value = {};  // None: a tombstone.
  std::span<const Header> headers = {};
  std::optional<std::int32_t> partition = {};               // None: by key.
  std::optional<std::chrono::milliseconds> timestamp = {};  // Since the epoch. None: of sending.
};

// Names one message's way to its acknowledgement. Chosen by the caller; a sink only carries it.
using DeliveryId = std::uint64_t;

}  // namespace outboxd::sinks
