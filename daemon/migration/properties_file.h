#pragma once

#include <map>
#include <string>
#include <string_view>

#include "daemon/error.h"

namespace outboxd {

using Properties = std::map<std::string, std::string, std::less<>>;

// Reads the options of a Kafka Connect connector: a Java .properties file, a flat JSON object, or
// what Connect's REST interface takes and gives ({"name": ..., "config": {...}}), whose "name"
// counts as the option `name`. kConfiguration: neither, with the place.
// Rules of .properties: java.util.Properties.load(Reader).
[[nodiscard]] Result<Properties> ParseConnectorOptions(std::string_view text);

}  // namespace outboxd
