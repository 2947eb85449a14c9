#pragma once

#include <map>
#include <string>
#include <string_view>

namespace outboxd {

// Names and values; of two entries of one name the last counts.
using JavaProperties = std::map<std::string, std::string, std::less<>>;

// Reads the text of a Java .properties file, as java.util.Properties.load(Reader) does. Every text
// is one.
[[nodiscard]] JavaProperties ParseJavaProperties(std::string_view text);

}  // namespace outboxd
