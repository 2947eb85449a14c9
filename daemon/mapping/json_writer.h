#pragma once

#include <string>
#include <string_view>

#include "daemon/mapping/mapped_value.h"

namespace outboxd {

// Appends `text`, which is UTF-8, as a JSON string, byte for byte as Jackson does, the library that
// Kafka Connect writes JSON with: characters beyond the basic plane are escaped.
void AppendJsonString(std::string_view text, std::string& json);

// Appends a value as JSON: numbers and JSON as they stand, text as a string, bytes as Base64.
void AppendJson(const OptionalValue& value, std::string& json);

}  // namespace outboxd
