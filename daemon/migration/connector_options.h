#pragma once

#include <string_view>

namespace outboxd {

// What becomes of an option of Debezium's MySQL connector, or of Kafka Connect, that has no key of
// its own in outboxd's configuration.
enum class OptionFate {
  kNotNeeded,  // outboxd does the same without being told, or does not do what it is about.
  kDifferent,  // outboxd behaves otherwise, which the operator should know.
};

struct KnownOption {
  std::string_view pattern;   // The name; a '*' at the end stands for any rest.
  std::string_view harmless;  // The value at which it means nothing; empty: none.
  OptionFate fate;
  std::string_view what;  // One sentence.
};

// Null: neither Debezium 3.6 nor Kafka Connect 4.1 has such an option, or one of its plugins does.
[[nodiscard]] const KnownOption* FindConnectorOption(std::string_view name);

}  // namespace outboxd
