#pragma once

#include <string_view>

#include "base/java_properties.h"
#include "daemon/error.h"

namespace outboxd {

using Properties = JavaProperties;

// Reads the options of a Kafka Connect connector: a Java .properties file, a flat JSON object, or
// what Connect's REST interface takes and gives ({"name": ..., "config": {...}}), whose "name"
// counts as the option `name`. kConfiguration: neither, with the place.
[[nodiscard]] Result<Properties> ParseConnectorOptions(std::string_view text);

}  // namespace outboxd
